/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/distribution.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/content.h"
#include "site/deployment.h"
#include "site/dp.h"
#include "site/fields.h"
#include "site/fixture_dp.h"
#include "site/job.h"

static void what_was_imported_is_on_the_sites_own(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    fixture_dp_assert_state(site, FIXTURE_OS_IMAGE, DP_OWN_ID, "success");
    fixture_dp_assert_state(site, FIXTURE_BOOT_IMAGE, DP_OWN_ID, "success");
}

static void a_remote_one_gets_what_is_distributed_to_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;
    OWN(json_freep) json_t *more = NULL;

    fixture_dp_join(site, "branch", "10.78.0.1");
    assert_int_equal(
        fixture_dp_distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    fixture_dp_assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "waiting");
    job = fixture_dp_claim(site, "DP00002");
    assert_string_equal(field_text(job, "kind", ""), "replicate");
    assert_string_equal(field_text(fixture_dp_args(job), "package_id", ""), FIXTURE_OS_IMAGE);
    assert_int_equal(field_number(fixture_dp_args(job), "version", 0), 1);
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(fixture_dp_args(job), "manifests"), 0)),
        FIXTURE_SHA256);
    assert_string_equal(fixture_dp_source(job, 0), "http://10.77.0.1");
    assert_false(field_bool(fixture_dp_args(job), "is_again"));
    assert_true(json_is_null(json_object_get(fixture_dp_args(job), "boot")));
    fixture_dp_assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "in-progress");
    assert_int_equal(
        fixture_dp_distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    more = fixture_dp_claim(site, "DP00002");
    assert_null(more);
    fixture_dp_finish(site, "DP00002", job, FIXTURE_DP_DONE);
    fixture_dp_assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "success");
}

static void what_is_not_ready_yet_is_copied_when_it_is(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *body = fixture_json("{'name': 'P', 'source_path': '/src'}");
    OWN(json_freep) json_t *package = NULL;
    OWN(json_freep) json_t *none = NULL;

    fixture_dp_join(site, "branch", "10.78.0.1");
    assert_int_equal(content_create(site, CONTENT_PACKAGE, "test", body, &package), 0);
    assert_int_equal(fixture_dp_distribute(site,
                                           field_text(package, "id", ""),
                                           "{'distribution_points': ['branch']}"),
                     0);
    none = fixture_dp_claim(site, "DP00002");
    assert_null(none);
    fixture_dp_work(site,
                    DP_OWN_ID,
                    "import-tree",
                    "{'state': 'succeeded', 'result': {'manifest': '" FIXTURE_SHA256
                    "', 'size_bytes': 1}}");
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_DONE);
    fixture_dp_assert_state(site, field_text(package, "id", ""), "DP00002", "success");
}

static void deleted_content_is_removed_where_it_was(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *body = fixture_json("{'name': 'P', 'source_path': '/src'}");
    OWN(json_freep) json_t *package = NULL;
    OWN(json_freep) json_t *job = NULL;
    OWN(json_freep) json_t *none = NULL;
    char id[SITE_ID_MAX];

    fixture_dp_join(site, "branch", "10.78.0.1");
    assert_int_equal(content_create(site, CONTENT_PACKAGE, "test", body, &package), 0);
    (void)snprintf(id, sizeof(id), "%s", field_text(package, "id", ""));
    fixture_dp_work(site,
                    DP_OWN_ID,
                    "import-tree",
                    "{'state': 'succeeded', 'result': {'manifest': '" FIXTURE_DP_OTHER_SHA256
                    "', 'size_bytes': 1}}");
    assert_int_equal(fixture_dp_distribute(site, id, "{'distribution_points': ['branch']}"), 0);
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_DONE);
    assert_int_equal(content_delete(site, "test", id), 0);
    job = fixture_dp_claim(site, "DP00002");
    assert_non_null(job);
    assert_string_equal(field_text(job, "kind", ""), "remove");
    assert_int_equal(json_array_size(json_object_get(fixture_dp_args(job), "manifests")), 1);
    fixture_dp_finish(site, "DP00002", job, "{'state': 'succeeded', 'result': {}}");
    none = fixture_dp_claim(site, "DP00002");
    assert_null(none);
}

