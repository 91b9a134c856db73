/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/phased_deployment.h"

#include <string.h>

#include "db/db.h"
#include "site/test_phased.h"

/* A third phase whose terms are no JSON, as after a fault of the disk. */
static void add_unreadable_phase(struct site *site, const char *id, const char *collection)
{
    struct db_args args = DB_ARGS(db_text(id),
                                  db_u64(3),
                                  db_text("Bad"),
                                  db_text(collection),
                                  db_text("{"),
                                  db_text("automatically"),
                                  db_u64(95),
                                  db_u64(0),
                                  db_u64(0),
                                  db_null(),
                                  db_text(""));

    assert_int_equal(db_must(site->db, SQL_PHASE_ADD, args), 0);
}

static void one_that_cannot_be_read_keeps_no_other_from_its_turn(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();
    char bad[PRINCIPAL_OBJECT_MAX];
    char all[SITE_ID_MAX];

    assert_int_equal(create(site,
                            "{'name': 'First', 'phases': [{'name': 'P', 'collection': 'Few'}, "
                            "{'name': 'Q', 'collection': 'Many'}]}"),
                     0);
    assert_int_equal(phased_deployment_find(site, "First", bad), 0);
    assert_int_equal(collection_find(site, "All Systems", all), 0);
    add_unreadable_phase(site, bad, all);
    {
        OWN(json_freep) json_t *body = fixture_json("{'phase': 'Q'}");
        OWN(json_freep) json_t *answer = NULL;

        assert_true(phased_deployment_next(site, "test", "First", body, &answer) < 0);
    }
    assert_int_equal(create(site, TWO), 0);
    run(site, FIXTURE_MAC, "succeeded"); /* both deployments to it */
    run(site, FIXTURE_MAC, "succeeded");
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_non_null(strstr(site->passed_over, bad));
    fixture_wait(site, DAY_US);
    expect_phase(site, 2, "deployment-created", "");
}

/* Members are found a tick after their collection was made or changed. */
static void one_that_is_due_while_members_are_being_found_says_so(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();
    char many[SITE_ID_MAX];

    site->settings.deployment_usual_size = 100;
    assert_int_equal(create(site, TWO), 0);
    run(site, FIXTURE_MAC, "succeeded");
    fixture_wait(site, FIXTURE_MINUTE_US);
    expect_phase(site, 2, "deferred", "The phase \"Pilot\" has succeeded; the days after it run.");
    assert_int_equal(collection_find(site, "Many", many), 0);
    assert_int_equal(db_must(site->db, SQL_MEMBERSHIP_BEGIN, DB_ARGS(db_text(many))), 0);
    site->now_us += DAY_US;
    assert_int_equal(phased_deployment_tick(site), 0);
    expect_phase(site, 2, "waiting", "It is due; the members of its collection are being found.");
    assert_int_equal(n_alerts(site, NULL), 0);
    fixture_wait(site, FIXTURE_MINUTE_US);
    fixture_wait(site, FIXTURE_MINUTE_US);
    expect_phase(site, 2, "deployment-created", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_cannot_be_read_keeps_no_other_from_its_turn),
        cmocka_unit_test(one_that_is_due_while_members_are_being_found_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
