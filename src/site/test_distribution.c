/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/distribution.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/content.h"
#include "site/deployment.h"
#include "site/dp.h"
#include "site/dp_group.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/job.h"

#define OTHER_SHA256 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define DONE         "{'state': 'succeeded', 'result': {'fetched_bytes': 7, 'present_bytes': 2}}"
#define DAMAGED      "{'state': 'succeeded', 'result': {'bad': [{'manifest': 'm', 'pack': 'p'}]}}"
#define FAILED       "{'state': 'failed', 'error_id': 'SLW-0301', 'message': 'no pack'}"

/* A host joins; its id is DP00002, DP00003, ... */
static void join(struct site *site, const char *name, const char *address, char *ret_token)
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "name", name);
    OWN(json_freep) json_t *token = NULL;
    OWN(json_freep) json_t *joined = NULL;
    OWN(json_freep) json_t *host = NULL;

    assert_int_equal(dp_create_token(site, "test", body, &token), 0);
    host = json_pack("{s:O,s:[s],s:i}",
                     "token",
                     json_object_get(token, "token"),
                     "addresses",
                     address,
                     "http_port",
                     8080);
    assert_int_equal(dp_join(site, host, "PEM", &joined), 0);
    if (ret_token)
        (void)snprintf(ret_token, TOKEN_TEXT_MAX, "%s", field_text(joined, "token", ""));
}

static int distribute(struct site *site, const char *content, const char *targets)
{
    OWN(json_freep) json_t *body = fixture_json(targets);
    OWN(json_freep) json_t *answer = NULL;

    return distribution_add(site, "test", content, body, &answer);
}

static int
change(struct site *site, const char *content, const char *dp, enum distribution_verb verb)
{
    OWN(json_freep) json_t *answer = NULL;

    return distribution_change(site, "test", content, dp, verb, &answer);
}

/* It asks for work, as it does each second. @ret: NULL if there is none */
static json_t *claim(struct site *site, const char *dp_id)
{
    json_t *job = NULL;

    assert_int_equal(dp_seen(site, dp_id, NULL), 0);
    assert_int_equal(job_claim(site, dp_id, NULL, &job), 0);
    return job;
}

static int
report(struct site *site, const char *dp_id, const json_t *job, const char *text, json_t **ret)
{
    OWN(json_freep) json_t *body = fixture_json(text);

    return job_report(site, dp_id, field_text(job, "id", ""), body, ret);
}

static void finish(struct site *site, const char *dp_id, const json_t *job, const char *text)
{
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(report(site, dp_id, job, text, &answer), 0);
}

/* Claims a job, which must be of this kind, and ends it. */
static void work(struct site *site, const char *dp_id, const char *kind, const char *text)
{
    OWN(json_freep) json_t *job = claim(site, dp_id);

    assert_non_null(job);
    assert_string_equal(field_text(job, "kind", ""), kind);
    finish(site, dp_id, job, text);
}

static json_t *row_of(struct site *site, const char *content, const char *dp_id)
{
    OWN(json_freep) json_t *list = NULL;
    const json_t *items;

    assert_int_equal(distribution_list(site, content, &list), 0);
    items = json_object_get(list, "items");
    for (size_t i = 0; i < json_array_size(items); i++)
        if (strcmp(field_text(json_array_get(items, i), "distribution_point_id", ""), dp_id) == 0)
            return json_incref(json_array_get(items, i));
    return NULL;
}

static void
assert_state(struct site *site, const char *content, const char *dp_id, const char *state)
{
    OWN(json_freep) json_t *row = row_of(site, content, dp_id);

    assert_non_null(row);
    assert_string_equal(field_text(row, "state", ""), state);
}

static const json_t *args_of(const json_t *job)
{
    return json_object_get(job, "args");
}

static const char *source_of(const json_t *job, size_t i)
{
    return json_string_value(json_array_get(json_object_get(args_of(job), "sources"), i));
}

