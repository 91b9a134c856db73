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
#include "site/fields.h"
#include "site/job.h"

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
        {CONTENT_OS_IMAGE,
         "{'name': 'P', 'source_path': '/a', 'indexes': [1, 1]}",
         REFUSAL_INVALID},
        {CONTENT_OS_IMAGE, "{'name': 'P', 'source_path': '/a', 'indexes': [0]}", REFUSAL_INVALID},
        {CONTENT_OS_IMAGE, "{'name': 'P', 'source_path': '/a', 'indexes': ['1']}", REFUSAL_INVALID},
        {CONTENT_PACKAGE, "{'name': 'P', 'source_path': '/a', 'indexes': [1]}", REFUSAL_KIND},
        {CONTENT_OS_IMAGE,
         "{'name': 'P', 'source_path': '/a', 'part_upload_ids': ['v']}",
         REFUSAL_INVALID},
        {CONTENT_OS_IMAGE,
         "{'name': 'P', 'upload_id': 'u', 'part_upload_ids': [1]}",
         REFUSAL_INVALID},
        {CONTENT_OS_UPGRADE_PACKAGE,
         "{'name': 'P', 'upload_id': 'u', 'part_upload_ids': ['v']}",
         REFUSAL_KIND},
        {CONTENT_OS_IMAGE, "{'name': 'debian', 'upload_id': 'u'}", REFUSAL_DUPLICATE},
        {CONTENT_BOOT_IMAGE, "{'arch': 'mips'}", REFUSAL_INVALID},
    };
    OWN(fixture_freep) struct site *site = fixture_new();

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(fixture_create(site, cases[i].kind, cases[i].body, NULL), SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, cases[i].id);
    }
    fixture_assert_idle(site);
}

