/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/content.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/deployment.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/job.h"
#include "site/task_sequence.h"

static void import(struct site *site, char ret_job[static UUID_TEXT_MAX])
{
    OWN(json_freep) json_t *body = fixture_json("{'name': 'Two', 'upload_id': 'u2'}");
    OWN(json_freep) json_t *image = NULL;

    assert_int_equal(content_create(site, CONTENT_OS_IMAGE, "test", body, &image), 0);
    assert_string_equal(field_text(image, "state", ""), "importing");
    fixture_claim(site, ret_job);
}

static void assert_operation(struct site *site, const char *job, const char *state, const char *id)
{
    OWN(json_freep) json_t *operation = NULL;

    assert_int_equal(operation_get(site, job, &operation), 0);
    assert_string_equal(field_text(operation, "state", ""), state);
    assert_string_equal(field_text(operation, "error_id", ""), id);
}

static void a_job_is_handed_out_once(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *none = NULL;
    char job[UUID_TEXT_MAX];

    import(site, job);
    assert_int_equal(job_claim(site, JOB_OWN_DP, NULL, &none), 0);
    assert_null(none);
}

static void a_silent_job_is_handed_out_again_and_at_last_fails(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char job[UUID_TEXT_MAX];
    char again[UUID_TEXT_MAX];

    import(site, job);
    fixture_wait(site, JOB_SILENCE_US - 1);
    fixture_tell(site, job, "{'state': 'running', 'percent': 40, 'message': 'half'}");
    fixture_wait(site, JOB_SILENCE_US - 1);
    assert_operation(site, job, "running", "");
    for (unsigned i = 1; i < JOB_CLAIMS_MAX; i++) {
        fixture_wait(site, JOB_SILENCE_US + 1);
        assert_operation(site, job, "queued", "");
        fixture_claim(site, again);
        assert_string_equal(again, job);
    }
    fixture_wait(site, JOB_SILENCE_US + 1);
    assert_operation(site, job, "failed", SITE_ERROR_JOB_LOST);
}

static void a_malformed_result_fails_the_job_and_leaves_nothing(void **state)
{
    (void)state;
    static const char *const results[] = {
        "{'state': 'succeeded'}",
        "{'state': 'succeeded', 'result': {}}",
        "{'state': 'succeeded', 'result': {'indexes': []}}",
        "{'state': 'succeeded', 'result': {'indexes': [{'index': 0, 'size_bytes': 1, 'manifest':"
        "'" FIXTURE_SHA256 "'}]}}",
        "{'state': 'succeeded', 'result': {'indexes': [{'index': 1, 'size_bytes': 1, 'manifest': 'x'}]}}",
        "{'state': 'succeeded', 'result': {'indexes': ["
        "{'index': 1, 'size_bytes': 1, 'manifest': '" FIXTURE_SHA256 "'},"
        "{'index': 1, 'size_bytes': 1, 'manifest': '" FIXTURE_SHA256 "'}]}}",
    };

    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        OWN(fixture_freep) struct site *site = fixture_new();
        OWN(json_freep) json_t *image = NULL;
        char job[UUID_TEXT_MAX];

        import(site, job);
        fixture_tell(site, job, results[i]);
        assert_operation(site, job, "failed", "SLW-0102");
        assert_int_equal(content_get(site, CONTENT_OS_IMAGE, "SLP00004", &image), SITE_E_REFUSED);
    }
}

static void an_end_that_is_told_twice_counts_once(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char job[UUID_TEXT_MAX];

    import(site, job);
    fixture_tell(site, job, "{'state': 'failed', 'error_id': 'SLW-0305', 'message': 'No WIM'}");
    fixture_tell(site, job, "{'state': 'succeeded', 'result': {}}");
    assert_operation(site, job, "failed", "SLW-0305");
}

static void a_worker_that_goes_on_after_the_end_is_told_so(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *body = fixture_json("{'state': 'running', 'percent': 1}");
    OWN(json_freep) json_t *cancelled = NULL;
    OWN(json_freep) json_t *again = NULL;
    OWN(json_freep) json_t *answer = NULL;
    char job[UUID_TEXT_MAX];

    import(site, job);
    assert_int_equal(job_cancel(site, "test", job, &cancelled), 0);
    assert_string_equal(field_text(cancelled, "state", ""), "cancelled");
    assert_string_equal(field_text(cancelled, "package_id", ""), "SLP00004");
    assert_int_equal(job_report(site, JOB_OWN_DP, job, body, &answer), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_JOB_OVER);
    assert_int_equal(job_cancel(site, "test", job, &again), SITE_E_REFUSED);
    assert_operation(site, job, "cancelled", SITE_ERROR_CANCELLED);
}

