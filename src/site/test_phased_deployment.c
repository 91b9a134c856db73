/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/phased_deployment.h"

#include <stdio.h>
#include <string.h>

#include "site/deployment.h"
#include "site/deployment_change.h"
#include "site/device_change.h"
#include "site/task_sequence.h"
#include "site/test_phased.h"

static void suspend(struct site *site, bool is_suspended)
{
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(phased_deployment_suspend(site, "test", "Roll out", is_suspended, &answer), 0);
}

static void the_first_phase_begins_at_once_and_the_next_a_day_after_it_has_succeeded(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();
    OWN(json_freep) json_t *pilot = NULL;
    char first[SITE_ID_MAX];
    char second[SITE_ID_MAX];

    assert_int_equal(create(site, TWO), 0);
    deployment_of(site, 1, first);
    assert_string_not_equal(first, "");
    fixture_wait(site, FIXTURE_MINUTE_US);
    expect_phase(site, 1, "deployment-created", "");
    expect_phase(site,
                 2,
                 "waiting",
                 "The phase \"Pilot\" must have succeeded on 95 per cent of its devices.");
    run(site, FIXTURE_MAC, "succeeded");
    pilot = phase(site, 1);
    assert_string_equal(field_text(pilot, "state", ""), "succeeded");
    assert_int_equal(field_number(pilot, "succeeded_percent", 0), 100);
    fixture_wait(site, FIXTURE_MINUTE_US);
    expect_phase(site, 2, "deferred", "The phase \"Pilot\" has succeeded; the days after it run.");
    fixture_wait(site, DAY_US - 1);
    deployment_of(site, 2, second);
    assert_string_equal(second, "");
    fixture_wait(site, 1);
    deployment_of(site, 2, second);
    assert_string_not_equal(second, "");
    expect_phase(site, 2, "deployment-created", "");
    fixture_wait(site, 30 * DAY_US); /* once is enough */
    deployment_of(site, 2, first);
    assert_string_equal(first, second);
    assert_int_equal(n_alerts(site, NULL), 0);
}

static void what_a_phase_says_becomes_the_terms_of_its_deployment(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();
    OWN(json_freep) json_t *shown = NULL;
    const json_t *due;
    char first[SITE_ID_MAX];

    assert_int_equal(
        create(site,
               "{'name': 'Roll out', 'phases': [{'name': 'Pilot', 'collection': 'Few', "
               "'priority': 'high', 'deadline_days': 7, 'content_option': 'download-all-first', "
               "'is_run_outside_windows': true}, "
               "{'name': 'Rest', 'collection': 'Many', 'purpose': 'available'}]}"),
        0);
    deployment_of(site, 1, first);
    assert_int_equal(deployment_get(site, first, &shown), 0);
    assert_string_equal(field_text(shown, "priority", ""), "high");
    assert_string_equal(field_text(shown, "purpose", ""), "required");
    assert_string_equal(field_text(shown, "content_option", ""), "download-all-first");
    assert_true(field_bool(shown, "is_run_outside_windows"));
    due = json_array_get(json_object_get(shown, "assignments"), 0);
    assert_string_equal(field_text(due, "start", ""), "2026-11-25T11:06:40Z");
}

