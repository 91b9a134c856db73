/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/limit.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>

#include <cmocka.h>

#include "base/own.h"

#define SECOND_US UINT64_C(1000000)

DEFINE_FREEP(struct limit *, limit_free);

enum {
    PER_S = 100,
};

static unsigned take_all(struct limit *limit, const char *name, uint64_t now_us)
{
    unsigned n = 0;

    while (n < 10 * LIMIT_BURST_S * PER_S && limit_take(limit, name, now_us))
        n++;
    return n;
}

static void a_full_bucket_is_a_burst_and_then_it_comes_at_the_rate(void **state)
{
    (void)state;
    OWN(limit_freep) struct limit *limit = NULL;

    assert_int_equal(limit_new(PER_S, &limit), 0);
    assert_int_equal(take_all(limit, "ada", SECOND_US), LIMIT_BURST_S * PER_S);
    assert_int_equal(take_all(limit, "ada", 2 * SECOND_US), PER_S);
    assert_int_equal(take_all(limit, "ada", 2 * SECOND_US + SECOND_US / PER_S), 1);
    assert_int_equal(take_all(limit, "ada", 3600 * SECOND_US), LIMIT_BURST_S * PER_S);
}

static void one_does_not_take_from_another(void **state)
{
    (void)state;
    OWN(limit_freep) struct limit *limit = NULL;

    assert_int_equal(limit_new(PER_S, &limit), 0);
    (void)take_all(limit, "ada", SECOND_US);
    assert_false(limit_take(limit, "ada", SECOND_US));
    assert_int_equal(take_all(limit, "bea", SECOND_US), LIMIT_BURST_S * PER_S);
}

static void a_clock_that_goes_back_gives_nothing(void **state)
{
    (void)state;
    OWN(limit_freep) struct limit *limit = NULL;

    assert_int_equal(limit_new(PER_S, &limit), 0);
    (void)take_all(limit, "ada", 5 * SECOND_US);
    assert_false(limit_take(limit, "ada", SECOND_US));
}

static void many_names_do_not_harm_anybody(void **state)
{
    (void)state;
    OWN(limit_freep) struct limit *limit = NULL;

    assert_int_equal(limit_new(PER_S, &limit), 0);
    for (unsigned i = 0; i < 20000; i++) {
        char name[LIMIT_NAME_MAX];

        (void)snprintf(name, sizeof(name), "name %u", i);
        assert_true(limit_take(limit, name, SECOND_US + i));
    }
}

static void without_a_limit_there_is_none(void **state)
{
    (void)state;
    OWN(limit_freep) struct limit *limit = NULL;

    assert_int_equal(limit_new(0, &limit), 0);
    assert_int_equal(take_all(limit, "ada", 1), 10 * LIMIT_BURST_S * PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_bucket_is_a_burst_and_then_it_comes_at_the_rate),
        cmocka_unit_test(one_does_not_take_from_another),
        cmocka_unit_test(a_clock_that_goes_back_gives_nothing),
        cmocka_unit_test(many_names_do_not_harm_anybody),
        cmocka_unit_test(without_a_limit_there_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
