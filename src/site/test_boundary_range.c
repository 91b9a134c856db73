/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/boundary_range.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

static void assert_in(const struct boundary_range *range, const char *address, bool is_in)
{
    char key[BOUNDARY_KEY_MAX];

    assert_true(boundary_address_parse(address, key));
    assert_int_equal(strcmp(range->low, key) <= 0 && strcmp(key, range->high) <= 0, is_in);
}

static void a_subnet_has_its_first_and_last_address_and_no_other(void **state)
{
    (void)state;
    struct boundary_range range;

    assert_int_equal(boundary_range_parse(BOUNDARY_IPV4_SUBNET, "10.77.4.0/22", &range), 0);
    assert_in(&range, "10.77.4.0", true);
    assert_in(&range, "10.77.7.255", true);
    assert_in(&range, "10.77.3.255", false);
    assert_in(&range, "10.77.8.0", false);
    assert_in(&range, "::ffff:10.77.5.1", true);
    assert_in(&range, "fd00::1", false);
}

static void a_range_has_both_its_ends(void **state)
{
    (void)state;
    struct boundary_range range;

    assert_int_equal(boundary_range_parse(BOUNDARY_IPV4_RANGE, "10.0.0.9-10.0.1.3", &range), 0);
    assert_in(&range, "10.0.0.8", false);
    assert_in(&range, "10.0.0.9", true);
    assert_in(&range, "10.0.0.100", true);
    assert_in(&range, "10.0.1.3", true);
    assert_in(&range, "10.0.1.4", false);
}

static void a_prefix_ends_at_any_bit(void **state)
{
    (void)state;
    struct boundary_range range;

    assert_int_equal(boundary_range_parse(BOUNDARY_IPV6_PREFIX, "fd00:77:0:8000::/49", &range), 0);
    assert_in(&range, "fd00:77:0:8000::", true);
    assert_in(&range, "fd00:77:0:ffff:ffff:ffff:ffff:ffff", true);
    assert_in(&range, "fd00:77:0:7fff:ffff::", false);
    assert_in(&range, "fd00:77:1::", false);
}

static void both_ends_of_the_prefix_length_are_taken(void **state)
{
    (void)state;
    struct boundary_range range;

    assert_int_equal(boundary_range_parse(BOUNDARY_IPV4_SUBNET, "0.0.0.0/0", &range), 0);
    assert_in(&range, "255.255.255.255", true);
    assert_in(&range, "::1", false);
    assert_int_equal(boundary_range_parse(BOUNDARY_IPV4_SUBNET, "10.0.0.1/32", &range), 0);
    assert_in(&range, "10.0.0.1", true);
    assert_in(&range, "10.0.0.2", false);
    assert_int_equal(boundary_range_parse(BOUNDARY_IPV6_PREFIX, "::1/128", &range), 0);
    assert_string_equal(range.low, range.high);
}

static void what_is_no_range_is_refused_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        enum boundary_kind kind;
        const char *text;
        int outcome;
    } cases[] = {
        {BOUNDARY_IPV4_SUBNET, "10.77.0.0", BOUNDARY_RANGE_E_MALFORMED},
        {BOUNDARY_IPV4_SUBNET, "10.77.0.0/33", BOUNDARY_RANGE_E_MALFORMED},
        {BOUNDARY_IPV4_SUBNET, "10.77.0/16", BOUNDARY_RANGE_E_MALFORMED},
        {BOUNDARY_IPV4_SUBNET, "10.77.0.0/-1", BOUNDARY_RANGE_E_MALFORMED},
        {BOUNDARY_IPV4_SUBNET, "10.77.0.0/ 16", BOUNDARY_RANGE_E_MALFORMED},
        {BOUNDARY_IPV4_SUBNET, "fd00::/64", BOUNDARY_RANGE_E_MALFORMED},
        {BOUNDARY_IPV4_SUBNET, "", BOUNDARY_RANGE_E_MALFORMED},
        {BOUNDARY_IPV4_SUBNET, "10.77.0.1/16", BOUNDARY_RANGE_E_HOST_BITS},
        {BOUNDARY_IPV6_PREFIX, "10.77.0.0/16", BOUNDARY_RANGE_E_MALFORMED},
        {BOUNDARY_IPV6_PREFIX, "fd00::/129", BOUNDARY_RANGE_E_MALFORMED},
        {BOUNDARY_IPV6_PREFIX, "fd00::1/64", BOUNDARY_RANGE_E_HOST_BITS},
        {BOUNDARY_IPV4_RANGE, "10.0.0.2-10.0.0.1", BOUNDARY_RANGE_E_BACKWARDS},
        {BOUNDARY_IPV4_RANGE, "10.0.0.2", BOUNDARY_RANGE_E_MALFORMED},
        {BOUNDARY_IPV4_RANGE, "10.0.0.2-fd00::1", BOUNDARY_RANGE_E_MALFORMED},
        {BOUNDARY_IPV4_RANGE, "10.0.0.2-", BOUNDARY_RANGE_E_MALFORMED},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct boundary_range range = {.low = "x"};

        assert_int_equal(boundary_range_parse(cases[i].kind, cases[i].text, &range),
                         cases[i].outcome);
        assert_string_equal(range.low, "x");
    }
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "10.0.0", "10.0.0.256", "fd00:::1", "10.0.0.1 ", "fe80::1%eth0"};
    char key[BOUNDARY_KEY_MAX];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(boundary_address_parse(bad[i], key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_subnet_has_its_first_and_last_address_and_no_other),
        cmocka_unit_test(a_range_has_both_its_ends),
        cmocka_unit_test(a_prefix_ends_at_any_bit),
        cmocka_unit_test(both_ends_of_the_prefix_length_are_taken),
        cmocka_unit_test(what_is_no_range_is_refused_with_its_reason),
        cmocka_unit_test(what_is_no_address_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