/* Another version of the fixture's image, from an upload. */
static void update(struct site *site, const char *manifest)
{
    OWN(json_freep) json_t *body = fixture_json("{'upload_id': 'u9'}");
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *job = NULL;
    OWN(json_freep) json_t *ended = NULL;
    OWN(json_freep)
    json_t *result = json_pack("{s:s,s:{s:[{s:i,s:i,s:s}]}}",
                               "state",
                               "succeeded",
                               "result",
                               "indexes",
                               "index",
                               1,
                               "size_bytes",
                               9,
                               "manifest",
                               manifest);

    assert_int_equal(content_update(site, "test", FIXTURE_OS_IMAGE, body, &answer), 0);
    job = claim(site, DP_OWN_ID);
    assert_non_null(job);
    assert_int_equal(job_report(site, DP_OWN_ID, field_text(job, "id", ""), result, &ended), 0);
}

static void what_was_imported_is_on_the_sites_own(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    assert_state(site, FIXTURE_OS_IMAGE, DP_OWN_ID, "success");
    assert_state(site, FIXTURE_BOOT_IMAGE, DP_OWN_ID, "success");
}

static void a_remote_one_gets_what_is_distributed_to_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;
    OWN(json_freep) json_t *more = NULL;

    join(site, "branch", "10.78.0.1", NULL);
    assert_int_equal(distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "waiting");
    job = claim(site, "DP00002");
    assert_string_equal(field_text(job, "kind", ""), "replicate");
    assert_string_equal(field_text(args_of(job), "package_id", ""), FIXTURE_OS_IMAGE);
    assert_int_equal(field_number(args_of(job), "version", 0), 1);
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(args_of(job), "manifests"), 0)),
        FIXTURE_SHA256);
    assert_string_equal(source_of(job, 0), "http://10.77.0.1");
    assert_false(field_bool(args_of(job), "is_again"));
    assert_true(json_is_null(json_object_get(args_of(job), "boot")));
    assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "in-progress");
    assert_int_equal(distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    more = claim(site, "DP00002");
    assert_null(more);
    finish(site, "DP00002", job, DONE);
    assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "success");
}

static void a_task_sequence_stands_for_all_it_refers_to(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    join(site, "branch", "10.78.0.1", NULL);
    assert_int_equal(distribute(site, FIXTURE_SEQUENCE, "{'distribution_points': ['DP00002']}"), 0);
    assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "waiting");
    assert_state(site, FIXTURE_BOOT_IMAGE, "DP00002", "waiting");
}

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

    join(site, "branch", "10.78.0.1", NULL);
    assert_int_equal(dp_set(site, "test", "branch", rules, &dp), 0);
    assert_int_equal(distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    job = claim(site, "DP00002");
    assert_int_equal(field_number(args_of(job), "rate_limit_bytes_per_s", 0), 1000);
    assert_int_equal(field_number(args_of(job), "reserve_bytes", 0), 268435456);
    assert_int_equal(
        report(site,
               "DP00002",
               job,
               "{'state': 'running', 'percent': 40, 'rate_bytes_per_s': 900, 'message': 'm'}",
               &answer),
        0);
    assert_int_equal(field_number(answer, "rate_limit_bytes_per_s", 0), 1000);
    row = row_of(site, FIXTURE_OS_IMAGE, "DP00002");
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

    join(site, "branch", "10.78.0.1", NULL);
    assert_int_equal(distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    work(site, "DP00002", "replicate", FAILED);
    row = row_of(site, FIXTURE_OS_IMAGE, "DP00002");
    assert_string_equal(field_text(row, "state", ""), "failed");
    assert_string_equal(field_text(row, "error_id", ""), "SLW-0301");
    assert_string_equal(field_text(row, "message", ""), "no pack");
    assert_non_null(json_string_value(json_object_get(row, "next_try_at")));
    site->now_us += DISTRIBUTION_RETRY_US - 1;
    early = claim(site, "DP00002");
    assert_null(early);
    site->now_us += 1;
    work(site, "DP00002", "replicate", FAILED);
    site->now_us += 2 * DISTRIBUTION_RETRY_US - 1;
    too_early = claim(site, "DP00002");
    assert_null(too_early);
    site->now_us += 1;
    work(site, "DP00002", "replicate", DONE);
    assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "success");
}

