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
#include "site/order.h"
#include "site/task_sequence.h"

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define SHA_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

#define TREE(sha) \
    "{'state': 'succeeded', 'result': {'manifest': '" sha \
    "', 'size_bytes': 7, 'file_count': 2, 'new_bytes': 3}}"
#define IMAGE(sha) \
    "{'state': 'succeeded', 'result': {'new_bytes': 4, 'indexes': [{'index': 1, 'size_bytes': 9," \
    "'languages': 'en-US', 'build': '10.0.20348.1', 'manifest': '" sha "'}]}}"
#define BOOT_IMAGE(kernel) \
    "{'state': 'succeeded', 'result': {'kernel_version': '" kernel \
    "', 'agent_version': '1', 'manifest': '" SHA_A \
    "', 'files': {'vmlinuz': {'size': 1, 'sha256': '" SHA_B \
    "'}, 'initrd.img': {'size': 2, 'sha256': '" SHA_C "'}}}}"

static int create(struct site *site, enum content_kind kind, const char *text, char *ret_id)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *package = NULL;
    int r = content_create(site, kind, "test", body, &package);

    if (r == 0 && ret_id)
        (void)snprintf(ret_id, SITE_ID_MAX, "%s", field_text(package, "id", ""));
    return r;
}

static void create_package(struct site *site, char ret_id[static SITE_ID_MAX])
{
    assert_int_equal(
        create(site, CONTENT_PACKAGE, "{'name': 'Tools', 'source_path': '/src/tools'}", ret_id), 0);
    fixture_finish_job(site, TREE(SHA_A));
}

static int update(struct site *site, const char *id, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    return content_update(site, "test", id, body, &answer);
}

static int roll_back(struct site *site, const char *id, unsigned version)
{
    OWN(json_freep) json_t *body = json_pack("{s:i}", "version", (int)version);
    OWN(json_freep) json_t *answer = NULL;

    return content_rollback(site, "test", id, body, &answer);
}

static int set(struct site *site, const char *id, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    return content_set(site, "test", id, body, &answer);
}

static void assert_current(struct site *site, const char *id, unsigned version, const char *sha)
{
    OWN(json_freep) json_t *package = NULL;

    assert_int_equal(content_get(site, N_CONTENT_KINDS, id, &package), 0);
    assert_string_equal(field_text(package, "state", ""), "ready");
    assert_int_equal(field_number(package, "current_version", 0), version);
    assert_string_equal(field_text(package, "manifest", ""), sha);
}

static void assert_version(struct site *site, const char *id, unsigned version, const char *state)
{
    OWN(json_freep) json_t *list = NULL;
    struct page page = {.after = "", .limit = 100};
    const json_t *item;

    assert_int_equal(content_versions(site, id, &page, &list), 0);
    item = json_array_get(json_object_get(list, "items"), version - 1);
    assert_int_equal(field_number(item, "version", 0), version);
    assert_string_equal(field_text(item, "state", ""), state);
}

/* The next job, which must be a removal. @ret: its manifests; owned by the caller. */
static json_t *claim_removal(struct site *site, char ret_job[static UUID_TEXT_MAX])
{
    OWN(json_freep) json_t *job = NULL;

    assert_int_equal(job_claim(site, JOB_OWN_DP, NULL, &job), 0);
    assert_non_null(job);
    assert_string_equal(field_text(job, "kind", ""), "remove");
    (void)snprintf(ret_job, UUID_TEXT_MAX, "%s", field_text(job, "id", ""));
    return json_incref(json_object_get(json_object_get(job, "args"), "manifests"));
}

static void assert_idle(struct site *site)
{
    OWN(json_freep) json_t *job = NULL;

    assert_int_equal(job_claim(site, JOB_OWN_DP, NULL, &job), 0);
    assert_null(job);
}

