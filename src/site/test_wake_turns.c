/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/wake_on_lan.h"

#include <stdio.h>

#include "db/db.h"
#include "site/test_wake.h"

#define NORTH "DP00002"

/* So many, with addresses from 52:54:00:NN:00:00 on. */
static void import_many(struct site *site, unsigned group, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        char name[32];
        char mac[MAC_TEXT_MAX];

        (void)snprintf(name, sizeof(name), "PC-%u-%u", group, i);
        (void)snprintf(mac, sizeof(mac), "52:54:00:%02x:%02x:%02x", group, i >> 8, i & 255);
        fixture_import(site, name, mac);
    }
}

/* Deployed, and gathered for it. */
static void deploy_and_gather(struct site *site, const char *collection, char *ret)
{
    assert_int_equal(deploy_to(site, collection, NULL, "{'purpose': 'required'}", ret), 0);
}

/* What the targets of a job are for; n of them. */
static size_t n_targets(const json_t *job)
{
    return json_array_size(json_object_get(json_object_get(job, "args"), "targets"));
}

static void who_waits_for_a_busy_distribution_point_keeps_no_other_asleep(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *own = NULL;
    OWN(json_freep) json_t *job = NULL;
    char big[SITE_ID_MAX];
    char small[SITE_ID_MAX];

    fixture_dp_join(site, "north", "10.78.0.1");
    add_group(site, "10.78.0.0/16", "north");
    import_many(site, 0x88, 450);
    deploy_and_gather(site, "All Systems", big);
    for (unsigned i = 0; i < 3; i++)
        fixture_wait(site, SECOND_US);
    own = take_job(site, JOB_OWN_DP);
    assert_non_null(own);
    fixture_import(site, "PC-N", FIXTURE_MAC);
    register_at(site, FIXTURE_MAC, "10.78.3.7/16");
    add_collection(site, "Small", "PC-N");
    assert_int_equal(dp_seen(site, NORTH, NULL), 0);
    deploy_and_gather(site, "Small", small);
    fixture_wait(site, SECOND_US);
    job = take_job(site, NORTH);
    assert_non_null(job);
    assert_string_equal(field_text(target_of(job, 0), "mac", ""), FIXTURE_MAC);
}

static void many_deployments_that_are_due_at_once_wake_at_once(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;
    char at[CLOCK_TEXT_MAX];

    import_many(site, 0x88, 20);
    put_time(site, 60, at);
    for (unsigned i = 0; i < 20; i++) {
        char device[32];
        char name[16];
        char id[SITE_ID_MAX];

        (void)snprintf(name, sizeof(name), "C%u", i);
        (void)snprintf(device, sizeof(device), "PC-136-%u", i);
        add_collection(site, name, device);
        assert_int_equal(
            deploy_to(site, name, json_pack("{s:s}", "start", at), "{'purpose': 'required'}", id),
            0);
    }
    fixture_wait(site, 60 * FIXTURE_MINUTE_US);
    job = take_job(site, JOB_OWN_DP);
    assert_int_equal(n_targets(job), 20);
}

/* A thousand may wait for it. */
static void who_is_woken_by_hand_goes_before_deployments_and_does_not_stop_them(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;
    char deployment[SITE_ID_MAX];
    size_t n_by_hand = 0;

    import_many(site, 0x88, 150);
    for (unsigned i = 0; i < 60; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "PC-136-%u", 149 - i);
        assert_int_equal(ask(site, name), 0);
    }
    deploy_and_gather(site, "All Systems", deployment);
    fixture_wait(site, SECOND_US);
    job = take_job(site, JOB_OWN_DP);
    for (size_t i = 0; i < n_targets(job); i++)
        n_by_hand += strcmp(field_text(target_of(job, i), "why", ""), "by hand") == 0;
    assert_int_equal(n_by_hand, 50);
    assert_true(n_targets(job) > n_by_hand);
}

/* Otherwise those at the end of a large collection would never have their turn. */
static void a_deadline_that_comes_while_members_are_gathered_waits_for_the_end(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;
    char at[CLOCK_TEXT_MAX];
    char id[SITE_ID_MAX];

    fixture_import(site, "PC-1", FIXTURE_MAC);
    put_time(site, 60, at);
    assert_int_equal(
        deploy_to(
            site, "All Systems", json_pack("{s:s}", "start", at), "{'purpose': 'required'}", id),
        0);
    fixture_wait(site, 59 * FIXTURE_MINUTE_US);
    /* it is behind the device as for a deadline before */
    assert_int_equal(db_must(site->db, SQL_WAKE_DUE, DB_ARGS(db_text(id), db_u64(0), db_u64(1))),
                     0);
    assert_int_equal(db_must(site->db, SQL_WAKE_GATHERED, DB_ARGS(db_text(id), db_text("z"))), 0);
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_asleep(site);
    fixture_wait(site, SECOND_US);
    job = take_job(site, JOB_OWN_DP);
    assert_int_equal(n_targets(job), 1);
}

static void who_has_waited_for_an_hour_is_left_asleep_and_told_of(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char device[ACCESS_DEVICE_ID_MAX];
    char deployment[SITE_ID_MAX];

    fixture_import(site, "PC-1", FIXTURE_MAC);
    fixture_import(site, "PC-2", "52:54:00:77:00:02");
    add_collection(site, "Lab", "PC-2");
    assert_int_equal(ask(site, "PC-1"), 0);
    fixture_wait(site, SECOND_US); /* the distribution point has a job now */
    deploy_and_gather(site, "Lab", deployment);
    fixture_wait(site, SECOND_US);
    assert_int_equal(device_find(site, "PC-2", device), 0);
    assert_int_equal(db_must(site->db,
                             SQL_WAKE_UP_LATER,
                             DB_ARGS(db_text(device),
                                     db_text(deployment),
                                     db_u64(site->now_us),
                                     db_u64(site->now_us - 60 * FIXTURE_MINUTE_US))),
                     0);
    fixture_wait(site, SECOND_US);
    assert_history(site, "PC-2", "device.wake-up-failed", "SLW-0266");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_waits_for_a_busy_distribution_point_keeps_no_other_asleep),
        cmocka_unit_test(many_deployments_that_are_due_at_once_wake_at_once),
        cmocka_unit_test(who_is_woken_by_hand_goes_before_deployments_and_does_not_stop_them),
        cmocka_unit_test(a_deadline_that_comes_while_members_are_gathered_waits_for_the_end),
        cmocka_unit_test(who_has_waited_for_an_hour_is_left_asleep_and_told_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
