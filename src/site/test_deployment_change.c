/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/deployment_change.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/access.h"
#include "site/collection.h"
#include "site/deployment.h"
#include "site/device_change.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/order.h"
#include "site/task_sequence.h"

#define UNKNOWN "All Unknown Computers"

static void change(struct site *site, const char *id, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *deployment = NULL;

    assert_int_equal(deployment_change(site, "test", id, body, &deployment), 0);
}

static void assert_reason(struct site *site, const char *reason)
{
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).reason, reason);
}

static int create(struct site *site, const char *collection, const char *more)
{
    OWN(json_freep) json_t *body = fixture_json(more);
    OWN(json_freep) json_t *deployment = NULL;

    (void)json_object_set_new(body, "task_sequence_id", json_string(FIXTURE_SEQUENCE));
    (void)json_object_set_new(body, "collection", json_string(collection));
    return deployment_create(site, "test", body, &deployment);
}

static void terms_are_kept_shown_and_gone_by(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *shown = NULL;
    char id[SITE_ID_MAX];

    fixture_deploy(site, UNKNOWN, "required", id);
    assert_reason(site, "unknown-computer-deployment");
    change(site, id, "{'is_disabled': true, 'comment': 'after the holidays'}");
    assert_reason(site, "disabled");
    change(site, id, "{'is_disabled': false, 'available_from': '2099-01-01T00:00Z'}");
    assert_reason(site, "not-yet-available");
    change(site, id, "{'available_from': '', 'expires': '2020-01-01'}");
    assert_reason(site, "expired");
    change(site, id, "{'expires': '', 'make_available_to': 'clients'}");
    assert_reason(site, "clients-only");
    assert_int_equal(deployment_get(site, id, &shown), 0);
    assert_string_equal(json_string_value(json_object_get(shown, "comment")), "after the holidays");
    assert_string_equal(json_string_value(json_array_get(json_object_get(shown, "assignments"), 0)),
                        "as-soon-as-possible");
    assert_string_equal(json_string_value(json_object_get(shown, "make_available_to")), "clients");
}

static bool is_progress_shown(struct site *site, const char *id)
{
    OWN(json_freep) json_t *shown = NULL;

    assert_int_equal(deployment_get(site, id, &shown), 0);
    assert_true(json_is_boolean(json_object_get(shown, "is_progress_shown")));
    return field_bool(shown, "is_progress_shown");
}

/* As the device is told. */
static bool is_progress_ordered(struct site *site, const char *device)
{
    static const struct order_client client;
    OWN(json_freep) json_t *order = NULL;

    assert_int_equal(order_get(site, device, &client, &order), 0);
    assert_non_null(order);
    return field_bool(order, "is_progress_shown");
}

static void progress_is_shown_until_somebody_says_otherwise(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char device[ACCESS_DEVICE_ID_MAX];
    char id[SITE_ID_MAX];

    fixture_deploy(site, UNKNOWN, "required", id);
    assert_true(is_progress_shown(site, id));
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_true(is_progress_ordered(site, device));
    change(site, id, "{'is_progress_shown': false}");
    change(site, id, "{'comment': 'of something else'}");
    assert_false(is_progress_shown(site, id));
    assert_false(is_progress_ordered(site, device));
}

static void terms_that_cannot_be_change_nothing(void **state)
{
    static const char *const texts[] = {
        "{'available_from': 'tomorrow'}",
        "{'expires': '2026-13-01'}",
        "{'assignments': ['soon']}",
        "{'assignments': [{'start': '2026-11-22', 'repeat': 'weekly'}]}",
        "{'assignments': [{'start': '2026-11-22', 'repeat': 'days', 'weekday': 'sun'}]}",
        "{'assignments': []}",
        "{'rerun': 'sometimes'}",
        "{'available_from': '2027-01-01', 'expires': '2027-01-01'}",
        "{'available_from': '2027-01-01', 'expires': '2026-12-01'}",
        "{'expires': '2027-01-01', 'assignments': [{'start': '2027-12-01'}]}",
        "{'expires': '2027-01-05', 'assignments': [{'start': '2027-01-01', 'repeat': 'monthly-by-date', 'day': 6}]}",
        "{'available_over_days': 31}",
        "{'available_from': '2027-01-01', 'expires': '2027-01-05', 'available_over_days': 4}",
        "{'is_neighbour_allowed': 'yes'}",
        "{'purpose': 'available'}",
        "{'unknown': 1}",
    };
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[SITE_ID_MAX];

    fixture_deploy(site, UNKNOWN, "required", id);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        OWN(json_freep) json_t *body = fixture_json(texts[i]);
        OWN(json_freep) json_t *deployment = NULL;

        assert_int_equal(deployment_change(site, "test", id, body, &deployment), SITE_E_REFUSED);
    }
    assert_reason(site, "unknown-computer-deployment");
    assert_int_equal(
        create(site, UNKNOWN, "{'purpose': 'available', 'assignments': ['as-soon-as-possible']}"),
        SITE_E_REFUSED);
}