/* @n times @character as the value of a member; Return: outcome of content_create(). */
static int create_long(struct site *site, const char *member, const char *character, unsigned n)
{
    OWN(json_freep) json_t *body = fixture_json("{'name': 'Long', 'source_path': '/src'}");
    OWN(json_freep) json_t *package = NULL;
    char text[512] = "";
    size_t len = 0;

    for (unsigned i = 0; i < n; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", character);
    (void)json_object_set_new(body, member, json_string(text));
    return content_create(site, CONTENT_PACKAGE, "test", body, &package);
}

static void lengths_are_counted_in_characters(void **state)
{
    (void)state;
    static const struct {
        const char *member;
        unsigned max;
    } cases[] = {
        {"name", CONTENT_NAME_MAX},
        {"version", CONTENT_VERSION_MAX},
        {"comment", CONTENT_COMMENT_MAX},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(fixture_freep) struct site *site = fixture_new();

        assert_int_equal(create_long(site, cases[i].member, "x", cases[i].max + 1), SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, REFUSAL_INVALID);
        assert_int_equal(create_long(site, cases[i].member, "\xc3\xa4", cases[i].max + 1),
                         SITE_E_REFUSED);
        assert_int_equal(create_long(site, cases[i].member, "\xc3\xa4", cases[i].max), 0);
    }
}

static void what_cannot_be_made_is_refused(void **state)
{
    (void)state;
    static const struct {
        enum content_kind kind;
        const char *body;
        enum refusal_id id;
    } cases[] = {
        {CONTENT_PACKAGE, "{'name': '', 'source_path': '/a'}", REFUSAL_INVALID},
        {CONTENT_PACKAGE, "{'name': 'a\\nb', 'source_path': '/a'}", REFUSAL_INVALID},
        {CONTENT_PACKAGE, "{'name': 'P', 'source_path': 'a'}", REFUSAL_INVALID},
        {CONTENT_PACKAGE, "{'name': 'P', 'source_path': '/'}", REFUSAL_INVALID},
        {CONTENT_PACKAGE, "{'name': 'P', 'source_path': '/a/../b'}", REFUSAL_INVALID},
        {CONTENT_PACKAGE, "{'name': 'P', 'source_path': '/a//b'}", REFUSAL_INVALID},
        {CONTENT_PACKAGE, "{'name': 'P', 'source_path': '/a/.'}", REFUSAL_INVALID},
        {CONTENT_PACKAGE,
         "{'name': 'P', 'source_path': '/a', 'keep_versions': 0}",
         REFUSAL_INVALID},
        {CONTENT_PACKAGE,
         "{'name': 'P', 'source_path': '/a', 'priority': 'none'}",
         REFUSAL_INVALID},
        {CONTENT_PACKAGE, "{'name': 'P'}", REFUSAL_NO_SOURCE},
        {CONTENT_PACKAGE, "{'name': 'P', 'upload_id': 'u'}", REFUSAL_KIND},
        {CONTENT_DRIVER_PACKAGE, "{'name': 'P', 'upload_id': 'u'}", REFUSAL_KIND},
        {CONTENT_OS_IMAGE, "{'name': 'P', 'upload_id': 'u', 'source_path': '/a'}", REFUSAL_INVALID},
        {CONTENT_OS_IMAGE, "{'name': 'debian', 'upload_id': 'u'}", REFUSAL_DUPLICATE},
        {CONTENT_BOOT_IMAGE, "{'arch': 'x86'}", REFUSAL_ARCH},
        {CONTENT_BOOT_IMAGE, "{'arch': 'mips'}", REFUSAL_INVALID},
    };
    OWN(fixture_freep) struct site *site = fixture_new();

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(create(site, cases[i].kind, cases[i].body, NULL), SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, cases[i].id);
    }
    assert_idle(site);
}