static void high_goes_before_medium_before_low_and_three_at_once(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    static const char *const priorities[] = {"low", "medium", "high", "medium"};
    char ids[4][SITE_ID_MAX];
    static const size_t wanted[] = {2, 1, 3};
    OWN(json_freep) json_t *fourth = NULL;

    join(site, "branch", "10.78.0.1", NULL);
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
        work(site,
             DP_OWN_ID,
             "import-tree",
             "{'state': 'succeeded', 'result': {'manifest': '" FIXTURE_SHA256
             "', 'size_bytes': 1}}");
        site->now_us += 1;
        assert_int_equal(distribute(site, ids[i], "{'distribution_points': ['branch']}"), 0);
    }
    for (size_t i = 0; i < 3; i++) {
        OWN(json_freep) json_t *job = claim(site, "DP00002");

        assert_string_equal(field_text(args_of(job), "package_id", ""), ids[wanted[i]]);
    }
    fourth = claim(site, "DP00002");
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

    join(site, "branch", "10.78.0.1", NULL);
    assert_int_equal(distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    job = claim(site, "DP00002");
    assert_int_equal(dp_set(site, "test", "branch", rules, &dp), 0);
    assert_int_equal(site_tick(site), 0);
    assert_int_equal(report(site, "DP00002", job, "{'state': 'running'}", &answer), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_JOB_OVER);
    assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "waiting");
    none = claim(site, "DP00002");
    assert_null(none);
    assert_int_equal(dp_set(site, "test", "branch", open, &dp_again), 0);
    work(site, "DP00002", "replicate", DONE);
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

    join(site, "north", "10.78.0.1", NULL);
    join(site, "south", "10.79.0.1", NULL);
    join(site, "west", "10.80.0.1", NULL);
    assert_int_equal(dp_set(site, "test", "west", sources, &dp), 0);
    assert_int_equal(
        distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['north', 'south', 'west']}"),
        0);
    work(site, "DP00002", "replicate", DONE);
    job = claim(site, "DP00004");
    assert_string_equal(source_of(job, 0), "http://10.78.0.1:8080");
    assert_string_equal(source_of(job, 1), "http://10.77.0.1");
    assert_null(source_of(job, 2));
}

static void an_update_goes_to_all_that_have_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;

    join(site, "branch", "10.78.0.1", NULL);
    assert_int_equal(distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    work(site, "DP00002", "replicate", DONE);
    update(site, OTHER_SHA256);
    assert_state(site, FIXTURE_OS_IMAGE, DP_OWN_ID, "success");
    job = claim(site, "DP00002");
    assert_int_equal(field_number(args_of(job), "version", 0), 2);
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(args_of(job), "manifests"), 0)),
        OTHER_SHA256);
    finish(site, "DP00002", job, DONE);
    assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "success");
}