static void equal_names_need_other_versions_or_kinds(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    const char *body = "{'name': 'Debian', 'source_path': '/a'}";
    char id[SITE_ID_MAX];

    assert_int_equal(fixture_create(site, CONTENT_OS_IMAGE, body, NULL), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_DUPLICATE);
    assert_non_null(strstr(site->refusal.detail, FIXTURE_OS_IMAGE));
    assert_int_equal(fixture_create(site, CONTENT_PACKAGE, body, NULL), 0);
    assert_int_equal(
        fixture_create(
            site, CONTENT_OS_IMAGE, "{'name': 'Debian', 'version': '13', 'upload_id': 'u'}", id),
        0);
    assert_int_equal(fixture_set(site, id, "{'version': ''}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_DUPLICATE);
    assert_int_equal(fixture_set(site, id, "{'version': '13', 'comment': 'c'}"), 0);
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

static void only_so_many_failures_are_remembered(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *list = NULL;
    struct page page = {.after = "", .limit = ROWS_LIMIT_MAX};
    char id[SITE_ID_MAX];

    fixture_create_package(site, id);
    for (unsigned i = 0; i < CONTENT_HISTORY_MAX + 10; i++) {
        assert_int_equal(fixture_update(site, id, "{}"), 0);
        fixture_finish_job(site, "{'state': 'failed', 'error_id': 'SLW-0308', 'message': 'x'}");
    }
    assert_int_equal(content_versions(site, id, &page, &list), 0);
    assert_int_equal(json_array_size(json_object_get(list, "items")), CONTENT_HISTORY_MAX + 1 + 1);
    fixture_assert_current(site, id, 1, SHA_A);
}

static void a_first_version_that_fails_leaves_nothing(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *package = NULL;
    const char *body = "{'name': 'Tools', 'source_path': '/gone'}";
    char id[SITE_ID_MAX];

    assert_int_equal(fixture_create(site, CONTENT_PACKAGE, body, id), 0);
    fixture_finish_job(site, "{'state': 'failed', 'error_id': 'SLW-0308', 'message': '/gone'}");
    assert_int_equal(content_get(site, CONTENT_PACKAGE, id, &package), SITE_E_REFUSED);
    assert_int_equal(fixture_create(site, CONTENT_PACKAGE, body, NULL), 0);
}

static void what_was_uploaded_is_updated_by_an_upload(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    assert_int_equal(fixture_update(site, FIXTURE_OS_IMAGE, "{}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NO_SOURCE);
    assert_int_equal(fixture_update(site, FIXTURE_OS_IMAGE, "{'upload_id': 'u'}"), 0);
    assert_int_equal(fixture_update(site, "SLP0FFFF", "{'upload_id': 'u'}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
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

    fixture_create_package(site, id);
    assert_int_equal(fixture_set(site, id, "{'keep_versions': 1}"), 0);
    assert_int_equal(fixture_update(site, id, "{}"), 0);
    fixture_finish_job(site, TREE(SHA_B));
    fixture_wait(site, 1000000);
    assert_int_equal(content_delete(site, "test", id), 0);
    first = fixture_claim_removal(site, job);
    assert_string_equal(json_string_value(json_array_get(first, 0)), SHA_A);
    second = fixture_claim_removal(site, job);
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

    fixture_create_package(site, id);
    assert_int_equal(fixture_update(site, id, "{}"), 0);
    fixture_claim(site, job);
    assert_int_equal(content_delete(site, "test", id), 0);
    assert_int_equal(operation_get(site, job, &operation), 0);
    assert_string_equal(field_text(operation, "state", ""), "cancelled");
    assert_string_equal(field_text(operation, "package_id", ""), id);
    assert_int_equal(content_get(site, CONTENT_PACKAGE, id, &package), SITE_E_REFUSED);
    manifests = fixture_claim_removal(site, removal);
    assert_string_equal(json_string_value(json_array_get(manifests, 0)), SHA_A);
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

static int find(struct site *site, unsigned among, const char *text, const char *want)
{
    char id[SITE_ID_MAX] = "";
    int r = content_find(site, among, text, id);

    if (r == 0)
        assert_string_equal(id, want);
    return r == 0 ? 0 : (int)site->refusal.id;
}

static void content_is_found_by_its_name_unless_several_have_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[SITE_ID_MAX];

    assert_int_equal(find(site, CONTENT_FIND_ANY, "debian", FIXTURE_OS_IMAGE), 0);
    assert_int_equal(find(site, CONTENT_OS_IMAGE, FIXTURE_OS_IMAGE, FIXTURE_OS_IMAGE), 0);
    assert_int_equal(find(site, CONTENT_PACKAGE, FIXTURE_OS_IMAGE, ""), REFUSAL_MISSING);
    assert_int_equal(find(site, CONTENT_FIND_ANY, FIXTURE_SEQUENCE, ""), REFUSAL_MISSING);
    assert_int_equal(find(site, CONTENT_FIND_ALL, FIXTURE_SEQUENCE, FIXTURE_SEQUENCE), 0);
    assert_int_equal(find(site, CONTENT_FIND_TASK_SEQUENCES, FIXTURE_OS_IMAGE, ""),
                     REFUSAL_MISSING);
    assert_int_equal(
        fixture_create(site, CONTENT_PACKAGE, "{'name': 'Debian', 'source_path': '/a'}", id), 0);
    assert_int_equal(find(site, CONTENT_PACKAGE, "Debian", id), 0);
    assert_int_equal(find(site, CONTENT_FIND_ANY, "Debian", ""), REFUSAL_AMBIGUOUS);
    assert_non_null(strstr(site->refusal.detail, id));
    assert_non_null(strstr(site->refusal.detail, FIXTURE_OS_IMAGE));
    /* nothing is called as another's id */
    assert_int_equal(fixture_set(site, id, "{'name': '" FIXTURE_OS_IMAGE "'}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_INVALID);
}

static void manifests_that_no_version_has_are_told(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *ask = json_pack("{s:[s,s]}", "manifests", FIXTURE_SHA256, SHA_A);
    OWN(json_freep) json_t *bad = fixture_json("{'manifests': [1]}");
    OWN(json_freep) json_t *answer = NULL;
    const json_t *unnamed;

    assert_int_equal(content_unnamed(site, ask, &answer), 0);
    unnamed = json_object_get(answer, "unnamed");
    assert_int_equal(json_array_size(unnamed), 1);
    assert_string_equal(json_string_value(json_array_get(unnamed, 0)), SHA_A);
    assert_int_equal(json_array_size(json_object_get(ask, "manifests")), 2);
    assert_int_equal(content_unnamed(site, bad, &answer), SITE_E_REFUSED);
}

/* A computer that captures, and the command line, repeat a request that nobody has answered. */
static void the_same_request_with_the_same_upload_gets_the_same_answer(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *update = fixture_json("{'upload_id': 'u8'}");
    OWN(json_freep) json_t *first = NULL;
    OWN(json_freep) json_t *second = NULL;
    static const char made[] = "{'name': 'Image', 'upload_id': 'u7'}";
    char id[SITE_ID_MAX];
    char again[SITE_ID_MAX];

    assert_int_equal(fixture_create(site, CONTENT_OS_IMAGE, made, id), 0);
    assert_int_equal(fixture_create(site, CONTENT_OS_IMAGE, made, again), 0);
    assert_string_equal(id, again);
    fixture_finish_job(site, IMAGE(SHA_A));
    assert_int_equal(fixture_create(site, CONTENT_OS_IMAGE, made, again), 0);
    assert_string_equal(id, again);
    assert_int_equal(
        fixture_create(site, CONTENT_OS_IMAGE, "{'name': 'Image', 'upload_id': 'u9'}", NULL),
        SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_DUPLICATE);
    assert_int_equal(content_update(site, "test", id, update, &first), 0);
    assert_int_equal(content_update(site, "test", id, update, &second), 0);
    assert_true(json_equal(first, second));
    fixture_assert_version(site, id, 2, "making");
    fixture_finish_job(site, "{'state': 'failed', 'error_id': 'SLW-0304', 'message': 'bad'}");
    assert_int_equal(fixture_update(site, id, "{'upload_id': 'u8'}"), 0);
    fixture_assert_version(site, id, 3, "making");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_is_found_by_its_name_unless_several_have_it),
        cmocka_unit_test(manifests_that_no_version_has_are_told),
        cmocka_unit_test(lengths_are_counted_in_characters),
        cmocka_unit_test(what_cannot_be_made_is_refused),
        cmocka_unit_test(equal_names_need_other_versions_or_kinds),
        cmocka_unit_test(boot_images_without_a_name_get_one_of_their_own),
        cmocka_unit_test(only_so_many_failures_are_remembered),
        cmocka_unit_test(a_first_version_that_fails_leaves_nothing),
        cmocka_unit_test(what_was_uploaded_is_updated_by_an_upload),
        cmocka_unit_test(used_content_is_not_deleted),
        cmocka_unit_test(deleting_forgets_no_removal),
        cmocka_unit_test(deleting_ends_what_is_being_made),
        cmocka_unit_test(an_export_names_the_streams_of_its_indexes),
        cmocka_unit_test(the_same_request_with_the_same_upload_gets_the_same_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