static void a_deployment_that_runs_is_not_deleted(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *shown = NULL;
    char id[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];

    fixture_deploy(site, UNKNOWN, "required", id);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    (void)fixture_order(site, device, order);
    assert_int_equal(deployment_delete(site, "test", id), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_IN_USE);
    assert_int_equal(fixture_report(site, device, order, 1, "succeeded", "full-os"), 0);
    assert_int_equal(deployment_delete(site, "test", id), 0);
    assert_int_equal(deployment_get(site, id, &shown), SITE_E_REFUSED);
    assert_int_equal(deployment_delete(site, "test", id), SITE_E_REFUSED);
}

static void a_deleted_deployment_reaches_nobody(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[SITE_ID_MAX];

    fixture_deploy(site, UNKNOWN, "required", id);
    assert_int_equal(deployment_delete(site, "test", id), 0);
    assert_reason(site, "no-deployment");
}

static void what_was_cleared_may_begin_anew(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *cleared = NULL;
    OWN(json_freep) json_t *again = NULL;
    char id[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];

    fixture_deploy(site, UNKNOWN, "required", id);
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    (void)fixture_order(site, device, order);
    assert_int_equal(fixture_report(site, device, order, 1, "failed", "boot-image"), 0);
    assert_reason(site, "failed-already");
    assert_int_equal(deployment_clear_device(site, "test", FIXTURE_MAC, &cleared), 0);
    assert_int_equal(json_integer_value(json_object_get(cleared, "cleared")), 1);
    assert_reason(site, "unknown-computer-deployment");
    assert_int_equal(deployment_clear_collection(site, "test", UNKNOWN, &again), 0);
    assert_int_equal(json_integer_value(json_object_get(again, "cleared")), 0);
}