static void a_newer_version_ends_the_copying_of_the_old_one(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *old = NULL;
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *job = NULL;

    join(site, "branch", "10.78.0.1", NULL);
    assert_int_equal(distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    old = claim(site, "DP00002");
    update(site, OTHER_SHA256);
    assert_int_equal(report(site, "DP00002", old, "{'state': 'running'}", &answer), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_JOB_OVER);
    job = claim(site, "DP00002");
    assert_int_equal(field_number(args_of(job), "version", 0), 2);
}

static void going_back_copies_nothing_where_the_version_still_is(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *body = fixture_json("{'version': 1}");
    OWN(json_freep) json_t *package = NULL;
    OWN(json_freep) json_t *job = NULL;
    OWN(json_freep) json_t *row = NULL;

    join(site, "branch", "10.78.0.1", NULL);
    assert_int_equal(distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    work(site, "DP00002", "replicate", DONE);
    update(site, OTHER_SHA256);
    work(site, "DP00002", "replicate", DONE);
    assert_int_equal(content_rollback(site, "test", FIXTURE_OS_IMAGE, body, &package), 0);
    row = row_of(site, FIXTURE_OS_IMAGE, "DP00002");
    assert_string_equal(field_text(row, "state", ""), "success");
    assert_int_equal(field_number(row, "version", 0), 1);
    job = claim(site, "DP00002");
    assert_null(job);
}

static void redistribution_fetches_everything_again(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;

    join(site, "branch", "10.78.0.1", NULL);
    assert_int_equal(distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    work(site, "DP00002", "replicate", DONE);
    assert_int_equal(change(site, FIXTURE_OS_IMAGE, "branch", DISTRIBUTION_REDISTRIBUTE), 0);
    job = claim(site, "DP00002");
    assert_true(field_bool(args_of(job), "is_again"));
}

static void what_validation_finds_damaged_is_fetched_anew(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *history = NULL;

    join(site, "branch", "10.78.0.1", NULL);
    assert_int_equal(distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    work(site, "DP00002", "replicate", DONE);
    assert_int_equal(change(site, FIXTURE_OS_IMAGE, "branch", DISTRIBUTION_VALIDATE), 0);
    work(site, "DP00002", "validate", "{'state': 'succeeded', 'result': {'bad': []}}");
    assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "success");
    assert_int_equal(change(site, FIXTURE_OS_IMAGE, "branch", DISTRIBUTION_VALIDATE), 0);
    work(site, "DP00002", "validate", DAMAGED);
    assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "waiting");
    work(site, "DP00002", "replicate", DONE);
    assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "success");
    assert_int_equal(distribution_history(site, FIXTURE_OS_IMAGE, "branch", &history), 0);
    assert_true(json_array_size(json_object_get(history, "items")) >= 6);
}

static void damage_at_the_site_is_told_if_nobody_else_has_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *none = NULL;
    OWN(json_freep) json_t *row = NULL;

    assert_int_equal(change(site, FIXTURE_OS_IMAGE, DP_OWN_ID, DISTRIBUTION_VALIDATE), 0);
    work(site, DP_OWN_ID, "validate", DAMAGED);
    none = claim(site, DP_OWN_ID);
    assert_null(none);
    row = row_of(site, FIXTURE_OS_IMAGE, DP_OWN_ID);
    assert_string_equal(field_text(row, "state", ""), "failed");
    assert_string_equal(field_text(row, "error_id", ""), SITE_ERROR_DAMAGED);
}

static void damage_at_the_site_is_healed_from_who_has_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;

    join(site, "branch", "10.78.0.1", NULL);
    assert_int_equal(distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    work(site, "DP00002", "replicate", DONE);
    assert_int_equal(change(site, FIXTURE_OS_IMAGE, DP_OWN_ID, DISTRIBUTION_VALIDATE), 0);
    work(site, DP_OWN_ID, "validate", DAMAGED);
    job = claim(site, DP_OWN_ID);
    assert_string_equal(field_text(job, "kind", ""), "replicate");
    assert_string_equal(source_of(job, 0), "http://10.78.0.1:8080");
    assert_null(source_of(job, 1));
    finish(site, DP_OWN_ID, job, DONE);
    assert_state(site, FIXTURE_OS_IMAGE, DP_OWN_ID, "success");
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
    assert_state(site, FIXTURE_OS_IMAGE, DP_OWN_ID, "unknown"); /* it has not been heard of */
    work(site, DP_OWN_ID, "validate", "{'state': 'succeeded', 'result': {'bad': []}}");
    work(site, DP_OWN_ID, "validate", "{'state': 'succeeded', 'result': {'bad': []}}");
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_state(site, FIXTURE_OS_IMAGE, DP_OWN_ID, "success");
}