static void a_distribution_point_has_only_its_own_jobs(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *body = fixture_json("{'state': 'failed'}");
    OWN(json_freep) json_t *none = NULL;
    OWN(json_freep) json_t *answer = NULL;
    char job[UUID_TEXT_MAX];

    import(site, job);
    assert_int_equal(job_report(site, "DP00002", job, body, &answer), SITE_E_REFUSED);
    assert_int_equal(job_claim(site, "DP00002", NULL, &none), 0);
    assert_null(none);
    assert_operation(site, job, "running", "");
}

static void
a_job_that_its_distribution_point_does_not_have_is_handed_out_again_at_once(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *nothing = json_array();
    OWN(json_freep) json_t *has = NULL;
    OWN(json_freep) json_t *again = NULL;
    char job[UUID_TEXT_MAX];

    import(site, job);
    has = json_pack("[s]", job);
    assert_int_equal(job_keep_running(site, JOB_OWN_DP, NULL), 0);
    assert_int_equal(job_keep_running(site, JOB_OWN_DP, has), 0);
    assert_int_equal(job_keep_running(site, "DP00002", nothing), 0);
    assert_operation(site, job, "running", "");
    assert_int_equal(job_keep_running(site, JOB_OWN_DP, nothing), 0);
    assert_operation(site, job, "queued", "");
    assert_int_equal(job_claim(site, JOB_OWN_DP, NULL, &again), 0);
    assert_string_equal(field_text(again, "id", ""), job);
}

static void the_most_urgent_package_goes_first(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{'name': 'A', 'source_path': '/src/a', 'priority': 'low'}",
        "{'name': 'B', 'source_path': '/src/b'}",
        "{'name': 'C', 'source_path': '/src/c', 'priority': 'high'}",
    };
    static const char *const order[] = {"/src/c", "/src/b", "/src/a"};
    OWN(fixture_freep) struct site *site = fixture_new();

    for (size_t i = 0; i < 3; i++) {
        OWN(json_freep) json_t *body = fixture_json(bodies[i]);
        OWN(json_freep) json_t *package = NULL;

        assert_int_equal(content_create(site, CONTENT_PACKAGE, "test", body, &package), 0);
    }
    for (size_t i = 0; i < 3; i++) {
        OWN(json_freep) json_t *job = NULL;

        assert_int_equal(job_claim(site, JOB_OWN_DP, NULL, &job), 0);
        assert_string_equal(field_text(job, "kind", ""), "import-tree");
        assert_string_equal(field_text(json_object_get(job, "args"), "source_path", ""), order[i]);
    }
}

static int create_sequence(struct site *site, const char *package)
{
    OWN(json_freep) json_t *sequence = NULL;
    OWN(json_freep) json_t *body = json_object();

    (void)json_object_set_new(
        body,
        "xml",
        json_sprintf("<sequence version=\"3.10\">\n<step type=\"SMS_TaskSequence_"
                     "ApplyOperatingSystemAction\" name=\"Apply\"><defaultVarList>"
                     "<variable name=\"ImagePackageID\" property=\"ImagePackageID\">%s</variable>"
                     "<variable name=\"ImageIndex\" property=\"ImageIndex\">1</variable>"
                     "</defaultVarList></step></sequence>",
                     package));
    return task_sequence_create(site, "test", body, &sequence);
}

static void a_task_sequence_that_names_what_the_site_lacks_is_kept_and_not_deployed(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep)
    json_t *body =
        fixture_json("{'task_sequence_id': 'SLP00004', 'collection': 'All Systems', 'purpose':"
                     "'required'}");
    OWN(json_freep) json_t *deployment = NULL;

    assert_int_equal(create_sequence(site, "SLP0FFFF"), 0);
    assert_int_equal(deployment_create(site, "test", body, &deployment), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NOT_DEPLOYABLE);
    assert_non_null(json_object_get(site->refusal.more, "diagnostics"));
}

