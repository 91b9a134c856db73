/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/wake_on_lan.h"
#include "site/wake_target.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "db/db.h"
#include "plat/clock.h"
#include "site/boundary.h"
#include "site/collection.h"
#include "site/collection_rule.h"
#include "site/deployment.h"
#include "site/deployment_change.h"
#include "site/device.h"
#include "site/device_change.h"
#include "site/dp.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/fixture_dp.h"
#include "site/job.h"
#include "site/maintenance_window.h"
#include "site/test_wake.h"

#define OTHER_MAC "52:54:00:77:00:02"
#define HOUR_US   (60 * FIXTURE_MINUTE_US)

static int deploy_to_all(struct site *site, json_t *assignment, const char *more, char *ret)
{
    return deploy_to(site, "All Systems", assignment, more, ret);
}

static void deploy(struct site *site, json_t *assignment, char *ret)
{
    assert_int_equal(deploy_to_all(site, assignment, "{'purpose': 'required'}", ret), 0);
}

/* The site's own distribution point was given exactly one device's packets, and says that it sent them. */
static void assert_woken(struct site *site, const char *mac)
{
    OWN(json_freep) json_t *job = take_job(site, JOB_OWN_DP);

    assert_non_null(job);
    assert_string_equal(field_text(target_of(job, 0), "mac", ""), mac);
    assert_null(target_of(job, 1));
    fixture_dp_finish(site, JOB_OWN_DP, job, ALL_SENT);
    assert_null(take_job(site, JOB_OWN_DP));
}

static void change_device(struct site *site, const char *which, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *device = NULL;

    assert_int_equal(device_change(site, "test", which, body, &device), 0);
}

static void devices_are_woken_once_at_the_deadline(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char deployment[SITE_ID_MAX];
    char at[CLOCK_TEXT_MAX];

    fixture_import(site, "PC-1", FIXTURE_MAC);
    put_time(site, 60, at);
    deploy(site, json_pack("{s:s}", "start", at), deployment);
    fixture_wait(site, 59 * FIXTURE_MINUTE_US);
    assert_asleep(site);
    fixture_wait(site, FIXTURE_MINUTE_US + SECOND_US);
    fixture_wait(site, SECOND_US); /* ends the gathering */
    assert_woken(site, FIXTURE_MAC);
    fixture_wait(site, HOUR_US);
    assert_asleep(site);
}

static void each_deadline_wakes_but_not_more_than_once_in_ten_minutes(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char deployment[SITE_ID_MAX];
    char at[CLOCK_TEXT_MAX];
    unsigned n = 0;

    fixture_import(site, "PC-1", FIXTURE_MAC);
    put_time(site, 1, at);
    deploy(
        site, json_pack("{s:s,s:s,s:i}", "start", at, "repeat", "minutes", "every", 1), deployment);
    for (unsigned second = 0; second < 30 * 60; second += 5) {
        OWN(json_freep) json_t *job = NULL;

        fixture_wait(site, 5 * SECOND_US);
        job = take_job(site, JOB_OWN_DP);
        if (!job)
            continue;
        fixture_dp_finish(site, JOB_OWN_DP, job, ALL_SENT);
        n++;
    }
    assert_int_equal(n, 3);
}

static void as_soon_as_possible_is_when_it_can_be_begun(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char deployment[SITE_ID_MAX];
    char at[CLOCK_TEXT_MAX];
    char more[128];

    fixture_import(site, "PC-1", FIXTURE_MAC);
    put_time(site, 30, at);
    (void)snprintf(more, sizeof(more), "{'purpose': 'required', 'available_from': '%s'}", at);
    assert_int_equal(deploy_to_all(site, NULL, more, deployment), 0);
    fixture_wait(site, 29 * FIXTURE_MINUTE_US);
    assert_asleep(site);
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_woken(site, FIXTURE_MAC);
}