static void a_phase_that_cannot_succeed_is_said_with_an_alert_and_gone_on_from_by_hand(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();

    assert_int_equal(create(site, TWO), 0);
    run(site, FIXTURE_MAC, "failed");
    fixture_wait(site, FIXTURE_MINUTE_US);
    expect_phase(site, 1, "failed", "");
    expect_phase(site,
                 2,
                 "stalled",
                 "The phase \"Pilot\" cannot succeed on 95 per cent of its devices as things are: "
                 "too many have failed. Go on by hand, or put that right.");
    assert_int_equal(n_alerts(site, "active"), 1);
    fixture_wait(site, 30 * DAY_US);
    expect_phase(site, 1, "failed", "");
    assert_int_equal(n_alerts(site, "active"), 1);
    assert_int_equal(next(site, "{'phase': 'Rest'}"), 0);
    expect_phase(site, 2, "deployment-created", "");
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_int_equal(n_alerts(site, "active"), 0);
    assert_int_equal(next(site, "{'phase': 'Rest'}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_PHASED);
}

/* The text of the only alert of this kind that is not over; owned by the caller. */
static char *text_of_alert(struct site *site)
{
    const struct page page = {.after = "", .limit = 100, .is_log = true};
    OWN(json_freep) json_t *alerts = NULL;
    char *found = NULL;
    size_t i;
    json_t *alert;

    assert_int_equal(alert_list(site, NULL, &page, &alerts), 0);
    json_array_foreach(json_object_get(alerts, "items"), i, alert)
    {
        if (json_is_true(json_object_get(alert, "is_over")) ||
            strcmp(field_text(alert, "kind", ""), "phased-deployment") != 0)
            continue;
        assert_null(found);
        found = strdup(field_text(alert, "text", ""));
    }
    assert_non_null(found);
    return found;
}

static void the_alert_is_about_the_phase_that_waits_now(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();
    OWN(freep) char *first = NULL;
    OWN(freep) char *second = NULL;
    OWN(freep) char *third = NULL;
    OWN(json_freep) json_t *more = fixture_json("{'name': 'More'}");
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *cancelled = NULL;
    char id[SITE_ID_MAX];

    assert_int_equal(collection_create(site, "test", more, &made), 0);
    assert_int_equal(
        create(site,
               "{'name': 'Roll out', 'phases': [{'name': 'Pilot', 'collection': 'Few'}, {'name': "
               "'Rest', 'collection': 'Many'}, {'name': 'Last', 'collection': 'More'}]}"),
        0);
    run(site, FIXTURE_MAC, "failed");
    fixture_wait(site, FIXTURE_MINUTE_US);
    first = text_of_alert(site);
    assert_non_null(strstr(first, "The phase \"Rest\""));
    assert_non_null(strstr(first, "too many have failed"));
    /* the reason of the same phase changes */
    deployment_of(site, 1, id);
    assert_int_equal(deployment_cancel(site, "test", id, &cancelled), 0);
    fixture_wait(site, FIXTURE_MINUTE_US);
    second = text_of_alert(site);
    assert_non_null(strstr(second, "The phase \"Rest\""));
    assert_non_null(strstr(second, "was cancelled or deleted"));
    /* it is begun by hand, fails, and the next one waits before the alerts are looked at again */
    assert_int_equal(next(site, "{'phase': 'Rest'}"), 0);
    run(site, MAC_2, "failed");
    fixture_wait(site, FIXTURE_MINUTE_US);
    third = text_of_alert(site);
    assert_non_null(strstr(third, "The phase \"Last\""));
}

static void a_cancelled_pilot_is_no_success_although_all_that_ran_it_succeeded(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();
    OWN(json_freep) json_t *cancelled = NULL;
    char first[SITE_ID_MAX];

    assert_int_equal(create(site, TWO), 0);
    deployment_of(site, 1, first);
    run(site, FIXTURE_MAC, "succeeded");
    assert_int_equal(deployment_cancel(site, "test", first, &cancelled), 0);
    fixture_wait(site, 2 * DAY_US);
    expect_phase(site,
                 2,
                 "stalled",
                 "The phase \"Pilot\" cannot succeed on 95 per cent of its devices as things are: "
                 "its deployment was cancelled or deleted. Go on by hand, or put that right.");
}

static void set_disabled(struct site *site, const char *sequence, bool is_disabled)
{
    OWN(json_freep) json_t *body = json_pack("{s:b}", "is_disabled", (int)is_disabled);
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(task_sequence_set(site, "test", sequence, body, &answer), 0);
}

static void a_pilot_whose_task_sequence_is_disabled_is_said_and_waited_for_again(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();

    assert_int_equal(create(site, TWO), 0);
    set_disabled(site, FIXTURE_SEQUENCE, true);
    fixture_wait(site, FIXTURE_MINUTE_US);
    expect_phase(site,
                 2,
                 "stalled",
                 "The phase \"Pilot\" cannot succeed on 95 per cent of its devices as things are: "
                 "its deployment or its task sequence is disabled, or it has expired. Go on by "
                 "hand, or put that right.");
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_int_equal(n_alerts(site, "active"), 1);
    set_disabled(site, FIXTURE_SEQUENCE, false);
    fixture_wait(site, FIXTURE_MINUTE_US);
    expect_phase(site,
                 2,
                 "waiting",
                 "The phase \"Pilot\" must have succeeded on 95 per cent of its devices.");
}

static void an_expired_pilot_that_nobody_runs_is_said(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();
    OWN(json_freep) json_t *terms = fixture_json("{'expires': '2026-11-19T00:00Z'}");
    OWN(json_freep) json_t *changed = NULL;
    char first[SITE_ID_MAX];

    assert_int_equal(create(site, TWO), 0);
    deployment_of(site, 1, first);
    assert_int_equal(deployment_change(site, "test", first, terms, &changed), 0);
    fixture_wait(site, FIXTURE_MINUTE_US);
    expect_phase(site,
                 2,
                 "waiting",
                 "The phase \"Pilot\" must have succeeded on 95 per cent of its devices.");
    fixture_wait(site, DAY_US);
    expect_phase(site,
                 2,
                 "stalled",
                 "The phase \"Pilot\" cannot succeed on 95 per cent of its devices as things are: "
                 "its deployment or its task sequence is disabled, or it has expired. Go on by "
                 "hand, or put that right.");
}

static void a_suspended_one_begins_nothing_until_it_is_resumed(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();

    assert_int_equal(create(site, TWO), 0);
    suspend(site, true);
    run(site, FIXTURE_MAC, "succeeded");
    fixture_wait(site, 2 * DAY_US);
    expect_phase(site,
                 2,
                 "suspended",
                 "The phase \"Pilot\" must have succeeded on 95 per cent of its devices.");
    assert_int_equal(next(site, "{'phase': 'Rest'}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_PHASED);
    suspend(site, false);
    fixture_wait(site, FIXTURE_MINUTE_US);
    expect_phase(site, 2, "deferred", "The phase \"Pilot\" has succeeded; the days after it run.");
    fixture_wait(site, DAY_US);
    expect_phase(site, 2, "deployment-created", "");
}

static void one_that_is_begun_by_hand_waits_for_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();

    assert_int_equal(
        create(site,
               "{'name': 'Roll out', 'phases': [{'name': 'Pilot', 'collection': 'Few'}, {'name': "
               "'Rest', 'collection': 'Many', 'begins': 'by-hand', 'begin_after_devices': 1}]}"),
        0);
    run(site, FIXTURE_MAC, "succeeded");
    fixture_wait(site, 30 * DAY_US);
    expect_phase(site,
                 2,
                 "by-hand",
                 "The phase \"Pilot\" has succeeded; an administrator begins the next one.");
    assert_int_equal(next(site, "{'phase': 'Rest'}"), 0);
    expect_phase(site, 2, "deployment-created", "");
}

/* The site's clock or somebody else may have begun it in between. */
static void no_other_phase_begins_than_was_meant(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();

    assert_int_equal(
        create(site,
               "{'name': 'Roll out', 'phases': [{'name': 'Pilot', 'collection': 'Few'}, {'name': "
               "'Rest', 'collection': 'Many'}, {'name': 'Last', 'collection': 'All Systems'}]}"),
        0);
    assert_int_equal(next(site, "{}"), SITE_E_REFUSED);
    assert_int_equal(next(site, "{'phase': 'Last'}"), SITE_E_REFUSED);
    assert_int_equal(next(site, "{'phase': 'Rest'}"), 0);
    assert_int_equal(next(site, "{'phase': 'Rest'}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_PHASED);
    assert_non_null(strstr(site->refusal.detail, "\"Last\", not \"Rest\""));
    expect_phase(site, 2, "deployment-created", "");
    expect_phase(site,
                 3,
                 "waiting",
                 "The phase \"Rest\" must have succeeded on 95 per cent of its devices.");
    assert_int_equal(next(site, "{'phase': 'Last'}"), 0);
}

static void a_phase_is_named_by_its_number_too(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();

    assert_int_equal(
        create(site,
               "{'name': 'Roll out', 'phases': [{'name': '3', 'collection': 'Few'}, {'name': "
               "'Rest', 'collection': 'Many'}, {'name': '2', 'collection': 'All Systems'}]}"),
        0);
    /* one is called so, and is not the next one */
    assert_int_equal(next(site, "{'phase': '2'}"), SITE_E_REFUSED);
    assert_int_equal(next(site, "{'phase': '1'}"), SITE_E_REFUSED);
    assert_int_equal(next(site, "{'phase': 'Rest'}"), 0);
    assert_int_equal(next(site, "{'phase': '3'}"), SITE_E_REFUSED);
    assert_int_equal(next(site, "{'phase': '2'}"), 0);
}

static void the_next_one_can_be_named_by_its_number_alone(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();

    assert_int_equal(create(site, TWO), 0);
    assert_int_equal(next(site, "{'phase': '02x'}"), SITE_E_REFUSED);
    assert_int_equal(next(site, "{'phase': '2'}"), 0);
    expect_phase(site, 2, "deployment-created", "");
}

/* It has failed nowhere. */
static void a_phase_with_fewer_devices_than_are_to_succeed_has_not_failed(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();

    assert_int_equal(
        create(site,
               "{'name': 'Roll out', 'phases': [{'name': 'Pilot', 'collection': 'Few'}, {'name': "
               "'Rest', 'collection': 'Many', 'begin_after_devices': 99}]}"),
        0);
    expect_phase(site, 1, "deployment-created", "");
    expect_phase(site,
                 2,
                 "stalled",
                 "The phase \"Pilot\" cannot succeed on 99 of its devices as things are: it has 1. "
                 "Go on by hand, or put that right.");
    run(site, FIXTURE_MAC, "failed");
    expect_phase(site, 1, "deployment-created", "");
}

static void what_wipes_many_is_confirmed_with_the_sum_of_all_phases(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();
    static const char many[] =
        "{'name': 'Roll out', %s 'phases': [{'name': 'Pilot', 'collection': 'Few'}, "
        "{'name': 'Rest', 'collection': 'Many', 'defer_days': 0}]}";
    char text[sizeof(many) + 64];

    site->settings.deployment_usual_size = 1;
    add_member(site, "Many", "A");
    (void)snprintf(text, sizeof(text), many, "");
    assert_int_equal(create(site, text), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_CONFIRM);
    assert_non_null(strstr(site->refusal.detail, "3 device(s)"));
    (void)snprintf(text, sizeof(text), many, "'confirm_devices': 2,");
    assert_int_equal(create(site, text), SITE_E_REFUSED);
    (void)snprintf(text, sizeof(text), many, "'confirm_devices': 3,");
    assert_int_equal(create(site, text), 0);
    run(site, FIXTURE_MAC, "succeeded");
    fixture_wait(site, FIXTURE_MINUTE_US);
    expect_phase(site, 2, "deployment-created", "");
}

/* As for a deployment: "slipway apply --confirm" is for all documents of a file. */
static void a_number_that_nothing_asks_for_is_no_mistake(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();

    assert_int_equal(
        create(site,
               "{'name': 'Roll out', 'confirm_devices': 7, 'phases': [{'name': 'P', 'collection': "
               "'Few', 'purpose': 'available'}, {'name': 'Q', 'collection': 'Many', 'purpose': "
               "'available'}]}"),
        0);
}

static void a_collection_that_has_grown_over_what_was_confirmed_waits_with_an_alert(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();

    assert_int_equal(create(site, TWO), 0);
    site->settings.deployment_usual_size = 1;
    add_member(site, "Many", "A");
    run(site, FIXTURE_MAC, "succeeded");
    fixture_wait(site, FIXTURE_MINUTE_US);
    fixture_wait(site, DAY_US);
    expect_phase(
        site,
        2,
        "blocked",
        "This wipes the disks of the 2 device(s) in the collection \"Many\" without asking "
        "anybody; to go on, confirm it with that number (confirm_devices). (SLW-0192)");
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_int_equal(n_alerts(site, "active"), 1);
    assert_int_equal(next(site, "{'phase': 'Rest'}"), SITE_E_REFUSED);
    assert_int_equal(next(site, "{'phase': 'Rest', 'confirm_devices': 3}"), SITE_E_REFUSED);
    assert_int_equal(next(site, "{'phase': 'Rest', 'confirm_devices': 2}"), 0);
    expect_phase(site, 2, "deployment-created", "");
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_int_equal(n_alerts(site, "active"), 0);
}

static void what_is_refused_is_tried_again_and_begins_when_it_may(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();
    OWN(json_freep) json_t *protect = fixture_json("{'is_protected': true}");
    OWN(json_freep) json_t *open = fixture_json("{'is_protected': false}");
    OWN(json_freep) json_t *device = NULL;
    OWN(json_freep) json_t *again = NULL;
    OWN(json_freep) json_t *blocked = NULL;

    assert_int_equal(create(site, TWO), 0);
    assert_int_equal(device_change(site, "test", "B", protect, &device), 0);
    run(site, FIXTURE_MAC, "succeeded");
    fixture_wait(site, FIXTURE_MINUTE_US);
    fixture_wait(site, DAY_US);
    blocked = phase(site, 2);
    assert_string_equal(field_text(blocked, "state", ""), "blocked");
    assert_non_null(strstr(field_text(blocked, "reason", ""), "(SLW-0196)"));
    assert_int_equal(device_change(site, "test", "B", open, &again), 0);
    fixture_wait(site, PHASED_RETRY_US);
    expect_phase(site, 2, "deployment-created", "");
}

static void deleting_it_leaves_what_has_begun_and_begins_nothing_more(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();
    OWN(json_freep) json_t *shown = NULL;
    OWN(json_freep) json_t *gone = NULL;
    OWN(json_freep) json_t *all = NULL;
    const struct page page = {.after = "", .limit = 100};
    char first[SITE_ID_MAX];

    assert_int_equal(create(site, TWO), 0);
    deployment_of(site, 1, first);
    assert_int_equal(collection_delete(site, "test", "Many"), SITE_E_REFUSED);
    assert_int_equal(task_sequence_delete(site, "test", FIXTURE_SEQUENCE), SITE_E_REFUSED);
    assert_int_equal(phased_deployment_delete(site, "test", "Roll out"), 0);
    assert_int_equal(phased_deployment_get(site, "Roll out", &gone), SITE_E_REFUSED);
    run(site, FIXTURE_MAC, "succeeded");
    fixture_wait(site, 2 * DAY_US);
    assert_int_equal(deployment_get(site, first, &shown), 0);
    assert_int_equal(deployment_list(site, &page, &all), 0);
    assert_int_equal(json_array_size(json_object_get(all, "items")), 1);
    assert_int_equal(collection_delete(site, "test", "Many"), 0);
    assert_int_equal(create(site,
                            "{'name': 'Roll out', 'phases': [{'name': 'A', 'collection': 'Few'}, "
                            "{'name': 'B', 'collection': 'All Systems'}]}"),
                     0); /* the name is free again */
}

static void requests_that_cannot_be_make_nothing(void **state)
{
    static const char *const texts[] = {
        "{'name': 'Roll out'}",
        "{'name': 'Roll out', 'phases': []}",
        "{'name': 'Roll out', 'phases': [{'name': 'P', 'collection': 'Few'}]}",
        "{'name': 'Roll out', 'phases': [{'name': 'P', 'collection': 'Few'}, 7]}",
        "{'name': 'Roll out', 'phases': [{'name': 'P', 'collection': 'Few'}, {'name': 'P', "
        "'collection': 'Many'}]}",
        "{'name': 'Roll out', 'phases': [{'name': 'P', 'collection': 'Few'}, {'name': 'Q', "
        "'collection': 'Few'}]}",
        "{'name': 'Roll out', 'phases': [{'name': 'P', 'collection': 'Few'}, {'name': 'Q', "
        "'collection': 'None'}]}",
        "{'name': 'Roll out', 'phases': [{'name': 'P', 'collection': 'Few'}, {'name': 'Q', "
        "'collection': 'Many', 'begin_after_percent': 101}]}",
        "{'name': 'Roll out', 'phases': [{'name': 'P', 'collection': 'Few'}, {'name': 'Q', "
        "'collection': 'Many', 'expires': '2030-01-01'}]}",
        "{'name': 'Roll out', 'phases': [{'name': 'P', 'collection': 'Few'}, {'name': 'Q', "
        "'collection': 'Many', 'purpose': 'available', 'deadline_days': 7}]}",
        "{'name': 'Roll out', 'phases': [{'name': 'P', 'collection': 'Few'}, {'name': 'Q', "
        "'collection': 'Many', 'purpose': 'available', 'is_wake_on_lan': true}]}",
        "{'name': 'Roll out', 'phases': [{'name': 'P', 'collection': 'Few'}, {'name': 'Q', "
        "'collection': 'Many', 'begin_after_percent': 50, 'begin_after_devices': 1}]}",
        "{'name': 'Roll out', 'task_sequence_id': 'None', 'phases': [{'name': 'P', 'collection': "
        "'Few'}, {'name': 'Q', 'collection': 'Many'}]}",
    };
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();
    OWN(json_freep) json_t *all = NULL;
    const struct page page = {.after = "", .limit = 100};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(create(site, texts[i]), SITE_E_REFUSED);
    assert_int_equal(deployment_list(site, &page, &all), 0);
    assert_int_equal(json_array_size(json_object_get(all, "items")), 0);
    assert_int_equal(create(site, TWO), 0);
    assert_int_equal(create(site, TWO), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_EXISTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_phase_begins_at_once_and_the_next_a_day_after_it_has_succeeded),
        cmocka_unit_test(what_a_phase_says_becomes_the_terms_of_its_deployment),
        cmocka_unit_test(
            a_phase_that_cannot_succeed_is_said_with_an_alert_and_gone_on_from_by_hand),
        cmocka_unit_test(the_alert_is_about_the_phase_that_waits_now),
        cmocka_unit_test(a_cancelled_pilot_is_no_success_although_all_that_ran_it_succeeded),
        cmocka_unit_test(a_pilot_whose_task_sequence_is_disabled_is_said_and_waited_for_again),
        cmocka_unit_test(an_expired_pilot_that_nobody_runs_is_said),
        cmocka_unit_test(a_suspended_one_begins_nothing_until_it_is_resumed),
        cmocka_unit_test(one_that_is_begun_by_hand_waits_for_it),
        cmocka_unit_test(no_other_phase_begins_than_was_meant),
        cmocka_unit_test(a_phase_is_named_by_its_number_too),
        cmocka_unit_test(the_next_one_can_be_named_by_its_number_alone),
        cmocka_unit_test(a_phase_with_fewer_devices_than_are_to_succeed_has_not_failed),
        cmocka_unit_test(what_wipes_many_is_confirmed_with_the_sum_of_all_phases),
        cmocka_unit_test(a_number_that_nothing_asks_for_is_no_mistake),
        cmocka_unit_test(a_collection_that_has_grown_over_what_was_confirmed_waits_with_an_alert),
        cmocka_unit_test(what_is_refused_is_tried_again_and_begins_when_it_may),
        cmocka_unit_test(deleting_it_leaves_what_has_begun_and_begins_nothing_more),
        cmocka_unit_test(requests_that_cannot_be_make_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
