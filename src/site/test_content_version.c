/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/content.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/content_fixture.h"
#include "site/deployment.h"
#include "site/fields.h"
#include "site/job.h"
#include "site/order.h"
#include "site/task_sequence.h"

static void an_update_becomes_current_when_it_is_ready(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[SITE_ID_MAX];

    fixture_create_package(site, id);
    assert_int_equal(fixture_update(site, id, "{}"), 0);
    fixture_assert_current(site, id, 1, SHA_A);
    fixture_assert_version(site, id, 2, "making");
    fixture_finish_job(site, TREE(SHA_B));
    fixture_assert_current(site, id, 2, SHA_B);
    fixture_assert_version(site, id, 1, "ready");
}

static void one_update_at_a_time(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[SITE_ID_MAX];

    fixture_create_package(site, id);
    assert_int_equal(fixture_update(site, id, "{}"), 0);
    assert_int_equal(fixture_update(site, id, "{}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_BUSY);
}

static void a_failed_update_leaves_the_old_version(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *package = NULL;
    char id[SITE_ID_MAX];

    fixture_create_package(site, id);
    assert_int_equal(fixture_update(site, id, "{'source_path': '/gone'}"), 0);
    fixture_finish_job(site, "{'state': 'failed', 'error_id': 'SLW-0308', 'message': '/gone'}");
    fixture_assert_current(site, id, 1, SHA_A);
    fixture_assert_version(site, id, 2, "failed");
    assert_int_equal(content_get(site, CONTENT_PACKAGE, id, &package), 0);
    assert_string_equal(field_text(package, "source_path", ""), "/src/tools");
    assert_int_equal(fixture_update(site, id, "{'source_path': '/new'}"), 0);
    fixture_finish_job(site, TREE(SHA_B));
    fixture_assert_current(site, id, 3, SHA_B);
    json_decref(package);
    assert_int_equal(content_get(site, CONTENT_PACKAGE, id, &package), 0);
    assert_string_equal(field_text(package, "source_path", ""), "/new");
}

static void old_versions_go_when_the_keep_count_says(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *manifests = NULL;
    char id[SITE_ID_MAX];
    char job[UUID_TEXT_MAX];

    fixture_create_package(site, id);
    assert_int_equal(fixture_update(site, id, "{}"), 0);
    fixture_finish_job(site, TREE(SHA_B));
    fixture_wait(site, 1000000);
    fixture_assert_version(site, id, 1, "ready");
    assert_int_equal(fixture_update(site, id, "{}"), 0);
    fixture_finish_job(site, TREE(SHA_C));
    fixture_wait(site, 1000000);
    fixture_assert_version(site, id, 1, "removed");
    fixture_assert_version(site, id, 2, "ready");
    manifests = fixture_claim_removal(site, job);
    assert_int_equal(json_array_size(manifests), 1);
    assert_string_equal(json_string_value(json_array_get(manifests, 0)), SHA_A);
    assert_int_equal(fixture_set(site, id, "{'keep_versions': 1}"), 0);
    fixture_wait(site, 1000000);
    fixture_assert_version(site, id, 2, "removed");
}

static void a_manifest_that_another_version_has_stays(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *manifests = NULL;
    char id[SITE_ID_MAX];
    char job[UUID_TEXT_MAX];

    fixture_create_package(site, id);
    assert_int_equal(fixture_set(site, id, "{'keep_versions': 1}"), 0);
    assert_int_equal(fixture_update(site, id, "{}"), 0);
    fixture_finish_job(site, TREE(SHA_A));
    fixture_wait(site, 1000000);
    fixture_assert_version(site, id, 1, "removed");
    manifests = fixture_claim_removal(site, job);
    assert_int_equal(json_array_size(manifests), 0);
}

static void nothing_is_made_while_something_is_removed(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *manifests = NULL;
    char id[SITE_ID_MAX];
    char job[UUID_TEXT_MAX];
    char making[UUID_TEXT_MAX];

    fixture_create_package(site, id);
    assert_int_equal(content_delete(site, "test", id), 0);
    manifests = fixture_claim_removal(site, job);
    assert_int_equal(
        fixture_create(site, CONTENT_PACKAGE, "{'name': 'Again', 'source_path': '/src'}", NULL), 0);
    fixture_assert_idle(site);
    fixture_tell(site, job, "{'state': 'succeeded', 'result': {}}");
    fixture_claim(site, making);
}

static void a_removal_that_failed_is_tried_again(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *manifests = NULL;
    OWN(json_freep) json_t *again = NULL;
    char id[SITE_ID_MAX];
    char job[UUID_TEXT_MAX];

    fixture_create_package(site, id);
    assert_int_equal(content_delete(site, "test", id), 0);
    manifests = fixture_claim_removal(site, job);
    fixture_tell(site, job, "{'state': 'failed', 'error_id': 'SLW-0315', 'message': 'I/O error'}");
    fixture_assert_idle(site);
    fixture_wait(site, FIXTURE_MINUTE_US * 60);
    again = fixture_claim_removal(site, job);
    assert_true(json_equal(manifests, again));
    assert_int_equal(json_array_size(again), 1);
}

static void what_is_made_after_it_was_cancelled_is_removed(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *cancelled = NULL;
    OWN(json_freep) json_t *manifests = NULL;
    char id[SITE_ID_MAX];
    char job[UUID_TEXT_MAX];
    char removal[UUID_TEXT_MAX];

    fixture_create_package(site, id);
    assert_int_equal(fixture_update(site, id, "{}"), 0);
    fixture_claim(site, job);
    assert_int_equal(job_cancel(site, "test", job, &cancelled), 0);
    fixture_tell(site, job, TREE(SHA_B));
    fixture_assert_current(site, id, 1, SHA_A);
    fixture_assert_version(site, id, 2, "failed");
    manifests = fixture_claim_removal(site, removal);
    assert_int_equal(json_array_size(manifests), 1);
    assert_string_equal(json_string_value(json_array_get(manifests, 0)), SHA_B);
}

static void an_older_version_can_become_current_again(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[SITE_ID_MAX];

    fixture_create_package(site, id);
    assert_int_equal(fixture_roll_back(site, id, 1), SITE_E_REFUSED);
    assert_int_equal(fixture_roll_back(site, id, 2), SITE_E_REFUSED);
    assert_int_equal(fixture_update(site, id, "{}"), 0);
    assert_int_equal(fixture_roll_back(site, id, 2), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_VERSION);
    fixture_finish_job(site, TREE(SHA_B));
    assert_int_equal(fixture_roll_back(site, id, 1), 0);
    fixture_assert_current(site, id, 1, SHA_A);
    fixture_wait(site, 1000000);
    fixture_assert_version(site, id, 2, "ready");
}

/* What the order of the device names for the OS image. @ret: owned by the caller. */
static json_t *ordered_image(struct site *site, const char *device)
{
    OWN(json_freep) json_t *order = NULL;
    json_t *image;

    assert_int_equal(order_get(site, device, &(struct order_client){.host = "10.77.0.1"}, &order),
                     0);
    image = json_object_get(json_object_get(order, "content"), FIXTURE_OS_IMAGE);
    assert_non_null(image);
    return json_incref(image);
}

static void an_order_keeps_the_version_it_was_given(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *before = NULL;
    OWN(json_freep) json_t *after = NULL;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];

    fixture_import(site, "pc1", FIXTURE_MAC);
    fixture_deploy(site, "All Systems", "required", deployment);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    before = ordered_image(site, device);
    assert_int_equal(field_number(before, "version", 0), 1);
    assert_int_equal(fixture_set(site, FIXTURE_OS_IMAGE, "{'keep_versions': 1}"), 0);
    assert_int_equal(fixture_update(site, FIXTURE_OS_IMAGE, "{'upload_id': 'u'}"), 0);
    fixture_finish_job(site, IMAGE(SHA_B));
    fixture_wait(site, 1000000);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    after = ordered_image(site, device);
    assert_true(json_equal(before, after));
    fixture_assert_version(site, FIXTURE_OS_IMAGE, 1, "ready");

    (void)fixture_order(site, device, order);
    assert_int_equal(fixture_report(site, device, order, 1, "failed", "boot-image"), 0);
    fixture_wait(site, 1000000);
    fixture_assert_version(site, FIXTURE_OS_IMAGE, 1, "removed");
}

static void an_order_names_the_one_manifest_of_a_package(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *body = json_object();
    OWN(json_freep) json_t *sequence = NULL;
    OWN(json_freep) json_t *deployment = NULL;
    OWN(json_freep) json_t *order = NULL;
    const json_t *package;
    char id[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];

    fixture_create_package(site, id);
    (void)json_object_set_new(
        body,
        "xml",
        json_sprintf("<sequence version=\"3.10\"><step type=\"SMS_TaskSequence_"
                     "ApplyOperatingSystemAction\" name=\"Apply\"><defaultVarList>"
                     "<variable name=\"ImagePackageID\" property=\"ImagePackageID\">%s</variable>"
                     "<variable name=\"ConfigFilePackageID\" property=\"ConfigFilePackageID\">%s"
                     "</variable><variable name=\"ImageIndex\" property=\"ImageIndex\">1</variable>"
                     "</defaultVarList></step></sequence>",
                     FIXTURE_OS_IMAGE,
                     id));
    assert_int_equal(task_sequence_create(site, "test", body, &sequence), 0);
    json_decref(body);
    body = json_pack("{s:s,s:s,s:s}",
                     "task_sequence_id",
                     field_text(sequence, "id", ""),
                     "collection",
                     "All Systems",
                     "purpose",
                     "required");
    assert_int_equal(deployment_create(site, "test", body, &deployment), 0);
    fixture_import(site, "pc1", FIXTURE_MAC);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_int_equal(order_get(site, device, &(struct order_client){.host = "10.77.0.1"}, &order),
                     0);
    package = json_object_get(json_object_get(order, "content"), id);
    assert_string_equal(field_text(package, "kind", ""), "package");
    assert_int_equal(field_number(package, "version", 0), 1);
    assert_string_equal(field_text(package, "manifest", ""), SHA_A);
    assert_int_equal(field_number(package, "size_bytes", 0), 7);
}

static void a_boot_image_that_is_gone_back_to_is_laid_out_again(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;
    const json_t *args;
    char id[SITE_ID_MAX];

    assert_int_equal(fixture_create(site, CONTENT_BOOT_IMAGE, "{'arch': 'x64'}", id), 0);
    fixture_finish_job(site, BOOT_IMAGE("6.1"));
    assert_int_equal(fixture_update(site, id, "{}"), 0);
    fixture_finish_job(site, BOOT_IMAGE("6.2"));
    assert_int_equal(fixture_roll_back(site, id, 1), 0);
    assert_int_equal(job_claim(site, JOB_OWN_DP, NULL, &job), 0);
    assert_string_equal(field_text(job, "kind", ""), "replicate");
    args = json_object_get(job, "args");
    assert_string_equal(field_text(json_object_get(args, "boot"), "arch", ""), "x64");
    assert_int_equal(json_array_size(json_object_get(args, "sources")), 1);
    assert_int_equal(json_array_size(json_object_get(args, "manifests")), 1);
    assert_int_equal(fixture_update(site, FIXTURE_BOOT_IMAGE, "{}"), 0);
    fixture_finish_job(site, BOOT_IMAGE("6.2"));
    assert_int_equal(fixture_roll_back(site, FIXTURE_BOOT_IMAGE, 1), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_becomes_current_when_it_is_ready),
        cmocka_unit_test(one_update_at_a_time),
        cmocka_unit_test(a_failed_update_leaves_the_old_version),
        cmocka_unit_test(old_versions_go_when_the_keep_count_says),
        cmocka_unit_test(a_manifest_that_another_version_has_stays),
        cmocka_unit_test(nothing_is_made_while_something_is_removed),
        cmocka_unit_test(a_removal_that_failed_is_tried_again),
        cmocka_unit_test(what_is_made_after_it_was_cancelled_is_removed),
        cmocka_unit_test(an_older_version_can_become_current_again),
        cmocka_unit_test(an_order_keeps_the_version_it_was_given),
        cmocka_unit_test(an_order_names_the_one_manifest_of_a_package),
        cmocka_unit_test(a_boot_image_that_is_gone_back_to_is_laid_out_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
