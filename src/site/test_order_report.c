/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/order.h"
#include "site/order_end.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "db/db.h"
#include "site/access.h"
#include "site/deployment.h"
#include "site/deployment_change.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/status_message.h"

static void the_site_keeps_the_latest_progress_and_every_step(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *messages = NULL;
    const struct page page = {.after = "", .limit = ROWS_LIMIT_MAX, .is_log = true};
    const json_t *items;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];

    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    (void)fixture_order(site, device, order);
    assert_int_equal(fixture_report(site, device, order, 1, "step-started", "boot-image"), 0);
    for (unsigned i = 0; i < ORDER_PROGRESS_MESSAGES_MAX + 10; i++)
        assert_int_equal(fixture_report(site, device, order, 2 + i, "step-progress", "boot-image"),
                         0);
    assert_int_equal(
        status_message_list(
            site, &(struct status_message_query){.deployment = deployment}, &page, &messages),
        0);
    items = json_object_get(messages, "items");
    assert_int_equal(json_array_size(items), ORDER_PROGRESS_MESSAGES_MAX + 1);
    assert_string_equal(field_text(json_array_get(items, 0), "state", ""), "step-started");
}

static void a_return_code_below_zero_is_kept(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *messages = NULL;
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep)
    json_t *body = fixture_json(
        "{'seq': 1, 'state': 'step-failed', 'environment': 'boot-image', 'step': 1, 'n_steps': 3,"
        "'step_name': 'x', 'error_id': 'SLW-0432', 'message': 'x', 'exit_code': -2147024894}");
    const struct page page = {.after = "", .limit = ROWS_LIMIT_MAX, .is_log = true};
    const json_t *message;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];

    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    (void)fixture_order(site, device, order);
    assert_int_equal(order_report(site, device, order, body, &answer), 0);
    assert_int_equal(
        status_message_list(
            site, &(struct status_message_query){.deployment = deployment}, &page, &messages),
        0);
    message = json_array_get(json_object_get(messages, "items"), 0);
    assert_int_equal(json_integer_value(json_object_get(message, "exit_code")), -2147024894);
}

static int report_traffic(
    struct site *site, const char *device, const char *order, unsigned seq, unsigned downloaded)
{
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep)
    json_t *body = json_pack("{s:i,s:s,s:s,s:i,s:I}",
                             "seq",
                             (int)seq,
                             "state",
                             "step-progress",
                             "environment",
                             "boot-image",
                             "downloaded_bytes",
                             (int)downloaded,
                             "reused_bytes",
                             (json_int_t)5000000000);

    return order_report(site, device, order, body, &answer);
}

static void what_came_over_the_network_and_from_the_old_disk_is_told_of_each_device(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *shown = NULL;
    const json_t *row;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];

    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    (void)fixture_order(site, device, order);
    assert_int_equal(report_traffic(site, device, order, 1, 12), 0);
    assert_int_equal(report_traffic(site, device, order, 2, 3),
                     0); /* after a power cut it knows less */
    assert_int_equal(fixture_report(site, device, order, 3, "step-succeeded", "boot-image"), 0);
    assert_int_equal(deployment_get(site, deployment, &shown), 0);
    row = json_array_get(json_object_get(shown, "devices"), 0);
    assert_int_equal(field_number(row, "downloaded_bytes", 0), 12);
    assert_int_equal(field_number(row, "reused_bytes", 0), UINT64_C(5000000000));
}

/* Another site server was quicker. */
static void an_order_that_has_ended_does_not_end_again(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
    OWN(db_rows_fini) struct db_rows rows = {0};
    unsigned n_ends = 0;

    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    (void)fixture_order(site, device, order);
    assert_int_equal(order_end_failed(site, order, device, "SLW-0401", "first"), 0);
    assert_int_equal(order_end_succeeded(site, order, device), 0);
    assert_int_equal(order_end_cancelled(site, order, device, "too late"), 0);
    assert_int_equal(
        db_select(
            site->db, SQL_AUDIT_RECORD_LIST, DB_ARGS(db_u64(0), db_u64(1000), db_text("")), &rows),
        0);
    while (db_next(&rows) == DB_ROW)
        n_ends += strcmp(db_get_text(&rows, 5), "order.failed") == 0 ||
                  strcmp(db_get_text(&rows, 5), "order.succeeded") == 0 ||
                  strcmp(db_get_text(&rows, 5), "order.cancelled") == 0;
    assert_int_equal(n_ends, 1);
}

static void contact_is_lost_after_the_time_that_the_deployment_allows(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *terms = fixture_json("{'lost_contact_s': 90}");
    OWN(json_freep) json_t *changed = NULL;
    OWN(json_freep) json_t *going = NULL;
    OWN(json_freep) json_t *lost = NULL;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];

    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    assert_int_equal(deployment_change(site, "test", deployment, terms, &changed), 0);
    assert_int_equal(field_number(changed, "lost_contact_s", 0), 90);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    (void)fixture_order(site, device, order);
    assert_int_equal(fixture_report(site, device, order, 1, "step-started", "boot-image"), 0);
    fixture_wait(site, UINT64_C(89) * 1000000);
    going = fixture_progress(site, deployment);
    assert_string_equal(field_text(going, "state", ""), "in-progress");
    fixture_wait(site, UINT64_C(1) * 1000000);
    lost = fixture_progress(site, deployment);
    assert_string_equal(field_text(lost, "state", ""), "failed");
    assert_string_equal(field_text(lost, "error_id", ""), "SLW-0205");
    assert_string_equal(field_text(lost, "cause", ""),
                        "Lost contact at step 2 of 3 \"Apply\": the device was heard last at "
                        "2026-11-18T11:06:40Z, and has said nothing for 90 seconds.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_came_over_the_network_and_from_the_old_disk_is_told_of_each_device),
        cmocka_unit_test(a_return_code_below_zero_is_kept),
        cmocka_unit_test(an_order_that_has_ended_does_not_end_again),
        cmocka_unit_test(contact_is_lost_after_the_time_that_the_deployment_allows),
        cmocka_unit_test(the_site_keeps_the_latest_progress_and_every_step),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
