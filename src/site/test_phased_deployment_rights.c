/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/phased_deployment.h"

#include <string.h>

#include "db/db.h"
#include "site/deployment.h"
#include "site/test_phased.h"

/* Who may read what is deployed to @collection, and nothing else. */
static void be_reader(struct site *site, const char *collection)
{
    struct principal reader = {.id = "AD00099", .name = "reader", .permissions = "*"};
    struct db_args who =
        DB_ARGS(db_text(reader.id), db_text(reader.name), db_text(""), db_u64(site->now_us));
    char target[SITE_ID_MAX];

    assert_int_equal(collection_find(site, collection, target), 0);
    assert_true(db_run(site->db, SQL_ADMINISTRATOR_ADD, who, NULL) >= 0);
    assert_int_equal(db_must(site->db,
                             SQL_ADMINISTRATOR_GRANT_ADD,
                             DB_ARGS(db_text(reader.id), db_text("SLP0002R"), db_text(target))),
                     0);
    principal_set(site, &reader);
}

static void who_may_not_see_all_its_collections_does_not_see_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();
    OWN(json_freep) json_t *whole = NULL;
    OWN(json_freep) json_t *shown = NULL;
    OWN(json_freep) json_t *none = NULL;
    char first[SITE_ID_MAX];

    assert_int_equal(create(site, TWO), 0);
    deployment_of(site, 1, first);
    assert_int_equal(deployment_get(site, first, &whole), 0);
    assert_string_not_equal(field_text(whole, "phased_deployment_id", ""), "");
    be_reader(site, "Few");
    assert_int_equal(deployment_get(site, first, &shown), 0);
    assert_string_equal(field_text(shown, "phased_deployment_id", ""), "");
    assert_int_equal(phased_deployment_get(site, "Roll out", &none), SITE_E_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_may_not_see_all_its_collections_does_not_see_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
