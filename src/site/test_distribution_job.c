/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/distribution_job.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/content.h"
#include "site/dp.h"
#include "site/fields.h"
#include "site/fixture_dp.h"
#include "site/job.h"

static void progress_is_shown_and_answered_with_the_rate(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep)
    json_t *rules =
        fixture_json("{'rate_limits': [{'from_hour': 0, 'to_hour': 24, 'bytes_per_s': 1000}]}");
    OWN(json_freep) json_t *dp = NULL;
    OWN(json_freep) json_t *job = NULL;
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *row = NULL;

    fixture_dp_join(site, "branch", "10.78.0.1");
    assert_int_equal(dp_set(site, "test", "branch", rules, &dp), 0);
    assert_int_equal(
        fixture_dp_distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    job = fixture_dp_claim(site, "DP00002");
    assert_int_equal(field_number(fixture_dp_args(job), "rate_limit_bytes_per_s", 0), 1000);
    assert_int_equal(field_number(fixture_dp_args(job), "reserve_bytes", 0), 268435456);
    assert_int_equal(
        fixture_dp_report(
            site,
            "DP00002",
            job,
            "{'state': 'running', 'percent': 40, 'rate_bytes_per_s': 900, 'message': 'm'}",
            &answer),
        0);
    assert_int_equal(field_number(answer, "rate_limit_bytes_per_s", 0), 1000);
    row = fixture_dp_row(site, FIXTURE_OS_IMAGE, "DP00002");
    assert_int_equal(field_number(row, "percent", 0), 40);
    assert_int_equal(field_number(row, "rate_bytes_per_s", 0), 900);
}

static void what_failed_is_tried_again_ever_later(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *row = NULL;
    OWN(json_freep) json_t *early = NULL;
    OWN(json_freep) json_t *too_early = NULL;

    fixture_dp_join(site, "branch", "10.78.0.1");
    assert_int_equal(
        fixture_dp_distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_FAILED);
    row = fixture_dp_row(site, FIXTURE_OS_IMAGE, "DP00002");
    assert_string_equal(field_text(row, "state", ""), "failed");
    assert_string_equal(field_text(row, "error_id", ""), "SLW-0301");
    assert_string_equal(field_text(row, "message", ""), "no pack");
    assert_non_null(json_string_value(json_object_get(row, "next_try_at")));
    site->now_us += DISTRIBUTION_RETRY_US - 1;
    early = fixture_dp_claim(site, "DP00002");
    assert_null(early);
    site->now_us += 1;
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_FAILED);
    site->now_us += 2 * DISTRIBUTION_RETRY_US - 1;
    too_early = fixture_dp_claim(site, "DP00002");
    assert_null(too_early);
    site->now_us += 1;
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_DONE);
    fixture_dp_assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "success");
}

static void high_goes_before_medium_before_low_and_three_at_once(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    static const char *const priorities[] = {"low", "medium", "high", "medium"};
    char ids[4][SITE_ID_MAX];
    static const size_t wanted[] = {2, 1, 3};
    OWN(json_freep) json_t *fourth = NULL;

    fixture_dp_join(site, "branch", "10.78.0.1");
    for (size_t i = 0; i < 4; i++) {
        OWN(json_freep)
        json_t *body = json_pack("{s:o,s:s,s:s}",
                                 "name",
                                 json_sprintf("P%zu", i),
                                 "source_path",
                                 "/src",
                                 "priority",
                                 priorities[i]);
        OWN(json_freep) json_t *package = NULL;

        assert_int_equal(content_create(site, CONTENT_PACKAGE, "test", body, &package), 0);
        (void)snprintf(ids[i], SITE_ID_MAX, "%s", field_text(package, "id", ""));
        fixture_dp_work(site,
                        DP_OWN_ID,
                        "import-tree",
                        "{'state': 'succeeded', 'result': {'manifest': '" FIXTURE_SHA256
                        "', 'size_bytes': 1}}");
        site->now_us += 1;
        assert_int_equal(fixture_dp_distribute(site, ids[i], "{'distribution_points': ['branch']}"),
                         0);
    }
    for (size_t i = 0; i < 3; i++) {
        OWN(json_freep) json_t *job = fixture_dp_claim(site, "DP00002");

        assert_string_equal(field_text(fixture_dp_args(job), "package_id", ""), ids[wanted[i]]);
    }
    fourth = fixture_dp_claim(site, "DP00002");
    assert_null(fourth);
}

