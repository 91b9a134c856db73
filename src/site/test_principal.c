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
#include "site/deployment.h"
#include "site/deployment_change.h"
#include "site/device.h"
#include "site/device_change.h"
#include "site/device_import.h"
#include "site/device_search.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/object.h"
#include "site/permission.h"
#include "site/rows.h"
#include "site/status_message.h"
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

/* A collection limited to another one; @ret: its id. */
static void make_collection(struct site *site,
                            const char *name,
                            const char *limiting,
                            char ret[static SITE_ID_MAX])
{
    OWN(json_freep) json_t *body = json_pack("{s:s,s:s}", "name", name, "limiting", limiting);
    OWN(json_freep) json_t *made = NULL;

    assert_int_equal(collection_create(site, "test", body, &made), 0);
    (void)snprintf(ret, SITE_ID_MAX, "%s", json_string_value(json_object_get(made, "id")));
}

static int add_rule(struct site *site, const char *collection, const char *rule)
{
    OWN(json_freep) json_t *body = fixture_json(rule);
    OWN(json_freep) json_t *answer = NULL;

    return collection_rule_add(site, "test", collection, body, &answer);
}

static int add_query(struct site *site, const char *collection)
{
    OWN(json_freep)
    json_t *body =
        json_pack("{s:s,s:s,s:s}", "type", "query", "name", "all", "filter", "name ne ''");
    OWN(json_freep) json_t *answer = NULL;

    return collection_rule_add(site, "test", collection, body, &answer);
}

static int limit_to(struct site *site, const char *collection, const char *limiting)
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "limiting", limiting);
    OWN(json_freep) json_t *answer = NULL;

    return collection_change(site, "test", collection, body, &answer);
}