static void removals_that_wait_for_their_next_try_hold_nothing_up(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    static const char *const hashes[] = {
        "1111111111111111111111111111111111111111111111111111111111111111",
        "2222222222222222222222222222222222222222222222222222222222222222",
        "3333333333333333333333333333333333333333333333333333333333333333"};

    fixture_dp_join(site, "branch", "10.78.0.1");
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        OWN(json_freep)
        json_t *body =
            json_pack("{s:o,s:s}", "name", json_sprintf("P%zu", i), "source_path", "/src");
        OWN(json_freep) json_t *package = NULL;
        char done[256];
        char id[SITE_ID_MAX];

        assert_int_equal(content_create(site, CONTENT_PACKAGE, "test", body, &package), 0);
        (void)snprintf(id, sizeof(id), "%s", field_text(package, "id", ""));
        (void)snprintf(done,
                       sizeof(done),
                       "{'state': 'succeeded', 'result': {'manifest': '%s', 'size_bytes': 1}}",
                       hashes[i]);
        fixture_dp_work(site, DP_OWN_ID, "import-tree", done);
        assert_int_equal(fixture_dp_distribute(site, id, "{'distribution_points': ['branch']}"), 0);
        fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_DONE);
        assert_int_equal(content_delete(site, "test", id), 0);
        fixture_dp_work(site, "DP00002", "remove", FIXTURE_DP_FAILED);
        fixture_dp_work(site, DP_OWN_ID, "remove", "{'state': 'succeeded', 'result': {}}");
    }
    assert_int_equal(
        fixture_dp_distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_DONE);
}

static void a_task_sequence_stands_for_all_it_refers_to(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    fixture_dp_join(site, "branch", "10.78.0.1");
    assert_int_equal(
        fixture_dp_distribute(site, FIXTURE_SEQUENCE, "{'distribution_points': ['DP00002']}"), 0);
    fixture_dp_assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "waiting");
    fixture_dp_assert_state(site, FIXTURE_BOOT_IMAGE, "DP00002", "waiting");
}

static void an_update_goes_to_all_that_have_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;

    fixture_dp_join(site, "branch", "10.78.0.1");
    assert_int_equal(
        fixture_dp_distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_DONE);
    fixture_dp_update(site, FIXTURE_DP_OTHER_SHA256);
    fixture_dp_assert_state(site, FIXTURE_OS_IMAGE, DP_OWN_ID, "success");
    job = fixture_dp_claim(site, "DP00002");
    assert_int_equal(field_number(fixture_dp_args(job), "version", 0), 2);
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(fixture_dp_args(job), "manifests"), 0)),
        FIXTURE_DP_OTHER_SHA256);
    fixture_dp_finish(site, "DP00002", job, FIXTURE_DP_DONE);
    fixture_dp_assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "success");
}

static void a_newer_version_ends_the_copying_of_the_old_one(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *old = NULL;
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *job = NULL;

    fixture_dp_join(site, "branch", "10.78.0.1");
    assert_int_equal(
        fixture_dp_distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    old = fixture_dp_claim(site, "DP00002");
    fixture_dp_update(site, FIXTURE_DP_OTHER_SHA256);
    assert_int_equal(fixture_dp_report(site, "DP00002", old, "{'state': 'running'}", &answer),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_JOB_OVER);
    job = fixture_dp_claim(site, "DP00002");
    assert_int_equal(field_number(fixture_dp_args(job), "version", 0), 2);
}

static void going_back_copies_nothing_where_the_version_still_is(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *body = fixture_json("{'version': 1}");
    OWN(json_freep) json_t *package = NULL;
    OWN(json_freep) json_t *job = NULL;
    OWN(json_freep) json_t *row = NULL;

    fixture_dp_join(site, "branch", "10.78.0.1");
    assert_int_equal(
        fixture_dp_distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_DONE);
    fixture_dp_update(site, FIXTURE_DP_OTHER_SHA256);
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_DONE);
    assert_int_equal(content_rollback(site, "test", FIXTURE_OS_IMAGE, body, &package), 0);
    row = fixture_dp_row(site, FIXTURE_OS_IMAGE, "DP00002");
    assert_string_equal(field_text(row, "state", ""), "success");
    assert_int_equal(field_number(row, "version", 0), 1);
    job = fixture_dp_claim(site, "DP00002");
    assert_null(job);
}