static void equal_names_need_other_versions_or_kinds(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    const char *body = "{'name': 'Debian', 'source_path': '/a'}";
    char id[SITE_ID_MAX];

    assert_int_equal(create(site, CONTENT_OS_IMAGE, body, NULL), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_DUPLICATE);
    assert_non_null(strstr(site->refusal.detail, FIXTURE_OS_IMAGE));
    assert_int_equal(create(site, CONTENT_PACKAGE, body, NULL), 0);
    assert_int_equal(
        create(site, CONTENT_OS_IMAGE, "{'name': 'Debian', 'version': '13', 'upload_id': 'u'}", id),
        0);
    assert_int_equal(set(site, id, "{'version': ''}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_DUPLICATE);
    assert_int_equal(set(site, id, "{'version': '13', 'comment': 'c'}"), 0);
}

static void boot_images_without_a_name_get_one_of_their_own(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *body = fixture_json("{'arch': 'x64'}");
    OWN(json_freep) json_t *second = NULL;

    assert_int_equal(content_create(site, CONTENT_BOOT_IMAGE, "test", body, &second), 0);
    assert_string_equal(field_text(second, "name", ""), "Boot image (x64, generic) 2");
}

static void an_update_becomes_current_when_it_is_ready(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[SITE_ID_MAX];

    create_package(site, id);
    assert_int_equal(update(site, id, "{}"), 0);
    assert_current(site, id, 1, SHA_A);
    assert_version(site, id, 2, "making");
    fixture_finish_job(site, TREE(SHA_B));
    assert_current(site, id, 2, SHA_B);
    assert_version(site, id, 1, "ready");
}

static void one_update_at_a_time(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[SITE_ID_MAX];

    create_package(site, id);
    assert_int_equal(update(site, id, "{}"), 0);
    assert_int_equal(update(site, id, "{}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_BUSY);
}

static void a_failed_update_leaves_the_old_version(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *package = NULL;
    char id[SITE_ID_MAX];

    create_package(site, id);
    assert_int_equal(update(site, id, "{'source_path': '/gone'}"), 0);
    fixture_finish_job(site, "{'state': 'failed', 'error_id': 'SLW-0308', 'message': '/gone'}");
    assert_current(site, id, 1, SHA_A);
    assert_version(site, id, 2, "failed");
    assert_int_equal(content_get(site, CONTENT_PACKAGE, id, &package), 0);
    assert_string_equal(field_text(package, "source_path", ""), "/src/tools");
    assert_int_equal(update(site, id, "{'source_path': '/new'}"), 0);
    fixture_finish_job(site, TREE(SHA_B));
    assert_current(site, id, 3, SHA_B);
    json_decref(package);
    assert_int_equal(content_get(site, CONTENT_PACKAGE, id, &package), 0);
    assert_string_equal(field_text(package, "source_path", ""), "/new");
}

static void a_first_version_that_fails_leaves_nothing(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *package = NULL;
    const char *body = "{'name': 'Tools', 'source_path': '/gone'}";
    char id[SITE_ID_MAX];

    assert_int_equal(create(site, CONTENT_PACKAGE, body, id), 0);
    fixture_finish_job(site, "{'state': 'failed', 'error_id': 'SLW-0308', 'message': '/gone'}");
    assert_int_equal(content_get(site, CONTENT_PACKAGE, id, &package), SITE_E_REFUSED);
    assert_int_equal(create(site, CONTENT_PACKAGE, body, NULL), 0);
}

static void what_was_uploaded_is_updated_by_an_upload(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    assert_int_equal(update(site, FIXTURE_OS_IMAGE, "{}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NO_SOURCE);
    assert_int_equal(update(site, FIXTURE_OS_IMAGE, "{'upload_id': 'u'}"), 0);
    assert_int_equal(update(site, "SLP0FFFF", "{'upload_id': 'u'}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
}

static void old_versions_go_when_the_keep_count_says(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *manifests = NULL;
    char id[SITE_ID_MAX];
    char job[UUID_TEXT_MAX];

    create_package(site, id);
    assert_int_equal(update(site, id, "{}"), 0);
    fixture_finish_job(site, TREE(SHA_B));
    fixture_wait(site, 1000000);
    assert_version(site, id, 1, "ready");
    assert_int_equal(update(site, id, "{}"), 0);
    fixture_finish_job(site, TREE(SHA_C));
    fixture_wait(site, 1000000);
    assert_version(site, id, 1, "removed");
    assert_version(site, id, 2, "ready");
    manifests = claim_removal(site, job);
    assert_int_equal(json_array_size(manifests), 1);
    assert_string_equal(json_string_value(json_array_get(manifests, 0)), SHA_A);
    assert_int_equal(set(site, id, "{'keep_versions': 1}"), 0);
    fixture_wait(site, 1000000);
    assert_version(site, id, 2, "removed");
}

static void a_manifest_that_another_version_has_stays(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *manifests = NULL;
    char id[SITE_ID_MAX];
    char job[UUID_TEXT_MAX];

    create_package(site, id);
    assert_int_equal(set(site, id, "{'keep_versions': 1}"), 0);
    assert_int_equal(update(site, id, "{}"), 0);
    fixture_finish_job(site, TREE(SHA_A));
    fixture_wait(site, 1000000);
    assert_version(site, id, 1, "removed");
    manifests = claim_removal(site, job);
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

    create_package(site, id);
    assert_int_equal(content_delete(site, "test", id), 0);
    manifests = claim_removal(site, job);
    assert_int_equal(
        create(site, CONTENT_PACKAGE, "{'name': 'Again', 'source_path': '/src'}", NULL), 0);
    assert_idle(site);
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

    create_package(site, id);
    assert_int_equal(content_delete(site, "test", id), 0);
    manifests = claim_removal(site, job);
    fixture_tell(site, job, "{'state': 'failed', 'error_id': 'SLW-0315', 'message': 'I/O error'}");
    assert_idle(site);
    fixture_wait(site, FIXTURE_MINUTE_US * 60);
    again = claim_removal(site, job);
    assert_true(json_equal(manifests, again));
    assert_int_equal(json_array_size(again), 1);
}

static void an_older_version_can_become_current_again(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[SITE_ID_MAX];

    create_package(site, id);
    assert_int_equal(roll_back(site, id, 1), SITE_E_REFUSED);
    assert_int_equal(roll_back(site, id, 2), SITE_E_REFUSED);
    assert_int_equal(update(site, id, "{}"), 0);
    assert_int_equal(roll_back(site, id, 2), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_VERSION);
    fixture_finish_job(site, TREE(SHA_B));
    assert_int_equal(roll_back(site, id, 1), 0);
    assert_current(site, id, 1, SHA_A);
    fixture_wait(site, 1000000);
    assert_version(site, id, 2, "ready");
}

static void used_content_is_not_deleted(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char deployment[SITE_ID_MAX];

    fixture_deploy(site, "All Systems", "required", deployment);
    assert_int_equal(content_delete(site, "test", FIXTURE_OS_IMAGE), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_IN_USE);
    assert_non_null(strstr(site->refusal.detail, FIXTURE_SEQUENCE));
    assert_non_null(strstr(site->refusal.detail, deployment));
    assert_int_equal(content_delete(site, "test", FIXTURE_BOOT_IMAGE), SITE_E_REFUSED);
    assert_int_equal(content_delete(site, "test", "SLP0FFFF"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
}

static void deleting_forgets_no_removal(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *first = NULL;
    OWN(json_freep) json_t *second = NULL;
    char id[SITE_ID_MAX];
    char job[UUID_TEXT_MAX];

    create_package(site, id);
    assert_int_equal(set(site, id, "{'keep_versions': 1}"), 0);
    assert_int_equal(update(site, id, "{}"), 0);
    fixture_finish_job(site, TREE(SHA_B));
    fixture_wait(site, 1000000);
    assert_int_equal(content_delete(site, "test", id), 0);
    first = claim_removal(site, job);
    assert_string_equal(json_string_value(json_array_get(first, 0)), SHA_A);
    second = claim_removal(site, job);
    assert_string_equal(json_string_value(json_array_get(second, 0)), SHA_B);
}

static void deleting_ends_what_is_being_made(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *operation = NULL;
    OWN(json_freep) json_t *package = NULL;
    OWN(json_freep) json_t *manifests = NULL;
    char id[SITE_ID_MAX];
    char job[UUID_TEXT_MAX];
    char removal[UUID_TEXT_MAX];

    create_package(site, id);
    assert_int_equal(update(site, id, "{}"), 0);
    fixture_claim(site, job);
    assert_int_equal(content_delete(site, "test", id), 0);
    assert_int_equal(operation_get(site, job, &operation), 0);
    assert_string_equal(field_text(operation, "state", ""), "cancelled");
    assert_string_equal(field_text(operation, "package_id", ""), id);
    assert_int_equal(content_get(site, CONTENT_PACKAGE, id, &package), SITE_E_REFUSED);
    manifests = claim_removal(site, removal);
    assert_string_equal(json_string_value(json_array_get(manifests, 0)), SHA_A);
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
    assert_int_equal(set(site, FIXTURE_OS_IMAGE, "{'keep_versions': 1}"), 0);
    assert_int_equal(update(site, FIXTURE_OS_IMAGE, "{'upload_id': 'u'}"), 0);
    fixture_finish_job(site, IMAGE(SHA_B));
    fixture_wait(site, 1000000);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    after = ordered_image(site, device);
    assert_true(json_equal(before, after));
    assert_version(site, FIXTURE_OS_IMAGE, 1, "ready");

    (void)fixture_order(site, device, order);
    assert_int_equal(fixture_report(site, device, order, 1, "failed", "boot-image"), 0);
    fixture_wait(site, 1000000);
    assert_version(site, FIXTURE_OS_IMAGE, 1, "removed");
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

    create_package(site, id);
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

static int rebuild(struct site *site, const char *kernel, const char *agent)
{
    OWN(json_freep)
    json_t *body =
        json_pack("{s:{s:{s:s}},s:s}", "kernels", "x64", "generic", kernel, "agent_version", agent);

    return content_rebuild(site, body);
}

static void boot_images_follow_the_kernel_and_the_agent(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char custom[SITE_ID_MAX];

    assert_int_equal(create(site, CONTENT_BOOT_IMAGE, "{'arch': 'x64', 'is_custom': true}", custom),
                     0);
    fixture_finish_job(site, BOOT_IMAGE("6.1"));
    assert_int_equal(rebuild(site, "6.2", "1"), 0);
    assert_int_equal(rebuild(site, "6.2", "1"), 0);
    assert_version(site, FIXTURE_BOOT_IMAGE, 2, "making");
    fixture_finish_job(site, BOOT_IMAGE("6.2"));
    assert_int_equal(rebuild(site, "6.2", "1"), 0);
    assert_idle(site);
    assert_int_equal(rebuild(site, "6.2", "2"), 0);
    fixture_finish_job(site, "{'state': 'failed', 'error_id': 'SLW-0501', 'message': 'none'}");
    assert_int_equal(rebuild(site, "6.2", "2"), 0);
    assert_idle(site);
    fixture_wait(site, CONTENT_REBUILD_US + 1);
    assert_int_equal(rebuild(site, "6.2", "2"), 0);
    fixture_finish_job(site, BOOT_IMAGE("6.2"));
    assert_current(site, FIXTURE_BOOT_IMAGE, 4, SHA_A);
    assert_int_equal(content_rebuild(site, NULL), 0);
}

static void a_boot_image_that_is_gone_back_to_is_laid_out_again(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;
    const json_t *args;
    char id[SITE_ID_MAX];

    assert_int_equal(create(site, CONTENT_BOOT_IMAGE, "{'arch': 'x64'}", id), 0);
    fixture_finish_job(site, BOOT_IMAGE("6.1"));
    assert_int_equal(update(site, id, "{}"), 0);
    fixture_finish_job(site, BOOT_IMAGE("6.2"));
    assert_int_equal(roll_back(site, id, 1), 0);
    assert_int_equal(job_claim(site, JOB_OWN_DP, NULL, &job), 0);
    assert_string_equal(field_text(job, "kind", ""), "replicate");
    args = json_object_get(job, "args");
    assert_string_equal(field_text(json_object_get(args, "boot"), "arch", ""), "x64");
    assert_int_equal(json_array_size(json_object_get(args, "sources")), 1);
    assert_int_equal(json_array_size(json_object_get(args, "manifests")), 1);
    assert_int_equal(update(site, FIXTURE_BOOT_IMAGE, "{}"), 0);
    fixture_finish_job(site, BOOT_IMAGE("6.2"));
    assert_int_equal(roll_back(site, FIXTURE_BOOT_IMAGE, 1), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_VERSION);
}

static int export(struct site *site, const char *id, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    return content_export(site, "test", id, body, &answer);
}

static void an_export_names_the_streams_of_its_indexes(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;
    OWN(json_freep) json_t *operation = NULL;
    const json_t *args;

    assert_int_equal(export(site, FIXTURE_BOOT_IMAGE, "{}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_KIND);
    assert_int_equal(export(site, FIXTURE_OS_IMAGE, "{'indexes': [2]}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
    assert_int_equal(export(site, FIXTURE_OS_IMAGE, "{'indexes': [1, 1]}"), SITE_E_REFUSED);
    assert_int_equal(export(site, FIXTURE_OS_IMAGE, "{'version': 2}"), SITE_E_REFUSED);
    assert_int_equal(export(site, FIXTURE_OS_IMAGE, "{'indexes': [1]}"), 0);
    assert_int_equal(job_claim(site, JOB_OWN_DP, NULL, &job), 0);
    args = json_object_get(job, "args");
    assert_string_equal(field_text(args, "compress", ""), "lzx");
    assert_string_equal(
        field_text(json_array_get(json_object_get(args, "indexes"), 0), "manifest", ""),
        FIXTURE_SHA256);
    fixture_tell(site,
                 field_text(job, "id", ""),
                 "{'state': 'succeeded', 'result': {'export_id': 'e1', 'size_bytes': 5, 'sha256': "
                 "'" SHA_A "'}}");
    assert_int_equal(operation_get(site, field_text(job, "id", ""), &operation), 0);
    assert_string_equal(field_text(json_object_get(operation, "result"), "export_id", ""), "e1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_are_counted_in_characters),
        cmocka_unit_test(what_cannot_be_made_is_refused),
        cmocka_unit_test(equal_names_need_other_versions_or_kinds),
        cmocka_unit_test(boot_images_without_a_name_get_one_of_their_own),
        cmocka_unit_test(an_update_becomes_current_when_it_is_ready),
        cmocka_unit_test(one_update_at_a_time),
        cmocka_unit_test(a_failed_update_leaves_the_old_version),
        cmocka_unit_test(a_first_version_that_fails_leaves_nothing),
        cmocka_unit_test(what_was_uploaded_is_updated_by_an_upload),
        cmocka_unit_test(old_versions_go_when_the_keep_count_says),
        cmocka_unit_test(a_manifest_that_another_version_has_stays),
        cmocka_unit_test(nothing_is_made_while_something_is_removed),
        cmocka_unit_test(a_removal_that_failed_is_tried_again),
        cmocka_unit_test(an_older_version_can_become_current_again),
        cmocka_unit_test(used_content_is_not_deleted),
        cmocka_unit_test(deleting_forgets_no_removal),
        cmocka_unit_test(deleting_ends_what_is_being_made),
        cmocka_unit_test(an_order_keeps_the_version_it_was_given),
        cmocka_unit_test(an_order_names_the_one_manifest_of_a_package),
        cmocka_unit_test(boot_images_follow_the_kernel_and_the_agent),
        cmocka_unit_test(a_boot_image_that_is_gone_back_to_is_laid_out_again),
        cmocka_unit_test(an_export_names_the_streams_of_its_indexes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