static void what_wipes_many_disks_is_confirmed_with_their_number(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    fixture_import(site, "PC-1", "52:54:00:77:01:01");
    fixture_import(site, "PC-2", "52:54:00:77:01:02");
    site->settings.deployment_usual_size = 1;
    assert_int_equal(create(site, "All Systems", "{'purpose': 'required'}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_CONFIRM);
    assert_non_null(strstr(site->refusal.detail, "2 device(s)"));
    assert_int_equal(create(site, "All Systems", "{'purpose': 'required', 'confirm_devices': 1}"),
                     SITE_E_REFUSED);
    assert_int_equal(create(site, "All Systems", "{'purpose': 'required', 'confirm_devices': 2}"),
                     0);
    assert_int_equal(create(site, "All Systems", "{'purpose': 'available'}"), 0);
    site->settings.deployment_max_size = 1;
    assert_int_equal(create(site, "All Systems", "{'purpose': 'required', 'confirm_devices': 2}"),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_HIGH_RISK);
}

#define RUN \
    "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"run\"><defaultVarList><variable " \
    "name=\"CommandLine\" property=\"CommandLine\">true</variable></defaultVarList></step>"
#define APPLY \
    "<step type=\"SMS_TaskSequence_ApplyOperatingSystemAction\" name=\"Apply\"><defaultVarList>" \
    "<variable name=\"ImagePackageID\" property=\"ImagePackageID\">" FIXTURE_OS_IMAGE \
    "</variable><variable name=\"ImageIndex\" property=\"ImageIndex\">1</variable>" \
    "</defaultVarList></step>"
#define NEST(id) \
    "<subtasksequence type=\"SMS_TaskSequence_SubTasksequence\" name=\"Child\"><defaultVarList><variable " \
    "name=\"OSDSubTasksequencePackageID\" property=\"TsPackageID\">" id \
    "</variable></defaultVarList></subtasksequence>"

/* @into: id of the one that gets it as a new version; NULL: a new one. @ret: its id, or NULL. */
static int
store_sequence(struct site *site, const char *name, const char *into, const char *steps, char *ret)
{
    OWN(json_freep)
    json_t *body = json_pack("{s:s,s:o}",
                             "boot_image_id",
                             FIXTURE_BOOT_IMAGE,
                             "xml",
                             json_sprintf("<sequence version=\"3.10\">%s</sequence>", steps));
    OWN(json_freep) json_t *made = NULL;
    int r;

    (void)json_object_set_new(body, into ? "into" : "name", json_string(into ? into : name));
    r = task_sequence_create(site, "alice", body, &made);
    if (r == 0 && ret)
        (void)snprintf(ret, SITE_ID_MAX, "%s", json_string_value(json_object_get(made, "id")));
    return r;
}

static int deploy_to_all(struct site *site, const char *sequence, char *ret)
{
    OWN(json_freep)
    json_t *body = json_pack("{s:s,s:s,s:s}",
                             "task_sequence_id",
                             sequence,
                             "collection",
                             "All Systems",
                             "purpose",
                             "required");
    OWN(json_freep) json_t *made = NULL;
    int r = deployment_create(site, "test", body, &made);

    if (r == 0)
        (void)snprintf(ret, SITE_ID_MAX, "%s", json_string_value(json_object_get(made, "id")));
    return r;
}

static void what_runs_a_sequence_that_wipes_is_confirmed_too(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char parent[SITE_ID_MAX];
    char id[SITE_ID_MAX];

    site->settings.deployment_usual_size = 100;
    fixture_import(site, "PC-1", "52:54:00:77:01:01");
    assert_int_equal(store_sequence(site, "Parent", NULL, NEST(FIXTURE_SEQUENCE), parent), 0);
    assert_int_equal(deploy_to_all(site, parent, id), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_CONFIRM);
}

static void a_deployed_sequence_does_not_begin_to_wipe_unasked(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *enable = fixture_json("{'is_disabled': false}");
    OWN(json_freep) json_t *answer = NULL;
    char child[SITE_ID_MAX];
    char parent[SITE_ID_MAX];
    char deployment[SITE_ID_MAX];

    site->settings.deployment_usual_size = 100;
    fixture_import(site, "PC-1", "52:54:00:77:01:01");
    assert_int_equal(store_sequence(site, "Child", NULL, RUN, child), 0);
    assert_string_equal(child, "SLP00004");
    assert_int_equal(store_sequence(site, "Parent", NULL, NEST("SLP00004"), parent), 0);
    assert_int_equal(deploy_to_all(site, parent, deployment), 0);
    assert_int_equal(store_sequence(site, NULL, child, APPLY, NULL), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_WOULD_WIPE);
    assert_int_equal(store_sequence(site, NULL, child, RUN RUN, NULL), 0);
    change(site, deployment, "{'is_disabled': true}");
    assert_int_equal(store_sequence(site, NULL, child, APPLY, NULL), 0);
    assert_int_equal(deployment_change(site, "test", deployment, enable, &answer), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_CONFIRM);
    change(site, deployment, "{'is_disabled': false, 'confirm_devices': 1}");
    assert_int_equal(store_sequence(site, NULL, child, APPLY RUN, NULL), 0);
}

static void a_deployed_sequence_does_not_begin_to_wipe_a_protected_device(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *protect = fixture_json("{'is_protected': true}");
    OWN(json_freep) json_t *answer = NULL;
    char sequence[SITE_ID_MAX];
    char deployment[SITE_ID_MAX];

    site->settings.deployment_usual_size = 100;
    fixture_import(site, "FILES", "52:54:00:77:01:01");
    assert_int_equal(device_change(site, "test", "FILES", protect, &answer), 0);
    assert_int_equal(store_sequence(site, "Inventory", NULL, RUN, sequence), 0);
    assert_int_equal(deploy_to_all(site, sequence, deployment), 0);
    assert_int_equal(store_sequence(site, NULL, sequence, APPLY, NULL), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_PROTECTED);
    assert_non_null(strstr(site->refusal.detail, "FILES"));
}

static void members_that_are_being_found_are_not_counted(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *lab = fixture_json("{'name': 'Lab'}");
    OWN(json_freep) json_t *part = fixture_json("{'name': 'Part', 'limiting': 'Lab'}");
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *other = NULL;

    site->settings.deployment_usual_size = 100;
    assert_int_equal(collection_create(site, "test", lab, &made), 0);
    assert_int_equal(collection_create(site, "test", part, &other), 0);
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_int_equal(create(site, "Part", "{'purpose': 'required'}"), 0);
    assert_int_equal(db_must(site->db,
                             SQL_MEMBERSHIP_BEGIN,
                             DB_ARGS(db_text(json_string_value(json_object_get(made, "id"))))),
                     0);
    assert_int_equal(create(site, "Part", "{'purpose': 'required'}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_COUNTING);
    assert_int_equal(create(site, "Part", "{'purpose': 'available'}"), 0);
}

static void all_systems_is_never_usual(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    site->settings.deployment_usual_size = 100;
    assert_int_equal(create(site, "All Systems", "{'purpose': 'required'}"), SITE_E_REFUSED);
    assert_int_equal(create(site, UNKNOWN, "{'purpose': 'required'}"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_are_kept_shown_and_gone_by),
        cmocka_unit_test(progress_is_shown_until_somebody_says_otherwise),
        cmocka_unit_test(terms_that_cannot_be_change_nothing),
        cmocka_unit_test(a_deployment_that_runs_is_not_deleted),
        cmocka_unit_test(a_deleted_deployment_reaches_nobody),
        cmocka_unit_test(what_was_cleared_may_begin_anew),
        cmocka_unit_test(what_wipes_many_disks_is_confirmed_with_their_number),
        cmocka_unit_test(what_runs_a_sequence_that_wipes_is_confirmed_too),
        cmocka_unit_test(a_deployed_sequence_does_not_begin_to_wipe_unasked),
        cmocka_unit_test(a_deployed_sequence_does_not_begin_to_wipe_a_protected_device),
        cmocka_unit_test(members_that_are_being_found_are_not_counted),
        cmocka_unit_test(all_systems_is_never_usual),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