static void redistribution_fetches_everything_again(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;

    fixture_dp_join(site, "branch", "10.78.0.1");
    assert_int_equal(
        fixture_dp_distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_DONE);
    assert_int_equal(fixture_dp_change(site, FIXTURE_OS_IMAGE, "branch", DISTRIBUTION_REDISTRIBUTE),
                     0);
    job = fixture_dp_claim(site, "DP00002");
    assert_true(field_bool(fixture_dp_args(job), "is_again"));
}

static void the_sites_own_library_is_not_removed_from_nor_sent_to(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    assert_int_equal(fixture_dp_change(site, FIXTURE_OS_IMAGE, DP_OWN_ID, DISTRIBUTION_REMOVE),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_OWN_DP);
    assert_int_equal(
        fixture_dp_change(site, FIXTURE_OS_IMAGE, DP_OWN_ID, DISTRIBUTION_REDISTRIBUTE),
        SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_OWN_DP);
    fixture_dp_assert_state(site, FIXTURE_OS_IMAGE, DP_OWN_ID, "success");
}

static void a_cancelled_one_stays_failed_until_somebody_asks(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;
    OWN(json_freep) json_t *none = NULL;
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *row = NULL;

    fixture_dp_join(site, "branch", "10.78.0.1");
    assert_int_equal(
        fixture_dp_distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    job = fixture_dp_claim(site, "DP00002");
    assert_int_equal(fixture_dp_change(site, FIXTURE_OS_IMAGE, "branch", DISTRIBUTION_CANCEL), 0);
    assert_int_equal(fixture_dp_report(site, "DP00002", job, "{'state': 'running'}", &answer),
                     SITE_E_REFUSED);
    row = fixture_dp_row(site, FIXTURE_OS_IMAGE, "DP00002");
    assert_string_equal(field_text(row, "state", ""), "failed");
    assert_string_equal(field_text(row, "error_id", ""), SITE_ERROR_CANCELLED);
    assert_true(json_is_null(json_object_get(row, "next_try_at")));
    site->now_us += DISTRIBUTION_RETRY_MAX_US;
    none = fixture_dp_claim(site, "DP00002");
    assert_null(none);
    assert_int_equal(fixture_dp_change(site, FIXTURE_OS_IMAGE, "branch", DISTRIBUTION_CANCEL),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NOTHING_RUNS);
    assert_int_equal(fixture_dp_change(site, FIXTURE_OS_IMAGE, "branch", DISTRIBUTION_REDISTRIBUTE),
                     0);
    fixture_dp_work(site, "DP00002", "replicate", FIXTURE_DP_DONE);
}

static void one_that_is_silent_has_an_unknown_state(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    fixture_dp_join(site, "branch", "10.78.0.1");
    assert_int_equal(
        fixture_dp_distribute(site, FIXTURE_OS_IMAGE, "{'distribution_points': ['branch']}"), 0);
    site->now_us += DP_SILENCE_US + 1;
    fixture_dp_assert_state(site, FIXTURE_OS_IMAGE, "DP00002", "unknown");
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
        assert_int_equal(fixture_dp_distribute(site, cases[i].content, cases[i].targets),
                         SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, cases[i].id);
    }
    assert_int_equal(fixture_dp_change(site, FIXTURE_OS_IMAGE, "nowhere", DISTRIBUTION_VALIDATE),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_imported_is_on_the_sites_own),
        cmocka_unit_test(a_remote_one_gets_what_is_distributed_to_it),
        cmocka_unit_test(what_is_not_ready_yet_is_copied_when_it_is),
        cmocka_unit_test(deleted_content_is_removed_where_it_was),
        cmocka_unit_test(removals_that_wait_for_their_next_try_hold_nothing_up),
        cmocka_unit_test(a_task_sequence_stands_for_all_it_refers_to),
        cmocka_unit_test(an_update_goes_to_all_that_have_it),
        cmocka_unit_test(a_newer_version_ends_the_copying_of_the_old_one),
        cmocka_unit_test(going_back_copies_nothing_where_the_version_still_is),
        cmocka_unit_test(redistribution_fetches_everything_again),
        cmocka_unit_test(the_sites_own_library_is_not_removed_from_nor_sent_to),
        cmocka_unit_test(a_cancelled_one_stays_failed_until_somebody_asks),
        cmocka_unit_test(one_that_is_silent_has_an_unknown_state),
        cmocka_unit_test(no_deployment_whose_content_no_client_could_get),
        cmocka_unit_test(what_is_unknown_or_says_no_target_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
