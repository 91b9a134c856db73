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
    principal_clear(site);
    assert_int_equal(security_scope_get(site, "SS00002", &all), 0);
    assert_int_equal(json_array_size(json_object_get(all, "members")), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scope_names_only_what_one_may_see_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
