/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/lease.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <stdio.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/fixture.h"

/* Another site server on the same database. */
static void be(struct site *site, const char *holder)
{
    (void)snprintf(site->holder, sizeof(site->holder), "%s", holder);
}

static bool holds(struct site *site, const char *holder, uint64_t seconds)
{
    bool ret = false;

    be(site, holder);
    assert_int_equal(lease_hold(site, "a", seconds, &ret), 0);
    return ret;
}

static void one_at_a_time_has_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();

    assert_true(holds(site, "first", 1000));
    assert_false(holds(site, "second", 1000));
    assert_true(holds(site, "first", 1000));
    assert_false(holds(site, "second", 1000));
}

static void who_lets_it_end_loses_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();

    assert_true(holds(site, "first", 0));
    assert_true(holds(site, "second", 1000));
    assert_false(holds(site, "first", 1000));
}

static void it_is_renewed_before_it_ends(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();

    assert_true(holds(site, "first", 100));
    assert_true(holds(site, "first", 1000)); /* less than two thirds of that are left */
    assert_true(holds(site, "first", 1000));
    assert_false(holds(site, "second", 1000));
}

static void only_the_holder_can_drop_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();

    assert_true(holds(site, "first", 1000));
    be(site, "second");
    assert_int_equal(lease_drop(site, "a"), 0);
    assert_false(holds(site, "second", 1000));
    be(site, "first");
    assert_int_equal(lease_drop(site, "a"), 0);
    assert_true(holds(site, "second", 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_at_a_time_has_it),
        cmocka_unit_test(who_lets_it_end_loses_it),
        cmocka_unit_test(it_is_renewed_before_it_ends),
        cmocka_unit_test(only_the_holder_can_drop_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
