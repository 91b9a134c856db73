/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/principal.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "db/db.h"
#include "site/collection.h"
#include "site/collection_rule.h"
#include "site/content.h"
#include "site/deployment_change.h"
#include "site/device.h"
#include "site/fixture.h"
#include "site/object.h"
#include "site/permission.h"
#include "site/rows.h"
#include "site/task_sequence.h"

#define SOMEBODY "AD00099"

/* Somebody with one role for one scope or collection. */
static void grant(struct site *site, const char *role, const char *target)
{
    struct db_args who =
        DB_ARGS(db_text(SOMEBODY), db_text("somebody"), db_text(""), db_u64(site->now_us));

    assert_true(db_run(site->db, SQL_ADMINISTRATOR_ADD, who, NULL) >= 0);
    assert_int_equal(db_must(site->db,
                             SQL_ADMINISTRATOR_GRANT_ADD,
                             DB_ARGS(db_text(SOMEBODY), db_text(role), db_text(target))),
                     0);
}

static void be_somebody(struct site *site, const char *words)
{
    struct principal principal = {.id = SOMEBODY, .name = "somebody"};

    (void)snprintf(principal.permissions, sizeof(principal.permissions), "%s", words);
    principal_set(site, &principal);
}

static void make_scope(struct site *site, const char *id, const char *object)
{
    assert_int_equal(db_must(site->db,
                             SQL_SECURITY_SCOPE_ADD,
                             DB_ARGS(db_text(id), db_text(id), db_text(""), db_u64(1))),
                     0);
    assert_int_equal(
        db_must(site->db, SQL_SECURITY_SCOPE_OBJECT_ADD, DB_ARGS(db_text(object), db_text(id))), 0);
}

static size_t count_content(struct site *site)
{
    OWN(json_freep) json_t *list = NULL;
    struct page page = {.after = "", .limit = 100};

    assert_int_equal(content_list(site, N_CONTENT_KINDS, &page, &list), 0);
    return json_array_size(json_object_get(list, "items"));
}