static void a_closed_schedule_hands_out_nothing_and_stops_what_runs(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep)
    json_t *rules =
        fixture_json("{'schedule': [{'from_hour': 0, 'to_hour': 24, 'allow': 'high-only'}]}");
    OWN(json_freep) json_t *open = fixture_json("{'schedule': []}");
    OWN(json_freep) json_t *dp = NULL;
    OWN(json_freep) json_t *dp_again = NULL;
    OWN(json_freep) json_t *job = NULL;
    OWN(json_freep) json_t *none = NULL;
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *row = NULL;
    OWN(json_freep) json_t *row_again = NULL;

    fixture_dp_join(site, "branch", "10.78.0.1");
    assert_int_equal(
        fixture_dp_distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    job = fixture_dp_claim(site, "DP00002");
    assert_int_equal(dp_set(site, "test", "branch", rules, &dp), 0);
    assert_int_equal(site_tick(site), 0);
    assert_int_equal(fixture_dp_report(site, "DP00002", job, "{'state': 'running'}", &answer),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_JOB_OVER);
    fixture_dp_assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "waiting");
    row = fixture_dp_row(site, FIXTURE_OS_IMAGE, "DP00002");
    assert_string_equal(field_text(row, "message", ""),
                        "its schedule lets only high priority pass at this hour");
    assert_null(json_object_get(row, "rank"));
    none = fixture_dp_claim(site, "DP00002");
    assert_null(none);
    assert_int_equal(dp_set(site, "test", "branch", open, &dp_again), 0);
    row_again = fixture_dp_row(site, FIXTURE_OS_IMAGE, "DP00002");
    assert_string_equal(field_text(row_again, "message", ""),
                        "stopped where the schedule closed; it goes on when it opens");
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_DONE);
}

static void its_sources_come_before_the_site_if_they_have_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep)
    json_t *sources = fixture_json("{'sources': [{'distribution_point': 'north', 'priority': 2},"
                                   "{'distribution_point': 'south', 'priority': 1}]}");
    OWN(json_freep) json_t *dp = NULL;
    OWN(json_freep) json_t *job = NULL;

    fixture_dp_join(site, "north", "10.78.0.1");
    fixture_dp_join(site, "south", "10.79.0.1");
    fixture_dp_join(site, "west", "10.80.0.1");
    assert_int_equal(dp_set(site, "test", "west", sources, &dp), 0);
    assert_int_equal(fixture_dp_distribute(site,
                                           FIXTURE_OS_IMAGE,
                                           "{'distribution_points': ['north', 'south', 'west']}"),
                     0);
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_DONE);
    job = fixture_dp_claim(site, "DP00004");
    assert_string_equal(fixture_dp_source(job, 0), "http://10.78.0.1:8080");
    assert_string_equal(fixture_dp_source(job, 1), "http://10.77.0.1");
    assert_null(fixture_dp_source(job, 2));
}

static void what_validation_finds_damaged_is_fetched_anew(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *history = NULL;

    fixture_dp_join(site, "branch", "10.78.0.1");
    assert_int_equal(
        fixture_dp_distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_DONE);
    assert_int_equal(fixture_dp_change(site, FIXTURE_OS_IMAGE, "branch", DISTRIBUTION_VALIDATE), 0);
    fixture_dp_work(site, "DP00002", "validate", "{'state': 'succeeded', 'result': {'bad': []}}");
    fixture_dp_assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "success");
    assert_int_equal(fixture_dp_change(site, FIXTURE_OS_IMAGE, "branch", DISTRIBUTION_VALIDATE), 0);
    fixture_dp_work(site, "DP00002", "validate", FIXTURE_DP_DAMAGED);
    fixture_dp_assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "waiting");
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_DONE);
    fixture_dp_assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "success");
    assert_int_equal(distribution_history(site, FIXTURE_OS_IMAGE, "branch", &history), 0);
    assert_true(json_array_size(json_object_get(history, "items")) >= 6);
}

static void damage_at_the_site_is_told_if_nobody_else_has_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *none = NULL;
    OWN(json_freep) json_t *row = NULL;

    assert_int_equal(fixture_dp_change(site, FIXTURE_OS_IMAGE, DP_OWN_ID, DISTRIBUTION_VALIDATE),
                     0);
    fixture_dp_work(site, DP_OWN_ID, "validate", FIXTURE_DP_DAMAGED);
    none = fixture_dp_claim(site, DP_OWN_ID);
    assert_null(none);
    row = fixture_dp_row(site, FIXTURE_OS_IMAGE, DP_OWN_ID);
    assert_string_equal(field_text(row, "state", ""), "failed");
    assert_string_equal(field_text(row, "error_id", ""), SITE_ERROR_DAMAGED);
}

