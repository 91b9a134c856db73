/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/name_rule.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdint.h>

#include <cmocka.h>

/* One text: more parts than a pattern may have. */
#define FIVE_MACS "%mac%%mac%%mac%%mac%%mac%"
#define TOO_MANY  FIVE_MACS FIVE_MACS FIVE_MACS FIVE_MACS FIVE_MACS

static const struct name_facts facts = {
    .values =
        {
            [NAME_SERIAL] = "ABC 1234.5678",
            [NAME_MODEL] = "Standard PC (Q35)",
            [NAME_MAC] = "525400770001",
            [NAME_ARCH] = "x64",
        },
};

static void assert_name(const char *pattern, unsigned max, unsigned twin, const char *expected)
{
    const struct name_wish wish = {.pattern = pattern, .max = max, .number = 7, .twin = twin};
    char name[NAME_MAX_BYTES + 1];

    assert_int_equal(name_rule_make(&wish, &facts, name), 0);
    assert_string_equal(name, expected);
}

static void assert_no_name(const char *pattern, unsigned max, int outcome)
{
    const struct name_wish wish = {.pattern = pattern, .max = max, .number = 7};
    char name[NAME_MAX_BYTES + 1];

    assert_int_equal(name_rule_make(&wish, &facts, name), outcome);
    assert_string_equal(name, "");
}

static void values_stand_in_their_places(void **state)
{
    (void)state;
    assert_name("PC-%serial%", 15, 0, "PC-ABC12345678");
    assert_name("PC-%serial:4%", 15, 0, "PC-5678");
    assert_name("%model:^8%-%counter:4%", 15, 0, "Standard-0007");
    assert_name("%arch%-%mac%", 63, 0, "x64-525400770001");
    assert_name("LAB", 15, 0, "LAB");
}

static void what_is_too_long_is_cut_at_the_beginning_of_its_longest_value(void **state)
{
    (void)state;
    assert_name("OFFICE-%serial%", 15, 0, "OFFICE-12345678");
    assert_name("%model%-%counter:6%", 15, 0, "ardPCQ35-000007");
    assert_no_name("A-VERY-LONG-BEGINNING", 15, NAME_RULE_E_BAD);
    assert_no_name("ABCDEFGHIJKL-%counter:6%", 15, NAME_RULE_E_BAD);
}

static void a_name_that_is_taken_gets_a_number_behind_it(void **state)
{
    (void)state;
    assert_name("LAB", 15, 2, "LAB-2");
    assert_name("OFFICE-%serial%", 15, 12, "OFFICE-45678-12");
}

static void an_empty_value_makes_no_name(void **state)
{
    (void)state;
    assert_no_name("PC-%asset%", 15, NAME_RULE_E_EMPTY);
}

static void no_computer_is_called_by_digits_only(void **state)
{
    (void)state;
    assert_no_name("%mac%", 15, NAME_RULE_E_BAD);
    assert_non_null(name_rule_why_not("0815", 15));
    assert_non_null(name_rule_why_not("-PC", 15));
    assert_non_null(name_rule_why_not("PC-", 15));
    assert_non_null(name_rule_why_not("PC.1", 15));
    assert_non_null(name_rule_why_not("5254007700ab", 15));
    assert_non_null(name_rule_why_not("52-54-00-77-00-ab", 63));
    assert_non_null(name_rule_why_not("11111111-2222-3333-4444-555555555555", 63));
    assert_non_null(name_rule_why_not("", 15));
    assert_non_null(name_rule_why_not("SIXTEEN-LETTERS1", 15));
    assert_null(name_rule_why_not("SIXTEEN-LETTERS1", 16));
    assert_null(name_rule_why_not("PC-1", 15));
}

static void what_is_no_pattern_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "PC %serial%",
        "PC-%serial",
        "PC-%colour%",
        "PC-%serial:0%",
        "PC-%serial:64%",
        "PC-%counter:10%",
        "PC-%counter:^2%",
        "PC-%%",
        TOO_MANY,
    };
    bool has_counter;
    const char *why;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(name_rule_check(bad[i], &has_counter, &why), NAME_RULE_E_PATTERN);
        assert_non_null(why);
    }
    assert_int_equal(name_rule_check("PC-%counter:3%", &has_counter, &why), 0);
    assert_true(has_counter);
    assert_int_equal(name_rule_check("PC-%serial%", &has_counter, &why), 0);
    assert_false(has_counter);
}

static void a_counter_counts_for_everything_else_in_the_name(void **state)
{
    (void)state;
    char base[NAME_BASE_MAX];

    assert_int_equal(name_rule_base("%model:^8%-%counter:4%", &facts, base), 0);
    assert_string_equal(base, "standard-#");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_stand_in_their_places),
        cmocka_unit_test(what_is_too_long_is_cut_at_the_beginning_of_its_longest_value),
        cmocka_unit_test(a_name_that_is_taken_gets_a_number_behind_it),
        cmocka_unit_test(an_empty_value_makes_no_name),
        cmocka_unit_test(no_computer_is_called_by_digits_only),
        cmocka_unit_test(what_is_no_pattern_is_refused_with_a_reason),
        cmocka_unit_test(a_counter_counts_for_everything_else_in_the_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