static void removal_takes_the_manifests_that_nothing_else_needs(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;
    OWN(json_freep) json_t *row = NULL;

    join(site, "branch", "10.78.0.1", NULL);
    assert_int_equal(distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    work(site, "DP00002", "replicate", DONE);
    assert_int_equal(change(site, FIXTURE_OS_IMAGE, "branch", DISTRIBUTION_REMOVE), 0);
    job = claim(site, "DP00002");
    assert_string_equal(field_text(job, "kind", ""), "remove");
    assert_int_equal(json_array_size(json_object_get(args_of(job), "manifests")), 1);
    finish(site, "DP00002", job, "{'state': 'succeeded', 'result': {}}");
    row = row_of(site, FIXTURE_OS_IMAGE, "DP00002");
    assert_null(row);
}

static void what_another_package_shares_stays(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *body = fixture_json("{'name': 'P', 'source_path': '/src'}");
    OWN(json_freep) json_t *package = NULL;
    OWN(json_freep) json_t *job = NULL;

    join(site, "branch", "10.78.0.1", NULL);
    assert_int_equal(content_create(site, CONTENT_PACKAGE, "test", body, &package), 0);
    work(site,
         DP_OWN_ID,
         "import-tree",
         "{'state': 'succeeded', 'result': {'manifest': '" FIXTURE_SHA256 "', 'size_bytes': 1}}");
    assert_int_equal(distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    assert_int_equal(distribute(site, "SLP00004", "{'distribution_points': ['branch']}"), 0);
    work(site, "DP00002", "replicate", DONE);
    work(site, "DP00002", "replicate", DONE);
    assert_int_equal(change(site, "SLP00004", "branch", DISTRIBUTION_REMOVE), 0);
    job = claim(site, "DP00002");
    assert_int_equal(json_array_size(json_object_get(args_of(job), "manifests")), 0);
}

static void the_sites_own_library_is_not_removed_from(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    assert_int_equal(change(site, FIXTURE_OS_IMAGE, DP_OWN_ID, DISTRIBUTION_REMOVE),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_OWN_DP);
}

static void a_cancelled_one_stays_failed_until_somebody_asks(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;
    OWN(json_freep) json_t *none = NULL;
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *row = NULL;

    join(site, "branch", "10.78.0.1", NULL);
    assert_int_equal(distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    job = claim(site, "DP00002");
    assert_int_equal(change(site, FIXTURE_OS_IMAGE, "branch", DISTRIBUTION_CANCEL), 0);
    assert_int_equal(report(site, "DP00002", job, "{'state': 'running'}", &answer), SITE_E_REFUSED);
    row = row_of(site, FIXTURE_OS_IMAGE, "DP00002");
    assert_string_equal(field_text(row, "state", ""), "failed");
    assert_string_equal(field_text(row, "error_id", ""), SITE_ERROR_CANCELLED);
    assert_true(json_is_null(json_object_get(row, "next_try_at")));
    site->now_us += DISTRIBUTION_RETRY_MAX_US;
    none = claim(site, "DP00002");
    assert_null(none);
    assert_int_equal(change(site, FIXTURE_OS_IMAGE, "branch", DISTRIBUTION_CANCEL), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NOTHING_RUNS);
    assert_int_equal(change(site, FIXTURE_OS_IMAGE, "branch", DISTRIBUTION_REDISTRIBUTE), 0);
    work(site, "DP00002", "replicate", DONE);
}

static void a_new_member_gets_what_the_group_has_and_keeps_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *name = fixture_json("{'name': 'All'}");
    OWN(json_freep) json_t *north = fixture_json("{'distribution_point': 'north'}");
    OWN(json_freep) json_t *group = NULL;
    OWN(json_freep) json_t *with_north = NULL;
    OWN(json_freep) json_t *answer = NULL;

    join(site, "north", "10.78.0.1", NULL);
    assert_int_equal(dp_group_create(site, "test", name, &group), 0);
    assert_int_equal(distribute(site, FIXTURE_OS_IMAGE, "{'groups': ['All']}"), 0);
    assert_int_equal(dp_group_add_member(site, "test", "All", north, &with_north), 0);
    assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "waiting");
    work(site, "DP00002", "replicate", DONE);
    assert_int_equal(dp_group_remove_member(site, "test", "All", "north"), 0);
    assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "success");
    assert_int_equal(distribution_remove_group(site, "test", FIXTURE_OS_IMAGE, "All", &answer), 0);
    assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "success");
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

    join(site, "north", "10.78.0.1", NULL);
    assert_int_equal(dp_group_create(site, "test", name, &group), 0);
    assert_int_equal(dp_group_add_member(site, "test", "All", north, &with_north), 0);
    assert_int_equal(distribute(site, FIXTURE_OS_IMAGE, "{'groups': ['All']}"), 0);
    work(site, "DP00002", "replicate", DONE);
    assert_int_equal(distribution_remove_group(site, "test", FIXTURE_OS_IMAGE, "All", &answer), 0);
    row = row_of(site, FIXTURE_OS_IMAGE, "DP00002");
    assert_string_equal(field_text(row, "work", ""), "remove");
}

