/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/alert.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>

#include <cmocka.h>

#include "base/own.h"
#include "db/db.h"
#include "site/access.h"
#include "site/deployment_change.h"
#include "site/device_change.h"
#include "site/fields.h"
#include "site/fixture.h"

#define HOUR_US (60 * FIXTURE_MINUTE_US)

static json_t *list(struct site *site, const char *state)
{
    const struct page page = {.after = "", .limit = 100, .is_log = true};
    OWN(json_freep) json_t *found = NULL;

    assert_int_equal(alert_list(site, state, &page, &found), 0);
    return json_incref(json_object_get(found, "items"));
}

/* The only one. */
static void expect_one(struct site *site, const char *kind, const char *state, const char *text)
{
    OWN(json_freep) json_t *items = list(site, NULL);
    const json_t *alert = json_array_get(items, 0);

    assert_int_equal(json_array_size(items), 1);
    assert_string_equal(field_text(alert, "kind", ""), kind);
    assert_string_equal(field_text(alert, "state", ""), state);
    assert_string_equal(field_text(alert, "text", ""), text);
}

static int change(struct site *site, const char *state)
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "state", state);
    OWN(json_freep) json_t *answer = NULL;

    return alert_change(site, "ada", "1", body, &answer);
}

static void few_successes_are_an_alert_after_the_time_until_there_are_more(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep)
    json_t *terms = fixture_json("{'alert_success_percent': 100, 'alert_after_s': 3600}");
    OWN(json_freep) json_t *changed = NULL;
    OWN(json_freep) json_t *none = NULL;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
    static const char text[] =
        "Of the deployment SLP20001 of \"Deploy Debian\" to \"All Systems\" 0 of 1 devices have "
        "succeeded, and at least 100 per cent should have by now.";

    fixture_import(site, "A", FIXTURE_MAC);
    fixture_deploy(site, "All Systems", "required", deployment);
    assert_int_equal(deployment_change(site, "test", deployment, terms, &changed), 0);
    fixture_wait(site, HOUR_US - 1);
    none = list(site, NULL);
    assert_int_equal(json_array_size(none), 0);
    fixture_wait(site, ALERT_EVERY_US);
    expect_one(site, "deployment-success", "active", text);
    fixture_wait(site, ALERT_EVERY_US); /* not once more */
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    (void)fixture_order(site, device, order);
    assert_int_equal(fixture_report(site, device, order, 1, "succeeded", "full-os"), 0);
    fixture_wait(site, ALERT_EVERY_US);
    expect_one(site, "deployment-success", "closed", text);
}

static void who_has_seen_an_alert_or_closed_it_is_kept(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *closed = NULL;
    OWN(json_freep) json_t *again = NULL;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
    static const char text[] =
        "The deployment SLP20001 of \"Deploy Debian\" to \"All Unknown Computers\" has failed on 1 "
        "devices.";

    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    (void)fixture_order(site, device, order);
    assert_int_equal(fixture_report(site, device, order, 1, "failed", "boot-image"), 0);
    fixture_wait(site, ALERT_EVERY_US);
    expect_one(site, "deployment-failed", "active", text);
    assert_int_equal(change(site, "acknowledged"), 0);
    expect_one(site, "deployment-failed", "acknowledged", text);
    assert_int_equal(change(site, "closed"), 0);
    assert_int_equal(change(site, "acknowledged"), SITE_E_REFUSED);
    fixture_wait(site, ALERT_EVERY_US); /* it goes on, and is not raised again */
    closed = list(site, "closed");
    assert_int_equal(json_array_size(closed), 1);
    assert_string_equal(field_text(json_array_get(closed, 0), "changed_by", ""), "ada");
    assert_false(field_bool(json_array_get(closed, 0), "is_over"));
    assert_int_equal(device_delete(site, "test", device), 0);
    fixture_wait(site, ALERT_EVERY_US);
    again = list(site, NULL);
    assert_true(field_bool(json_array_get(again, 0), "is_over"));
    fixture_wait(site, (uint64_t)(ALERT_KEPT_DAYS + 1) * 24 * HOUR_US);
    json_decref(again);
    again = list(site, NULL);
    assert_int_equal(json_array_size(again), 0);
}

static void lost_contact_is_an_alert(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *items = NULL;
    char deployment[SITE_ID_MAX];

    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, NULL), 0);
    fixture_wait(site, HOUR_US);
    items = list(site, "active");
    assert_int_equal(json_array_size(items), 2); /* it has failed, too */
    assert_string_equal(field_text(json_array_get(items, 1), "kind", ""), "lost-contact");
    assert_string_equal(field_text(json_array_get(items, 1), "text", ""),
                        "Contact was lost with 1 devices that ran the deployment SLP20001.");
}

static void content_that_did_not_arrive_is_an_alert_until_it_has(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    assert_int_equal(db_must(site->db,
                             SQL_DISTRIBUTION_FAILED,
                             DB_ARGS(db_text("DP00001"),
                                     db_text(FIXTURE_OS_IMAGE),
                                     db_text("replicate"),
                                     db_text("SLW-0159"),
                                     db_text("It is damaged."),
                                     db_u64(site->now_us),
                                     db_u64(site->now_us))),
                     0);
    fixture_wait(site, ALERT_EVERY_US);
    expect_one(
        site,
        "content-failed",
        "active",
        "\"Debian\" (SLP00002) could not be brought to the distribution point DP00001: It is "
        "damaged.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_successes_are_an_alert_after_the_time_until_there_are_more),
        cmocka_unit_test(who_has_seen_an_alert_or_closed_it_is_kept),
        cmocka_unit_test(lost_contact_is_an_alert),
        cmocka_unit_test(content_that_did_not_arrive_is_an_alert_until_it_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