static int validate_step(struct site *site, const char *type, const char *variable, const char *id)
{
    OWN(json_freep) json_t *validation = NULL;
    OWN(json_freep) json_t *body = json_object();
    const json_t *diag;
    int n = 0;

    (void)json_object_set_new(
        body,
        "xml",
        json_sprintf("<sequence version=\"3.10\"><step type=\"SMS_TaskSequence_%sAction\" "
                     "name=\"Do\"><action>x</action><defaultVarList>"
                     "<variable name=\"ImageIndex\" property=\"ImageIndex\">1</variable>"
                     "<variable name=\"CommandLine\" property=\"CommandLine\">x</variable>"
                     "<variable name=\"%s\" property=\"%s\">%s</variable>"
                     "</defaultVarList></step></sequence>",
                     type,
                     variable,
                     variable,
                     id));
    assert_int_equal(task_sequence_validate(site, body, &validation), 0);
    for (size_t i = 0; i < json_array_size(json_object_get(validation, "diagnostics")); i++) {
        diag = json_array_get(json_object_get(validation, "diagnostics"), i);
        n += strstr(field_text(diag, "message", ""), "is of the kind") != NULL;
    }
    return n;
}

static void a_step_wants_content_of_its_kind(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *body = fixture_json("{'name': 'Tools', 'source_path': '/src'}");
    OWN(json_freep) json_t *package = NULL;
    const char *id;

    assert_int_equal(content_create(site, CONTENT_PACKAGE, "test", body, &package), 0);
    id = field_text(package, "id", "");
    assert_int_equal(validate_step(site, "ApplyOperatingSystem", "ImagePackageID", id), 1);
    assert_int_equal(
        validate_step(site, "ApplyOperatingSystem", "ImagePackageID", FIXTURE_OS_IMAGE), 0);
    assert_int_equal(validate_step(site, "RunCommandLine", "PackageID", FIXTURE_OS_IMAGE), 1);
    assert_int_equal(validate_step(site, "RunCommandLine", "PackageID", id), 0);
}

static void a_deployment_waits_for_its_content(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep)
    json_t *body =
        fixture_json("{'task_sequence_id': 'SLP00005', 'collection': 'All Systems', 'purpose':"
                     "'required'}");
    OWN(json_freep) json_t *deployment = NULL;
    char job[UUID_TEXT_MAX];

    import(site, job);
    assert_int_equal(create_sequence(site, "SLP00004"), 0);
    assert_int_equal(deployment_create(site, "test", body, &deployment), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NOT_READY);
    fixture_tell(
        site,
        job,
        "{'state': 'succeeded', 'result': {'indexes': [{'index': 1, 'size_bytes': 9, 'manifest':"
        "'" FIXTURE_SHA256 "'}]}}");
    assert_int_equal(deployment_create(site, "test", body, &deployment), 0);
}

static void lists_come_in_pages(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *first = NULL;
    OWN(json_freep) json_t *last = NULL;
    struct page page = {.after = "", .limit = 1};
    char job[UUID_TEXT_MAX];

    import(site, job);
    assert_int_equal(content_list(site, CONTENT_OS_IMAGE, &page, &first), 0);
    assert_int_equal(json_array_size(json_object_get(first, "items")), 1);
    page.after = field_text(first, "next", "");
    assert_string_equal(page.after, FIXTURE_OS_IMAGE);
    assert_int_equal(content_list(site, CONTENT_OS_IMAGE, &page, &last), 0);
    assert_int_equal(json_array_size(json_object_get(last, "items")), 1);
    assert_true(json_is_null(json_object_get(last, "next")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_is_handed_out_once),
        cmocka_unit_test(a_silent_job_is_handed_out_again_and_at_last_fails),
        cmocka_unit_test(a_malformed_result_fails_the_job_and_leaves_nothing),
        cmocka_unit_test(an_end_that_is_told_twice_counts_once),
        cmocka_unit_test(a_worker_that_goes_on_after_the_end_is_told_so),
        cmocka_unit_test(a_distribution_point_has_only_its_own_jobs),
        cmocka_unit_test(
            a_job_that_its_distribution_point_does_not_have_is_handed_out_again_at_once),
        cmocka_unit_test(the_most_urgent_package_goes_first),
        cmocka_unit_test(a_task_sequence_that_names_what_the_site_lacks_is_kept_and_not_deployed),
        cmocka_unit_test(a_step_wants_content_of_its_kind),
        cmocka_unit_test(a_deployment_waits_for_its_content),
        cmocka_unit_test(lists_come_in_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