static void damage_at_the_site_is_healed_from_who_has_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;

    fixture_dp_join(site, "branch", "10.78.0.1");
    assert_int_equal(
        fixture_dp_distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_DONE);
    assert_int_equal(fixture_dp_change(site, FIXTURE_OS_IMAGE, DP_OWN_ID, DISTRIBUTION_VALIDATE),
                     0);
    fixture_dp_work(site, DP_OWN_ID, "validate", FIXTURE_DP_DAMAGED);
    job = fixture_dp_claim(site, DP_OWN_ID);
    assert_string_equal(field_text(job, "kind", ""), "replicate");
    assert_string_equal(fixture_dp_source(job, 0), "http://10.78.0.1:8080");
    assert_null(fixture_dp_source(job, 1));
    fixture_dp_finish(site, DP_OWN_ID, job, FIXTURE_DP_DONE);
    fixture_dp_assert_state(site, FIXTURE_OS_IMAGE, DP_OWN_ID, "success");
}

static void a_schedule_validates_once_in_its_hours(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep)
    json_t *rules = fixture_json("{'validation_schedule': [{'from_hour': 0, 'to_hour': 24}]}");
    OWN(json_freep) json_t *dp = NULL;

    assert_int_equal(dp_set(site, "test", DP_OWN_ID, rules, &dp), 0);
    assert_int_equal(site_tick(site), 0);
    fixture_dp_assert_state(
        site, FIXTURE_OS_IMAGE, DP_OWN_ID, "unknown"); /* it has not been heard of */
    fixture_dp_work(site, DP_OWN_ID, "validate", "{'state': 'succeeded', 'result': {'bad': []}}");
    fixture_dp_work(site, DP_OWN_ID, "validate", "{'state': 'succeeded', 'result': {'bad': []}}");
    fixture_wait(site, FIXTURE_MINUTE_US);
    fixture_dp_assert_state(site, FIXTURE_OS_IMAGE, DP_OWN_ID, "success");
}

static void removal_takes_the_manifests_that_nothing_else_needs(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;
    OWN(json_freep) json_t *row = NULL;

    fixture_dp_join(site, "branch", "10.78.0.1");
    assert_int_equal(
        fixture_dp_distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_DONE);
    assert_int_equal(fixture_dp_change(site, FIXTURE_OS_IMAGE, "branch", DISTRIBUTION_REMOVE), 0);
    job = fixture_dp_claim(site, "DP00002");
    assert_string_equal(field_text(job, "kind", ""), "remove");
    assert_int_equal(json_array_size(json_object_get(fixture_dp_args(job), "manifests")), 1);
    fixture_dp_finish(site, "DP00002", job, "{'state': 'succeeded', 'result': {}}");
    row = fixture_dp_row(site, FIXTURE_OS_IMAGE, "DP00002");
    assert_null(row);
}

static void what_another_package_shares_stays(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *body = fixture_json("{'name': 'P', 'source_path': '/src'}");
    OWN(json_freep) json_t *package = NULL;
    OWN(json_freep) json_t *job = NULL;

    fixture_dp_join(site, "branch", "10.78.0.1");
    assert_int_equal(content_create(site, CONTENT_PACKAGE, "test", body, &package), 0);
    fixture_dp_work(site,
                    DP_OWN_ID,
                    "import-tree",
                    "{'state': 'succeeded', 'result': {'manifest': '" FIXTURE_SHA256
                    "', 'size_bytes': 1}}");
    assert_int_equal(
        fixture_dp_distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    assert_int_equal(fixture_dp_distribute(site, "SLP00004", "{'distribution_points': ['branch']}"),
                     0);
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_DONE);
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_DONE);
    assert_int_equal(fixture_dp_change(site, "SLP00004", "branch", DISTRIBUTION_REMOVE), 0);
    job = fixture_dp_claim(site, "DP00002");
    assert_int_equal(json_array_size(json_object_get(fixture_dp_args(job), "manifests")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_is_shown_and_answered_with_the_rate),
        cmocka_unit_test(what_failed_is_tried_again_ever_later),
        cmocka_unit_test(high_goes_before_medium_before_low_and_three_at_once),
        cmocka_unit_test(a_closed_schedule_hands_out_nothing_and_stops_what_runs),
        cmocka_unit_test(its_sources_come_before_the_site_if_they_have_it),
        cmocka_unit_test(what_validation_finds_damaged_is_fetched_anew),
        cmocka_unit_test(damage_at_the_site_is_told_if_nobody_else_has_it),
        cmocka_unit_test(damage_at_the_site_is_healed_from_who_has_it),
        cmocka_unit_test(a_schedule_validates_once_in_its_hours),
        cmocka_unit_test(removal_takes_the_manifests_that_nothing_else_needs),
        cmocka_unit_test(what_another_package_shares_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
