/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/report.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/own.h"
#include "site/access.h"
#include "site/csv_write.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/order.h"

#define MAC_A "52:54:00:77:00:01"
#define MAC_B "52:54:00:77:00:02"
#define MAC_C "52:54:00:77:00:03"

#define STEP(n, name) "'step': " #n ", 'n_steps': 3, 'step_name': '" name "', 'group': 'G'"

/* A has failed at its second step, B has succeeded, and C, whom the site does not know, is under way. */
struct play {
    struct site *site; /* owned */
    char systems[SITE_ID_MAX];
    char unknown[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
    unsigned seq;
};

static void play_fini(struct play *play)
{
    fixture_free(play->site);
}

static void begin(struct play *play, const char *mac)
{
    assert_int_equal(fixture_register(play->site, mac, play->device), 0);
    (void)fixture_order(play->site, play->device, play->order);
    assert_true(play->order[0] != '\0');
    play->seq = 0;
}

/* @text: the members, with single quotes; @after_s: so long after the last one */
static void tell(struct play *play, unsigned after_s, const char *state, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    play->site->now_us += (uint64_t)after_s * 1000000;
    (void)json_object_set_new(body, "seq", json_integer((json_int_t)++play->seq));
    (void)json_object_set_new(body, "state", json_string(state));
    if (!json_object_get(body, "environment"))
        (void)json_object_set_new(body, "environment", json_string("boot-image"));
    assert_int_equal(order_report(play->site, play->device, play->order, body, &answer), 0);
}

static struct play new_play(void)
{
    struct play play = {.site = fixture_new()};

