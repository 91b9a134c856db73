/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/security_scope.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "db/db.h"
#include "site/administrator.h"
#include "site/collection.h"
#include "site/fields.h"
#include "site/fixture.h"

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

static void a_scope_names_only_what_one_may_see_of_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *mine = NULL;
    OWN(json_freep) json_t *all = NULL;
    const json_t *item;

    make_scope(site, "SS00001", FIXTURE_OS_IMAGE);
    make_scope(site, "SS00002", FIXTURE_SEQUENCE);
    assert_int_equal(db_must(site->db,
                             SQL_SECURITY_SCOPE_OBJECT_ADD,
                             DB_ARGS(db_text(FIXTURE_OS_IMAGE), db_text("SS00002"))),
                     0);
    grant(site, "SLP0002R", "SS00001");
    be_somebody(site, "*");
    assert_int_equal(security_scope_get(site, "SS00002", &mine), 0);
    assert_int_equal(json_array_size(json_object_get(mine, "members")), 1);
    item = json_array_get(json_object_get(mine, "members"), 0);
    assert_string_equal(field_text(item, "class", ""), "os-image");
    assert_string_equal(field_text(item, "object_id", ""), FIXTURE_OS_IMAGE);
    assert_int_equal(json_array_size(json_object_get(mine, "objects")), 1);
    assert_string_equal(json_string_value(json_array_get(json_object_get(mine, "objects"), 0)),
                        FIXTURE_OS_IMAGE);
    principal_clear(site);
    assert_int_equal(security_scope_get(site, "SS00002", &all), 0);
    assert_int_equal(json_array_size(json_object_get(all, "members")), 2);
}

static void a_name_knows_no_upper_and_lower_case(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *body = fixture_json("{'name': 'all'}");
    OWN(json_freep) json_t *scope = NULL;
    char id[NAMED_ID_MAX];

    assert_int_equal(security_scope_create(site, "test", body, &scope), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_EXISTS);
    assert_int_equal(security_scope_find(site, "aLL", id), 0);
    assert_string_equal(id, "SLP00ALL");
}

static void make_collection(struct site *site,
                            const char *name,
                            const char *limiting,
                            char ret[static SITE_ID_MAX])
{
    OWN(json_freep) json_t *body = json_pack("{s:s,s:s}", "name", name, "limiting", limiting);
    OWN(json_freep) json_t *made = NULL;

    assert_int_equal(collection_create(site, "test", body, &made), 0);
    (void)snprintf(ret, SITE_ID_MAX, "%s", field_text(made, "id", ""));
}

static size_t n_grants(struct site *site)
{
    OWN(json_freep) json_t *grants = NULL;

    assert_int_equal(
        rows_array(site->db, SQL_ADMINISTRATOR_GRANTS, DB_ARGS(db_text(SOMEBODY)), &grants), 0);
    return json_array_size(grants);
}

/* So that revoking leaves one who may everything. */
static void let_the_first_sign_in(struct site *site)
{
    assert_int_equal(db_must(site->db,
                             SQL_ADMINISTRATOR_SET_PASSWORD,
                             DB_ARGS(db_text("AD00001"), db_text("x"))),
                     0);
}

static void a_collection_is_not_deleted_with_the_only_right_of_somebody(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *records = NULL;
    const json_t *last;
    char lab[SITE_ID_MAX];
    char inner[SITE_ID_MAX];

    let_the_first_sign_in(site);
    make_collection(site, "Lab", "All Systems", lab);
    grant(site, "SLP000ER", lab);
    be_somebody(site, "*");
    make_collection(site, "Inner", "Lab", inner); /* which grants him as much there */
    assert_int_equal(n_grants(site), 2);
    assert_int_equal(collection_delete(site, "test", "Inner"), 0);
    assert_int_equal(n_grants(site), 1);
    principal_clear(site);
    assert_int_equal(rows_array(site->db,
                                SQL_AUDIT_RECORD_LIST,
                                DB_ARGS(db_u64(0), db_u64(100), db_text("")),
                                &records),
                     0);
    last = json_array_get(records, json_array_size(records) - 2);
    assert_string_equal(field_text(last, "action", ""), "administrator.revoke");
    assert_string_equal(field_text(last, "object", ""), SOMEBODY);
    assert_int_equal(collection_delete(site, "test", "Lab"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_COLLECTION_USED);
    assert_non_null(strstr(site->refusal.detail, "somebody"));
    assert_int_equal(administrator_revoke(site, "test", SOMEBODY, "SLP000ER", lab), 0);
    assert_int_equal(collection_delete(site, "test", "Lab"), 0);
}

static void what_one_may_not_see_is_revoked_by_its_id(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char lab[SITE_ID_MAX];

    let_the_first_sign_in(site);
    make_collection(site, "Lab", "All Systems", lab);
    grant(site, "SLP000ER", lab);
    be_somebody(site, "*");
    assert_int_equal(
        db_must(site->db, SQL_SECURITY_ROLE_PERMISSIONS_DROP, DB_ARGS(db_text("SLP000ER"))), 0);
    assert_int_equal(administrator_revoke(site, "test", SOMEBODY, "SLP000ER", "Lab"),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
    assert_int_equal(administrator_revoke(site, "test", SOMEBODY, "SLP000ER", lab), 0);
    assert_int_equal(n_grants(site), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scope_names_only_what_one_may_see_of_it),
        cmocka_unit_test(a_collection_is_not_deleted_with_the_only_right_of_somebody),
        cmocka_unit_test(what_one_may_not_see_is_revoked_by_its_id),
        cmocka_unit_test(a_name_knows_no_upper_and_lower_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