static void nobody_but_the_site_itself_may_anything_by_default(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    assert_int_equal(principal_check(site, "device", "read"), 0);
    assert_int_equal(count_content(site), 2);
    be_somebody(site, "*");
    assert_int_equal(principal_check(site, "device", "read"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_FORBIDDEN);
    assert_int_equal(count_content(site), 0);
    principal_clear(site);
    assert_int_equal(count_content(site), 2);
}

static void what_is_in_a_scope_of_somebody_else_is_not_there(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[PRINCIPAL_OBJECT_MAX];
    char forbidden[512];

    make_scope(site, "SS00001", FIXTURE_OS_IMAGE);
    grant(site, "SLP000AR", "SLP00UNA");
    be_somebody(site, "*");
    assert_int_equal(count_content(site), 1);
    assert_int_equal(object_find(site, "os-image", FIXTURE_OS_IMAGE, id), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
    (void)snprintf(forbidden, sizeof(forbidden), "%s", site->refusal.detail);
    assert_int_equal(object_find(site, "os-image", "SLP0FFFF", id), SITE_E_REFUSED);
    assert_int_equal(strlen(forbidden), strlen(site->refusal.detail));
    assert_int_equal(
        principal_check_object(site, "os-image", "delete", "os-image", FIXTURE_OS_IMAGE),
        SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
    assert_int_equal(
        principal_check_object(site, "content", "delete", "content", FIXTURE_BOOT_IMAGE), 0);

    grant(site, "SLP0002R", "SS00001");
    be_somebody(site, "*");
    assert_int_equal(count_content(site), 2);
    assert_int_equal(principal_check_object(site, "content", "read", "content", FIXTURE_OS_IMAGE),
                     0);
    assert_int_equal(principal_check_object(site, "content", "delete", "content", FIXTURE_OS_IMAGE),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_FORBIDDEN);
}

static void devices_come_with_their_collections(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *body = fixture_json("{'name': 'Lab'}");
    char device[ACCESS_DEVICE_ID_MAX];
    char found[ACCESS_DEVICE_ID_MAX];
    const char *lab;

    fixture_import(site, "PC1", FIXTURE_MAC);
    assert_int_equal(device_find(site, "PC1", device), 0);
    assert_int_equal(collection_create(site, "test", body, &made), 0);
    lab = json_string_value(json_object_get(made, "id"));
    grant(site, "SLP000KR", lab);
    be_somebody(site, "*");
    assert_int_equal(device_find(site, "PC1", found), SITE_E_REFUSED);
    assert_int_equal(device_find(site, FIXTURE_MAC, found), SITE_E_REFUSED);
    principal_clear(site);
    assert_int_equal(collection_add_device(site, lab, device), 0);
    be_somebody(site, "*");
    assert_int_equal(device_find(site, "PC1", found), 0);
    assert_int_equal(principal_check_object(site, "device", "read", "device", "PC1"), 0);
    assert_int_equal(principal_check_object(site, "device", "modify", "device", "PC1"),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_FORBIDDEN);
    assert_int_equal(principal_check_object(site, "collection", "deploy", "collection", "Lab"), 0);
    assert_int_equal(
        principal_check_object(site, "collection", "deploy", "collection", "All Systems"),
        SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
}

static uint64_t clear_pc1(struct site *site)
{
    OWN(json_freep) json_t *cleared = NULL;

    assert_int_equal(deployment_clear_device(site, "test", "PC1", &cleared), 0);
    return (uint64_t)json_integer_value(json_object_get(cleared, "cleared"));
}

static void what_another_teams_deployment_did_is_not_cleared(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *body = fixture_json("{'name': 'Lab'}");
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
    const char *lab;

    fixture_import(site, "PC1", FIXTURE_MAC);
    assert_int_equal(device_find(site, "PC1", device), 0);
    assert_int_equal(collection_create(site, "test", body, &made), 0);
    lab = json_string_value(json_object_get(made, "id"));
    assert_int_equal(collection_add_device(site, lab, device), 0);
    fixture_deploy(site, "All Systems", "required", deployment);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    (void)fixture_order(site, device, order);
    assert_int_equal(fixture_report(site, device, order, 1, "failed", "boot-image"), 0);
    grant(site, "SLP0001R", lab);
    be_somebody(site, "*");
    assert_int_equal(clear_pc1(site), 0);
    principal_clear(site);
    assert_int_equal(clear_pc1(site), 1);
}

static void what_one_makes_is_in_his_scopes(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[SITE_ID_MAX];
    OWN(db_rows_fini) struct db_rows rows = {0};

    make_scope(site, "SS00001", FIXTURE_OS_IMAGE);
    grant(site, "SLP000AR", "SS00001");
    be_somebody(site, "*");
    site->principal.operation = permission_of_route("POST", "/api/v1/packages");
    assert_non_null(site->principal.operation);
    assert_int_equal(site_take_id(site, SITE_ID_OBJECT, id), 0);
    assert_int_equal(
        db_first(site->db, SQL_SECURITY_SCOPE_OBJECTS, DB_ARGS(db_text("SS00001")), &rows), DB_ROW);
    assert_int_equal(db_next(&rows), DB_ROW);
    assert_string_equal(db_get_text(&rows, 0), id);
}

static void a_token_may_be_good_for_less(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    grant(site, "SLP0001R", "SLP00ALL");
    be_somebody(site, "device.read *.delete collection.*");
    assert_int_equal(principal_check(site, "device", "read"), 0);
    assert_int_equal(principal_check(site, "device", "modify"), SITE_E_REFUSED);
    assert_int_equal(principal_check(site, "boundary", "delete"), 0);
    assert_int_equal(principal_check(site, "collection", "deploy"), 0);
    assert_int_equal(principal_check(site, "content", "read"), SITE_E_REFUSED);
    assert_int_equal(principal_check_object(site, "content", "read", "content", FIXTURE_OS_IMAGE),
                     SITE_E_REFUSED);
    assert_true(principal_words_are_fit("device.read *"));
    assert_false(principal_words_are_fit(""));
    assert_false(principal_words_are_fit("device;read"));
}

static void a_request_that_reads_cannot_write(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(db_rollbackp) struct db *tx = NULL;

    db_set_read_only(site->db, true);
    assert_int_equal(count_content(site), 2);
    assert_int_equal(db_begin(site->db, &tx), -EROFS);
    assert_int_equal(db_must(site->db, SQL_DEPLOYMENT_CANCEL, DB_ARGS(db_text("x"))), -EROFS);
    db_set_read_only(site->db, false);
    assert_int_equal(db_must(site->db, SQL_DEPLOYMENT_CANCEL, DB_ARGS(db_text("x"))), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_but_the_site_itself_may_anything_by_default),
        cmocka_unit_test(what_is_in_a_scope_of_somebody_else_is_not_there),
        cmocka_unit_test(devices_come_with_their_collections),
        cmocka_unit_test(what_one_makes_is_in_his_scopes),
        cmocka_unit_test(what_another_teams_deployment_did_is_not_cleared),
        cmocka_unit_test(a_token_may_be_good_for_less),
        cmocka_unit_test(a_request_that_reads_cannot_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