    fixture_import(play.site, "A", MAC_A);
    fixture_import(play.site, "B", MAC_B);
    fixture_deploy(play.site, "All Systems", "required", play.systems);
    fixture_deploy(play.site, "All Unknown Computers", "required", play.unknown);
    begin(&play, MAC_A);
    tell(&play, 0, "step-started", "{" STEP(0, "S0") "}");
    tell(&play, 60, "step-succeeded", "{'exit_code': 0, " STEP(0, "S0") "}");
    tell(&play, 0, "step-started", "{" STEP(1, "=S1") "}");
    tell(&play, 30, "step-failed", "{'exit_code': 5, " STEP(1, "=S1") "}");
    tell(&play, 10, "failed", "{'error_id': 'SLW-0450', 'message': 'No \\\"disk\\\".'}");
    begin(&play, MAC_B);
    tell(&play, 0, "step-started", "{" STEP(0, "S0") "}");
    tell(&play, 120, "step-succeeded", "{'exit_code': 0, " STEP(0, "S0") "}");
    tell(&play, 5, "succeeded", "{'environment': 'full-os'}");
    begin(&play, MAC_C);
    tell(&play, 0, "step-started", "{" STEP(0, "S0") "}");
    return play;
}

static json_t *run(struct play *play, const char *name, const struct report_query *query)
{
    const struct page page = {.after = "", .limit = ROWS_LIMIT_MAX};
    json_t *report = NULL;

    assert_int_equal(report_run(play->site, name, query, &page, &report), 0);
    return report;
}

static void
expect_csv(struct play *play, const char *name, const struct report_query *query, const char *text)
{
    OWN(json_freep) json_t *report = run(play, name, query);
    OWN(buf_fini) struct buf csv = BUF_INIT(65536);
    size_t i;
    json_t *item;

    csv_put_names(&csv, json_object_get(report, "columns"));
    json_array_foreach(json_object_get(report, "items"), i, item)
        csv_put_item(&csv, json_object_get(report, "columns"), item);
    assert_string_equal(buf_str(&csv), text);
}

static const json_t *row(const json_t *report, size_t at, size_t n)
{
    assert_int_equal(json_array_size(json_object_get(report, "items")), n);
    return json_array_get(json_object_get(report, "items"), at);
}

static void deployments_are_summed_up_as_counted_by_hand(void **state)
{
    (void)state;
    OWN(play_fini) struct play play = new_play();

    expect_csv(
        &play,
        "deployment-summary",
        &(struct report_query){.days = 0},
        "deployment_id,task_sequence_name,collection_name,purpose,is_cancelled,n_devices,n_"
        "success,n_running,n_error,n_requirements_not_met,n_unknown,success_percent,created_"
        "at\r\n"
        "\"SLP20001\",\"Deploy Debian\",\"All Systems\",\"required\",no,2,1,0,1,0,0,50,"
        "\"2026-11-18T11:06:40Z\"\r\n"
        "\"SLP20002\",\"Deploy Debian\",\"All Unknown Computers\",\"required\",no,1,0,1,0,0,0,0,"
        "\"2026-11-18T11:06:40Z\"\r\n");
}

static void steps_take_as_long_as_counted_by_hand(void **state)
{
    (void)state;
    OWN(play_fini) struct play play = new_play();

    expect_csv(&play,
               "step-durations",
               &(struct report_query){.deployment = play.systems},
               "step,step_name,step_group,n_runs,n_failed,average_ms,shortest_ms,longest_ms\r\n"
               "1,\"S0\",\"G\",2,0,90000,60000,120000\r\n"
               "2,\"'=S1\",\"G\",1,1,30000,30000,30000\r\n");
}

static void errors_are_ranked(void **state)
{
    (void)state;
    OWN(play_fini) struct play play = new_play();

    expect_csv(&play,
               "error-ranking",
               &(struct report_query){.days = 1},
               "error_id,step_name,exit_code,n_runs,n_devices,last_at\r\n"
               "\"SLW-0450\",\"'=S1\",5,1,1,\"2026-11-18T11:08:20Z\"\r\n");
}

static void devices_and_runs_are_told_one_by_one(void **state)
{
    (void)state;
    OWN(play_fini) struct play play = new_play();
    OWN(json_freep) json_t *devices = run(&play, "devices", &(struct report_query){.days = 0});
    OWN(json_freep) json_t *runs = run(&play, "run-history", &(struct report_query){.device = "B"});
    OWN(json_freep)
    json_t *unknown = run(&play, "unknown-computers", &(struct report_query){.days = 0});

    assert_string_equal(field_text(row(devices, 0, 3), "category", ""), "error");
    assert_string_equal(field_text(row(devices, 0, 3), "cause", ""), "No \"disk\".");
    assert_string_equal(field_text(row(devices, 1, 3), "category", ""), "success");
    assert_string_equal(field_text(row(devices, 2, 3), "category", ""), "in-progress");
    assert_string_equal(field_text(row(runs, 0, 1), "state", ""), "succeeded");
    assert_int_equal(field_number(row(runs, 0, 1), "duration_s", 0), 125);
    assert_string_equal(field_text(row(unknown, 0, 1), "mac", ""), MAC_C);
    assert_string_equal(field_text(row(unknown, 0, 1), "category", ""), "in-progress");
}

static void a_report_comes_in_pages(void **state)
{
    (void)state;
    OWN(play_fini) struct play play = new_play();
    char after[64] = "";
    unsigned n = 0;
    bool is_more = true;

    while (is_more) {
        OWN(json_freep) json_t *report = NULL;
        const struct page page = {.after = after, .limit = 1};

        assert_int_equal(
            report_run(play.site, "run-history", &(struct report_query){.days = 0}, &page, &report),
            0);
        assert_int_equal(json_array_size(json_object_get(report, "items")), 1);
        is_more = json_is_string(json_object_get(report, "next"));
        (void)snprintf(after, sizeof(after), "%s", field_text(report, "next", ""));
        n++;
    }
    assert_int_equal(n, 3);
}

static void what_is_on_which_distribution_point_is_told(void **state)
{
    (void)state;
    OWN(play_fini) struct play play = new_play();
    OWN(json_freep)
    json_t *report = run(&play, "content-by-distribution-point", &(struct report_query){.days = 0});

    assert_string_equal(field_text(row(report, 0, 2), "package_id", ""), FIXTURE_BOOT_IMAGE);
    assert_string_equal(field_text(row(report, 1, 2), "package_id", ""), FIXTURE_OS_IMAGE);
    assert_string_equal(field_text(row(report, 1, 2), "state", ""), "success");
}

static void another_report_there_is_not(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *names = NULL;
    const struct page page = {.after = "", .limit = 1};
    json_t *report = NULL;

    assert_int_equal(report_run(site, "nothing", &(struct report_query){.days = 0}, &page, &report),
                     SITE_E_REFUSED);
    assert_int_equal(report_names(&names), 0);
    assert_int_equal(json_array_size(json_object_get(names, "items")), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deployments_are_summed_up_as_counted_by_hand),
        cmocka_unit_test(steps_take_as_long_as_counted_by_hand),
        cmocka_unit_test(errors_are_ranked),
        cmocka_unit_test(devices_and_runs_are_told_one_by_one),
        cmocka_unit_test(a_report_comes_in_pages),
        cmocka_unit_test(what_is_on_which_distribution_point_is_told),
        cmocka_unit_test(another_report_there_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