static void one_that_is_silent_has_an_unknown_state(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    join(site, "branch", "10.78.0.1", NULL);
    assert_int_equal(distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    site->now_us += DP_SILENCE_US + 1;
    assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "unknown");
}

static void no_deployment_whose_content_no_client_could_get(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *disabled = fixture_json("{'is_disabled': true}");
    OWN(json_freep) json_t *dp = NULL;
    OWN(json_freep) json_t *deployment = NULL;
    OWN(json_freep)
    json_t *body = fixture_json("{'task_sequence_id': '" FIXTURE_SEQUENCE
                                "', 'collection': 'All Systems', 'purpose': 'required'}");

    assert_int_equal(dp_set(site, "test", DP_OWN_ID, disabled, &dp), 0);
    assert_int_equal(deployment_create(site, "test", body, &deployment), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NOT_DISTRIBUTED);
}

static void what_is_unknown_or_says_no_target_is_refused(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    static const struct {
        const char *content;
        const char *targets;
        enum refusal_id id;
    } cases[] = {
        {FIXTURE_OS_IMAGE, "{}", REFUSAL_INVALID},
        {FIXTURE_OS_IMAGE, "{'distribution_points': [1]}", REFUSAL_INVALID},
        {FIXTURE_OS_IMAGE, "{'distribution_points': ['nowhere']}", REFUSAL_MISSING},
        {FIXTURE_OS_IMAGE, "{'groups': ['nowhere']}", REFUSAL_MISSING},
        {"SLP0FFFF", "{'distribution_points': ['DP00001']}", REFUSAL_MISSING},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(distribute(site, cases[i].content, cases[i].targets), SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, cases[i].id);
    }
    assert_int_equal(change(site, FIXTURE_OS_IMAGE, "nowhere", DISTRIBUTION_VALIDATE),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_imported_is_on_the_sites_own),
        cmocka_unit_test(a_remote_one_gets_what_is_distributed_to_it),
        cmocka_unit_test(a_task_sequence_stands_for_all_it_refers_to),
        cmocka_unit_test(progress_is_shown_and_answered_with_the_rate),
        cmocka_unit_test(what_failed_is_tried_again_ever_later),
        cmocka_unit_test(high_goes_before_medium_before_low_and_three_at_once),
        cmocka_unit_test(a_closed_schedule_hands_out_nothing_and_stops_what_runs),
        cmocka_unit_test(its_sources_come_before_the_site_if_they_have_it),
        cmocka_unit_test(an_update_goes_to_all_that_have_it),
        cmocka_unit_test(a_newer_version_ends_the_copying_of_the_old_one),
        cmocka_unit_test(going_back_copies_nothing_where_the_version_still_is),
        cmocka_unit_test(redistribution_fetches_everything_again),
        cmocka_unit_test(what_validation_finds_damaged_is_fetched_anew),
        cmocka_unit_test(damage_at_the_site_is_told_if_nobody_else_has_it),
        cmocka_unit_test(damage_at_the_site_is_healed_from_who_has_it),
        cmocka_unit_test(a_schedule_validates_once_in_its_hours),
        cmocka_unit_test(removal_takes_the_manifests_that_nothing_else_needs),
        cmocka_unit_test(what_another_package_shares_stays),
        cmocka_unit_test(the_sites_own_library_is_not_removed_from),
        cmocka_unit_test(a_cancelled_one_stays_failed_until_somebody_asks),
        cmocka_unit_test(a_new_member_gets_what_the_group_has_and_keeps_it),
        cmocka_unit_test(content_taken_off_a_group_leaves_its_members),
        cmocka_unit_test(one_that_is_silent_has_an_unknown_state),
        cmocka_unit_test(no_deployment_whose_content_no_client_could_get),
        cmocka_unit_test(what_is_unknown_or_says_no_target_is_refused),
    };

    if (setenv("TZ", "UTC", 1) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
