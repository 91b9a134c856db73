/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/dp_group.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */

#include <cmocka.h>

#include "base/own.h"
#include "site/fields.h"
#include "site/fixture_dp.h"

static void a_new_member_gets_what_the_group_has_and_keeps_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *name = fixture_json("{'name': 'All'}");
    OWN(json_freep) json_t *north = fixture_json("{'distribution_point': 'north'}");
    OWN(json_freep) json_t *group = NULL;
    OWN(json_freep) json_t *with_north = NULL;
    OWN(json_freep) json_t *answer = NULL;

    fixture_dp_join(site, "north", "10.78.0.1");
    assert_int_equal(dp_group_create(site, "test", name, &group), 0);
    assert_int_equal(fixture_dp_distribute(site, FIXTURE_OS_IMAGE, "{'groups': ['All']}"), 0);
    assert_int_equal(dp_group_add_member(site, "test", "All", north, &with_north), 0);
    fixture_dp_assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "waiting");
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_DONE);
    assert_int_equal(dp_group_remove_member(site, "test", "All", "north"), 0);
    fixture_dp_assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "success");
    assert_int_equal(distribution_remove_group(site, "test", FIXTURE_OS_IMAGE, "All", &answer), 0);
    fixture_dp_assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "success");
}

static void content_taken_off_a_group_leaves_its_members(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *name = fixture_json("{'name': 'All'}");
    OWN(json_freep) json_t *north = fixture_json("{'distribution_point': 'north'}");
    OWN(json_freep) json_t *group = NULL;
    OWN(json_freep) json_t *with_north = NULL;
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *row = NULL;

    fixture_dp_join(site, "north", "10.78.0.1");
    assert_int_equal(dp_group_create(site, "test", name, &group), 0);
    assert_int_equal(dp_group_add_member(site, "test", "All", north, &with_north), 0);
    assert_int_equal(fixture_dp_distribute(site, FIXTURE_OS_IMAGE, "{'groups': ['All']}"), 0);
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_DONE);
    assert_int_equal(distribution_remove_group(site, "test", FIXTURE_OS_IMAGE, "All", &answer), 0);
    row = fixture_dp_row(site, FIXTURE_OS_IMAGE, "DP00002");
    assert_string_equal(field_text(row, "work", ""), "remove");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_member_gets_what_the_group_has_and_keeps_it),
        cmocka_unit_test(content_taken_off_a_group_leaves_its_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