static void who_has_done_it_is_blocked_or_protected_sleeps_on(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char deployment[SITE_ID_MAX];
    char id[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
    char at[CLOCK_TEXT_MAX];

    fixture_import(site, "DONE", FIXTURE_MAC);
    fixture_import(site, "BLOCKED", OTHER_MAC);
    fixture_import(site, "FILES", "52:54:00:77:00:03");
    fixture_import(site, "PC-1", "52:54:00:77:00:04");
    put_time(site, 60, at);
    deploy(site, json_pack("{s:s}", "start", at), deployment);
    change_device(site, "BLOCKED", "{'is_blocked': true}");
    change_device(site, "FILES", "{'is_protected': true}");
    assert_int_equal(fixture_register(site, FIXTURE_MAC, id), 0);
    (void)fixture_order(site, id, order);
    assert_int_equal(fixture_report(site, id, order, 1, "started", "boot-image"), 0);
    fixture_wait(site, HOUR_US);
    assert_woken(site, "52:54:00:77:00:04");
    fixture_wait(site, HOUR_US);
    assert_asleep(site);
}

/* As after a fault of the disk. */
static void make_unreadable(struct site *site, const char *deployment)
{
    struct db_args terms = DB_ARGS(db_text(deployment),
                                   db_text(""),
                                   db_text("clients-media-and-pxe"),
                                   db_text(""),
                                   db_text(""),
                                   db_text("{"),
                                   db_text("always"),
                                   db_text("normal"),
                                   db_u64(0),
                                   db_u64(3600),
                                   db_u64(0),
                                   db_u64(3600),
                                   db_u64(0),
                                   db_u64(0),
                                   db_u64(60),
                                   db_u64(1),
                                   db_u64(1),
                                   db_u64(0),
                                   db_u64(1),
                                   db_u64(1));

    assert_int_equal(db_must(site->db, SQL_DEPLOYMENT_SET_TERMS, terms), 0);
}

static void what_cannot_be_read_keeps_no_other_from_its_turn(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char bad[SITE_ID_MAX];
    char good[SITE_ID_MAX];
    char at[CLOCK_TEXT_MAX];

    fixture_import(site, "PC-0", OTHER_MAC);
    fixture_import(site, "PC-1", FIXTURE_MAC);
    add_collection(site, "Bad", "PC-0");
    add_collection(site, "Good", "PC-1");
    put_time(site, 60, at);
    assert_int_equal(deploy_to(site, "Bad", NULL, "{'purpose': 'required'}", bad), 0);
    assert_int_equal(
        deploy_to(site, "Good", json_pack("{s:s}", "start", at), "{'purpose': 'required'}", good),
        0);
    make_unreadable(site, bad);
    assert_int_equal(ask(site, "PC-0"),
                     0); /* it is woken although what it is deployed cannot be read */
    fixture_wait(site, SECOND_US);
    assert_woken(site, OTHER_MAC);
    fixture_wait(site, HOUR_US);
    assert_non_null(strstr(site->passed_over, bad));
    fixture_wait(site, SECOND_US);
    assert_woken(site, FIXTURE_MAC);
}

/* Gathered already when it became unreadable. */
static void a_device_that_cannot_be_judged_keeps_no_other_asleep(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[ACCESS_DEVICE_ID_MAX];
    char bad[SITE_ID_MAX];
    char good[SITE_ID_MAX];

    fixture_import(site, "PC-0", OTHER_MAC);
    fixture_import(site, "PC-1", FIXTURE_MAC);
    add_collection(site, "Bad", "PC-0");
    add_collection(site, "Good", "PC-1");
    assert_int_equal(deploy_to(site, "Bad", NULL, "{'purpose': 'required'}", bad), 0);
    make_unreadable(site, bad);
    assert_int_equal(db_must(site->db,
                             SQL_WAKE_UP_GATHER,
                             DB_ARGS(db_text(bad), db_text(""), db_text("z"), db_u64(1))),
                     0);
    assert_int_equal(deploy_to(site, "Good", NULL, "{'purpose': 'required'}", good), 0);
    assert_int_equal(device_find(site, "PC-0", id), 0);
    fixture_wait(site, SECOND_US);
    assert_non_null(strstr(site->passed_over, bad));
    fixture_wait(site, SECOND_US);
    assert_woken(site, FIXTURE_MAC);
}

static void outside_its_windows_a_device_is_woken_when_one_opens(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *window = NULL;
    OWN(json_freep) json_t *answer = NULL;
    char deployment[SITE_ID_MAX];
    char at[CLOCK_TEXT_MAX];

    fixture_import(site, "PC-1", FIXTURE_MAC);
    add_collection(site, "Lab", "PC-1");
    put_time(site, 180, at);
    window =
        json_pack("{s:s,s:{s:s,s:i}}", "name", "n", "schedule", "start", at, "duration_min", 60);
    assert_int_equal(maintenance_window_set(site, "test", "Lab", window, &answer), 0);
    deploy(site, NULL, deployment);
    fixture_wait(site, HOUR_US);
    assert_asleep(site);
    fixture_wait(site, 119 * FIXTURE_MINUTE_US);
    assert_asleep(site);
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_woken(site, FIXTURE_MAC);
}

static void what_is_switched_on_later_wakes_from_then_on(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *on = fixture_json("{'is_wake_on_lan': true}");
    OWN(json_freep) json_t *off = fixture_json("{'is_wake_on_lan': false}");
    OWN(json_freep) json_t *changed = NULL;
    OWN(json_freep) json_t *again = NULL;
    OWN(json_freep) json_t *third = NULL;
    OWN(json_freep) json_t *due = NULL;
    char deployment[SITE_ID_MAX];
    char at[CLOCK_TEXT_MAX];

    fixture_import(site, "PC-1", FIXTURE_MAC);
    fixture_deploy(site, "All Systems", "required", deployment);
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_int_equal(deployment_change(site, "test", deployment, on, &changed), 0);
    assert_true(field_bool(changed, "is_wake_on_lan"));
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_asleep(site);
    put_time(site, 5, at);
    due = json_pack("{s:[{s:s}]}", "assignments", "start", at);
    assert_int_equal(deployment_change(site, "test", deployment, due, &again), 0);
    fixture_wait(site, 5 * FIXTURE_MINUTE_US);
    fixture_wait(site, SECOND_US);
    assert_woken(site, FIXTURE_MAC);
    assert_int_equal(deployment_change(site, "test", deployment, off, &third), 0);
    assert_false(field_bool(third, "is_wake_on_lan"));
    fixture_wait(site, HOUR_US);
    assert_asleep(site);
}

static void an_available_one_wakes_nobody(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char deployment[SITE_ID_MAX];

    assert_int_equal(deploy_to_all(site, NULL, "{'purpose': 'available'}", deployment),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_INVALID);
}

static void a_disabled_one_wakes_when_it_is_enabled(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *enable = fixture_json("{'is_disabled': false}");
    OWN(json_freep) json_t *changed = NULL;
    char deployment[SITE_ID_MAX];

    fixture_import(site, "PC-1", FIXTURE_MAC);
    assert_int_equal(
        deploy_to_all(site, NULL, "{'purpose': 'required', 'is_disabled': true}", deployment), 0);
    fixture_wait(site, HOUR_US);
    assert_asleep(site);
    assert_int_equal(deployment_change(site, "test", deployment, enable, &changed), 0);
    fixture_wait(site, SECOND_US);
    assert_woken(site, FIXTURE_MAC);
}

static void packets_go_to_the_subnet_that_the_adapter_was_in(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;
    OWN(json_freep) json_t *again = NULL;
    const json_t *to;

    site->settings.wake_port = 7;
    fixture_import(site, "PC-1", FIXTURE_MAC);
    assert_int_equal(ask(site, "PC-1"), 0);
    fixture_wait(site, SECOND_US);
    job = take_job(site, JOB_OWN_DP);
    to = json_object_get(target_of(job, 0), "to");
    assert_string_equal(json_string_value(json_array_get(to, 0)), "255.255.255.255");
    assert_int_equal(field_number(json_object_get(job, "args"), "port", 0), 7);
    assert_int_equal(field_number(json_object_get(job, "args"), "packets_per_s", 0), 50);
    fixture_dp_finish(site, JOB_OWN_DP, job, ALL_SENT);

    register_at(site, FIXTURE_MAC, "192.0.2.7/25");
    site->settings.is_wake_unicast_on = true;
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_int_equal(ask(site, "PC-1"), 0);
    fixture_wait(site, SECOND_US);
    again = take_job(site, JOB_OWN_DP);
    to = json_object_get(target_of(again, 0), "to");
    assert_int_equal(json_array_size(to), 2);
    assert_string_equal(json_string_value(json_array_get(to, 0)), "192.0.2.127");
    assert_string_equal(json_string_value(json_array_get(to, 1)), "192.0.2.7");
}

/* Sixteen adapters with one MAC address and four subnets each, as VLANs have, or as who lies says. */
static void what_a_device_says_of_itself_makes_no_flood(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;
    json_t *nics = json_array();

    for (int i = 0; i < 16; i++) {
        json_t *nic = json_pack("{s:s,s:s,s:[]}", "name", "eth0", "mac", FIXTURE_MAC, "addresses");

        for (int k = 0; k < 4; k++)
            (void)json_array_append_new(json_object_get(nic, "addresses"),
                                        json_sprintf("10.%d.%d.7/24", i, k));
        (void)json_array_append_new(nics, nic);
    }
    site->settings.is_wake_unicast_on = true;
    fixture_import(site, "PC-1", FIXTURE_MAC);
    register_with(site, FIXTURE_MAC, nics);
    assert_int_equal(ask(site, "PC-1"), 0);
    fixture_wait(site, SECOND_US);
    job = take_job(site, JOB_OWN_DP);
    assert_int_equal(json_array_size(json_object_get(target_of(job, 0), "to")), WAKE_PLACES_MAX);
}

static void the_distribution_point_of_the_subnet_sends_if_it_is_online(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;

    fixture_dp_join(site, "north", "10.78.0.1");
    add_group(site, "10.78.0.0/16", "north");
    fixture_import(site, "PC-1", FIXTURE_MAC);
    register_at(site, FIXTURE_MAC, "10.78.3.7/16");
    assert_int_equal(dp_seen(site, "DP00002", NULL), 0);
    assert_int_equal(ask(site, "PC-1"), 0);
    fixture_wait(site, SECOND_US);
    assert_asleep(site);
    job = take_job(site, "DP00002");
    assert_non_null(job);
    fixture_dp_finish(site, "DP00002", job, ALL_SENT);
    assert_history(site, "PC-1", "device.wake-up", "DP00002");

    fixture_wait(site, 2 * FIXTURE_MINUTE_US); /* it is silent */
    assert_int_equal(ask(site, "PC-1"), 0);
    fixture_wait(site, SECOND_US);
    assert_woken(site, FIXTURE_MAC);
}

static void an_adapter_that_many_machines_have_is_left_out(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char deployment[SITE_ID_MAX];

    fixture_import(site, "PC-1", FIXTURE_MAC);
    deploy(site, NULL, deployment);
    assert_int_equal(db_must(site->db,
                             SQL_DUPLICATE_ID_ADD,
                             DB_ARGS(db_text(FIXTURE_MAC), db_text(""), db_u64(0))),
                     0);
    assert_int_equal(ask(site, "PC-1"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NO_MAC);
    fixture_wait(site, SECOND_US);
    assert_asleep(site);
    assert_history(site, "PC-1", "device.wake-up-failed", "SLW-0264");
}

static void by_hand_a_device_is_woken_once_a_minute(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    fixture_import(site, "PC-1", FIXTURE_MAC);
    assert_int_equal(ask(site, FIXTURE_MAC), 0);
    assert_int_equal(ask(site, "PC-1"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_WOKEN);
    assert_true(site->refusal.retry_after_s > 0);
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_woken(site, FIXTURE_MAC);
    assert_int_equal(ask(site, "PC-1"), 0);
    change_device(site, "PC-1", "{'is_blocked': true}");
    fixture_wait(site, SECOND_US);
    assert_asleep(site);
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_int_equal(ask(site, "PC-1"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_BLOCKED);
    assert_int_equal(ask(site, "PC-9"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
}

static void a_distribution_point_has_one_job_of_a_hundred_devices_at_a_time(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char deployment[SITE_ID_MAX];
    size_t n_devices = 0;
    size_t n_jobs = 0;

    for (unsigned i = 0; i < 150; i++) {
        char name[16];
        char mac[MAC_TEXT_MAX];

        (void)snprintf(name, sizeof(name), "PC-%u", i);
        (void)snprintf(mac, sizeof(mac), "52:54:00:88:00:%02x", i);
        fixture_import(site, name, mac);
    }
    deploy(site, NULL, deployment);
    for (unsigned second = 0; second < 30; second++) {
        OWN(json_freep) json_t *job = NULL;
        size_t n;

        fixture_wait(site, SECOND_US);
        job = take_job(site, JOB_OWN_DP);
        if (!job)
            continue;
        fixture_wait(site, SECOND_US);
        assert_null(take_job(site, JOB_OWN_DP));
        n = json_array_size(json_object_get(json_object_get(job, "args"), "targets"));
        assert_true(n <= WAKE_JOB_DEVICES_MAX);
        n_devices += n;
        n_jobs++;
        fixture_dp_finish(site, JOB_OWN_DP, job, ALL_SENT);
    }
    assert_int_equal(n_devices, 150);
    assert_int_equal(n_jobs, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_are_woken_once_at_the_deadline),
        cmocka_unit_test(each_deadline_wakes_but_not_more_than_once_in_ten_minutes),
        cmocka_unit_test(as_soon_as_possible_is_when_it_can_be_begun),
        cmocka_unit_test(who_has_done_it_is_blocked_or_protected_sleeps_on),
        cmocka_unit_test(what_cannot_be_read_keeps_no_other_from_its_turn),
        cmocka_unit_test(a_device_that_cannot_be_judged_keeps_no_other_asleep),
        cmocka_unit_test(outside_its_windows_a_device_is_woken_when_one_opens),
        cmocka_unit_test(what_is_switched_on_later_wakes_from_then_on),
        cmocka_unit_test(an_available_one_wakes_nobody),
        cmocka_unit_test(a_disabled_one_wakes_when_it_is_enabled),
        cmocka_unit_test(packets_go_to_the_subnet_that_the_adapter_was_in),
        cmocka_unit_test(what_a_device_says_of_itself_makes_no_flood),
        cmocka_unit_test(the_distribution_point_of_the_subnet_sends_if_it_is_online),
        cmocka_unit_test(an_adapter_that_many_machines_have_is_left_out),
        cmocka_unit_test(by_hand_a_device_is_woken_once_a_minute),
        cmocka_unit_test(a_distribution_point_has_one_job_of_a_hundred_devices_at_a_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