static void nobody_makes_his_collection_wider(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char lab[SITE_ID_MAX];
    char part[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];

    fixture_import(site, "PC1", FIXTURE_MAC);
    fixture_import(site, "PC2", "52:54:00:77:00:02");
    assert_int_equal(device_find(site, "PC1", device), 0);
    make_collection(site, "Lab", "All Systems", lab);
    assert_int_equal(collection_add_device(site, lab, device), 0);
    grant(site, "SLP000ER", lab);
    be_somebody(site, "*");
    assert_int_equal(add_query(site, lab), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NOT_TO_FILL);
    assert_int_equal(collection_rule_remove(site, "test", lab, "direct", "PC1"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NOT_TO_FILL);
    assert_int_equal(collection_add_device(site, lab, device), SITE_E_REFUSED);

    make_collection(site, "Part", "Lab", part);
    assert_int_equal(add_query(site, part), 0);
    assert_int_equal(device_find(site, "PC1", device), 0);
    assert_int_equal(device_find(site, "PC2", device), SITE_E_REFUSED);
    assert_int_equal(limit_to(site, lab, part), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NOT_TO_FILL);
    assert_int_equal(limit_to(site, part, "All Systems"), SITE_E_REFUSED);

    grant(site, "SLP0002R", "SLP00ALL"); /* sees all, and changes no more than before */
    be_somebody(site, "*");
    assert_int_equal(limit_to(site, part, "All Systems"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NOT_TO_FILL);
    assert_int_equal(add_rule(site, lab, "{'type': 'direct', 'device': 'PC2'}"), SITE_E_REFUSED);
}

/* Whether somebody has a role for a collection. */
static bool has_grant(struct site *site, const char *role, const char *collection)
{
    OWN(json_freep) json_t *grants = NULL;
    size_t i;
    json_t *one;

    assert_int_equal(
        rows_array(site->db, SQL_ADMINISTRATOR_GRANTS, DB_ARGS(db_text(SOMEBODY)), &grants), 0);
    json_array_foreach(grants, i, one)
    {
        if (strcmp(field_text(one, "role_id", ""), role) == 0 &&
            strcmp(field_text(one, "target_id", ""), collection) == 0)
            return true;
    }
    return false;
}

static void what_one_makes_under_a_collection_one_may_as_much_there(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *body = fixture_json("{'name': 'Free'}");
    OWN(json_freep) json_t *made = NULL;
    char a[SITE_ID_MAX];
    char b[SITE_ID_MAX];
    char under_a[SITE_ID_MAX];
    char under_b[SITE_ID_MAX];

    make_collection(site, "A", "All Systems", a);
    make_collection(site, "B", "All Systems", b);
    grant(site, "SLP000KR", a);
    grant(site, "SLP000ER", b);
    be_somebody(site, "*");
    make_collection(site, "under B", "B", under_b);
    assert_true(has_grant(site, "SLP000ER", under_b));
    assert_false(has_grant(site, "SLP000KR", under_b));
    json_object_set_new(body, "limiting", json_string("A"));
    assert_int_equal(collection_create(site, "test", body, &made), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_FORBIDDEN);

    grant(site, "SLP0002R", "SLP00ALL");
    principal_clear(site);
    make_collection(site, "under A", "A", under_a);
    grant(site, "SLP000ER", a);
    grant(site, "SLP0001R", under_a); /* more than in A */
    be_somebody(site, "*");
    assert_int_equal(add_rule(site, under_a, "{'type': 'include', 'collection': 'A'}"),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NOT_TO_FILL);
    grant(site, "SLP0001R", a);
    be_somebody(site, "*");
    assert_int_equal(add_rule(site, under_a, "{'type': 'include', 'collection': 'A'}"), 0);
}

static int import_pc(struct site *site, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    return device_import(site, "test", body, &answer);
}

static void an_import_into_a_collection_needs_a_right_on_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep)
    json_t *file = fixture_json("{'csv': 'name,mac,collection\\nPC3,52:54:00:77:00:03,Lab\\n'}");
    OWN(json_freep) json_t *answer = NULL;
    char lab[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];

    make_collection(site, "Lab", "All Systems", lab);
    fixture_import(site, "PC1", FIXTURE_MAC);
    grant(site, "SLP000AR", lab); /* creates devices, and changes no collections */
    be_somebody(site, "*");
    assert_int_equal(
        import_pc(site, "{'name': 'PC2', 'mac': '52:54:00:77:00:02', 'collection': 'Lab'}"),
        SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_FORBIDDEN);
    assert_int_equal(device_import_file(site, "test", file, &answer), 0);
    assert_int_equal(json_array_size(json_object_get(answer, "errors")), 1);
    assert_int_equal(
        import_pc(site, "{'name': 'PC2', 'mac': '52:54:00:77:00:02', 'variables': {'Room': '1'}}"),
        0);
    assert_int_equal(device_find(site, "PC2", device), SITE_E_REFUSED); /* made, and not his */

    grant(site, "SLP000ER", lab);
    be_somebody(site, "*");
    assert_int_equal(
        import_pc(site, "{'name': 'PC4', 'mac': '52:54:00:77:00:04', 'collection': 'Lab'}"), 0);
    assert_int_equal(device_find(site, "PC4", device), 0);
    assert_int_equal(import_pc(site, "{'name': 'PC5', 'mac': '" FIXTURE_MAC "'}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_EXISTS);
    assert_null(strstr(site->refusal.detail, "PC1"));
}

static void names_of_what_is_elsewhere_are_not_told(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *rules = NULL;
    OWN(json_freep) json_t *found = NULL;
    OWN(json_freep) json_t *history = NULL;
    struct page page = {.after = "", .limit = 1};
    char lab[SITE_ID_MAX];
    char hidden[SITE_ID_MAX];
    char other[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(freep) char *text = NULL;

    fixture_import(site, "SECRET-PC", FIXTURE_MAC);
    fixture_import(site, "PC2", "52:54:00:77:00:02");
    make_collection(site, "Lab", "All Systems", lab);
    make_collection(site, "Hidden", "All Systems", hidden);
    make_collection(site, "Other", "Lab", other);
    assert_int_equal(add_rule(site, lab, "{'type': 'exclude', 'collection': 'Hidden'}"), 0);
    assert_int_equal(add_rule(site, lab, "{'type': 'direct', 'device': 'PC2'}"), 0);
    assert_int_equal(add_rule(site, hidden, "{'type': 'direct', 'device': 'SECRET-PC'}"), 0);
    assert_int_equal(add_rule(site, lab, "{'type': 'direct', 'device': 'SECRET-PC'}"), 0);
    grant(site, "SLP000ER", lab);
    be_somebody(site, "*");
    assert_int_equal(collection_rule_list(site, lab, &rules), 0);
    assert_int_equal(json_array_size(json_object_get(rules, "items")), 3);
    text = json_dumps(rules, 0);
    assert_non_null(strstr(text, "PC2"));
    assert_null(strstr(text, "SECRET-PC"));
    assert_null(strstr(text, "Hidden"));
    assert_null(strstr(text, hidden));
    assert_int_equal(collection_delete(site, "test", lab), SITE_E_REFUSED);
    assert_null(strstr(site->refusal.detail, other));

    assert_int_equal(device_find(site, "PC2", device), 0);
    assert_int_equal(device_search(site, "name contains 'PC'", &page, &found), 0);
    assert_int_equal(json_array_size(json_object_get(found, "items")), 1);
    assert_string_equal(field_text(found, "next", device), device);
    assert_int_equal(
        device_history(site, "PC2", &(struct page){.after = "0", .limit = 10}, &history), 0);
    assert_string_equal(
        field_text(json_array_get(json_object_get(history, "items"), 0), "who", "?"), "");
}

/* A device of two collections, each with a deployment; the first one's order has failed. */
static void fail_elsewhere(struct site *site, char lab[static SITE_ID_MAX])
{
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];

    fixture_import(site, "PC1", FIXTURE_MAC);
    assert_int_equal(device_find(site, "PC1", device), 0);
    make_collection(site, "Lab", "All Systems", lab);
    assert_int_equal(collection_add_device(site, lab, device), 0);
    fixture_deploy(site, "All Systems", "required", deployment);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    (void)fixture_order(site, device, order);
    assert_int_equal(fixture_report(site, device, order, 1, "failed", "boot-image"), 0);
}

static void what_another_teams_deployment_says_is_not_shown(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *messages = NULL;
    OWN(json_freep) json_t *all = NULL;
    OWN(json_freep) json_t *device = NULL;
    OWN(json_freep) json_t *whole = NULL;
    struct page page = {.after = "0", .limit = 10};
    char lab[SITE_ID_MAX];

    fail_elsewhere(site, lab);
    grant(site, "SLP0001R", lab);
    be_somebody(site, "*");
    assert_int_equal(status_message_list(
                         site, &(struct status_message_query){.device = "PC1"}, &page, &messages),
                     0);
    assert_int_equal(json_array_size(json_object_get(messages, "items")), 0);
    assert_int_equal(device_get(site, "PC1", &device), 0);
    assert_true(json_is_null(json_object_get(device, "deployment")));
    principal_clear(site);
    assert_int_equal(
        status_message_list(site, &(struct status_message_query){.device = "PC1"}, &page, &all), 0);
    assert_int_equal(json_array_size(json_object_get(all, "items")),
                     2); /* and what the site says */
    assert_int_equal(device_get(site, "PC1", &whole), 0);
    assert_true(json_is_object(json_object_get(whole, "deployment")));
}

static void a_token_for_devices_shows_no_deployment_and_no_collection_of_theirs(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *device = NULL;
    OWN(json_freep) json_t *members = NULL;
    char lab[SITE_ID_MAX];

    fail_elsewhere(site, lab);
    grant(site, "SLP0001R", "SLP00ALL");
    be_somebody(site, "device.read");
    assert_int_equal(device_get(site, "PC1", &device), 0);
    assert_int_equal(json_array_size(json_object_get(device, "collections")), 0);
    assert_true(json_is_null(json_object_get(device, "deployment")));
    be_somebody(site, "collection.read");
    assert_int_equal(collection_get(site, "Lab", &members), 0);
    assert_int_equal(json_array_size(json_object_get(members, "members")), 0);
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

static void what_is_granted_for_a_collection_is_good_for_nothing_outside_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char lab[SITE_ID_MAX];

    make_collection(site, "Lab", "All Systems", lab);
    grant(site, "SLP000ER", lab);
    be_somebody(site, "*");
    assert_int_equal(principal_check(site, "device", "create"), 0);
    assert_int_equal(principal_check(site, "task-sequence", "read"), 0);
    assert_int_equal(principal_check(site, "task-sequence", "create"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_FORBIDDEN);
    assert_int_equal(principal_check(site, "content", "create"), SITE_E_REFUSED);
    assert_int_equal(principal_check(site, "distribution-point", "create"), SITE_E_REFUSED);
    assert_int_equal(principal_check(site, "site", "modify"), SITE_E_REFUSED);
    assert_int_equal(principal_check(site, "site", "read"), 0);

    grant(site, "SLP000ER", "SLP00UNA");
    be_somebody(site, "*");
    assert_int_equal(principal_check(site, "task-sequence", "create"), 0);
    assert_int_equal(principal_check(site, "site", "modify"), 0);
}

static void a_permission_that_nothing_wants_is_none(void **state)
{
    static const char *const good[] = {"*.*",
                                       "*.read",
                                       "device.read",
                                       "package.distribute",
                                       "audit-log.audit",
                                       "task-sequence.deploy",
                                       "operation.cancel",
                                       "*.set-scope",
                                       "package.set-scope"};
    static const char *const bad[] = {"foo.bar",
                                      "device",
                                      "device.",
                                      "devices.read",
                                      "*.view",
                                      "content.read",
                                      "*",
                                      "device.read.all",
                                      "device.set-scope"};

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(principal_permission_is_known(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(principal_permission_is_known(bad[i]));
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
        cmocka_unit_test(nobody_makes_his_collection_wider),
        cmocka_unit_test(what_one_makes_under_a_collection_one_may_as_much_there),
        cmocka_unit_test(an_import_into_a_collection_needs_a_right_on_it),
        cmocka_unit_test(names_of_what_is_elsewhere_are_not_told),
        cmocka_unit_test(what_another_teams_deployment_says_is_not_shown),
        cmocka_unit_test(a_token_for_devices_shows_no_deployment_and_no_collection_of_theirs),
        cmocka_unit_test(what_another_teams_deployment_did_is_not_cleared),
        cmocka_unit_test(what_is_granted_for_a_collection_is_good_for_nothing_outside_it),
        cmocka_unit_test(a_permission_that_nothing_wants_is_none),
        cmocka_unit_test(a_token_may_be_good_for_less),
        cmocka_unit_test(a_request_that_reads_cannot_write),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
