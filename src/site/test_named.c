/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/named.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/fixture.h"

static const struct named kind = {
    .noun = "boundary group",
    .action = "boundary-group",
    .prefix = "BG",
    .find = SQL_BOUNDARY_GROUP_FIND,
    .add = SQL_BOUNDARY_GROUP_ADD,
    .drop = SQL_BOUNDARY_GROUP_DROP,
};

/* Return: as named_create(). */
static int create(struct site *site, const char *text, char ret[static NAMED_ID_MAX])
{
    OWN(json_freep) json_t *body = fixture_json(text);

    return named_create(site, &kind, "test", body, ret);
}

static void what_is_made_is_found_by_id_and_name_until_it_is_deleted(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[NAMED_ID_MAX];
    char found[NAMED_ID_MAX];
    bool is_lasting = true;

    assert_int_equal(create(site, "{'name': 'North', 'comment': 'c'}", id), 0);
    assert_int_equal(strncmp(id, "BG", 2), 0);
    assert_int_equal(named_find(site, &kind, "North", found, &is_lasting), 0);
    assert_string_equal(found, id);
    assert_false(is_lasting);
    assert_int_equal(named_find(site, &kind, id, found, NULL), 0);
    assert_int_equal(named_delete(site, &kind, "test", "North"), 0);
    assert_int_equal(named_find(site, &kind, id, found, NULL), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
    assert_int_equal(named_delete(site, &kind, "test", "North"), SITE_E_REFUSED);
}

static void a_name_is_there_once_and_is_neither_empty_nor_too_long(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[NAMED_ID_MAX];

    assert_int_equal(create(site, "{'name': 'North'}", id), 0);
    assert_int_equal(create(site, "{'name': 'North'}", id), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_EXISTS);
    assert_int_equal(create(site, "{'name': ''}", id), SITE_E_REFUSED);
    assert_int_equal(
        create(site, "{'name': '012345678901234567890123456789012345678901234567890'}", id),
        SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_INVALID);
}

static void a_name_that_is_no_line_or_like_an_id_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "{'name': 'BG00007'}",
        "{'name': 'bg00007'}",
        "{'name': 'SLP10004'}",
        "{'name': 'slp00all'}",
        "{'name': ' North'}",
        "{'name': 'North '}",
        "{'name': 'No\\trth'}",
    };
    static const char *const right[] = {
        "{'name': 'BG'}",
        "{'name': 'BG7'}",
        "{'name': 'SLP room'}",
        "{'name': 'SLProom1'}",
        "{'name': 'SLP10004 old'}",
    };
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[NAMED_ID_MAX];

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(create(site, wrong[i], id), SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, REFUSAL_INVALID);
    }
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
        assert_int_equal(create(site, right[i], id), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_made_is_found_by_id_and_name_until_it_is_deleted),
        cmocka_unit_test(a_name_is_there_once_and_is_neither_empty_nor_too_long),
        cmocka_unit_test(a_name_that_is_no_line_or_like_an_id_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
