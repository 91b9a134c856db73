/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/list_query.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/cursor.h"
#include "site/fixture.h"

static const struct filter_property items[] = {
    {"id", FILTER_TEXT, false, 0},
    {"name", FILTER_TEXT, false, 0},
    {"n", FILTER_NUMBER, false, 0},
    {"is_big", FILTER_TRUTH, false, 0},
    {"created_at", FILTER_TIME, false, 0},
    {"macs", FILTER_TEXT, true, 0},
    {0},
};
static const char *const names[] = {
    "id", "name", "n", "is_big", "created_at", "macs", "parts", NULL};
static const struct permission_list list = {items, names, "id", false, true, true, true, false};

#define THING \
    "{'id':'b','name':'Ada','n':7,'is_big':true,'created_at':'2026-11-22T10:00:00Z','macs':['x','y']}"

static bool does_fit(struct site *site, const char *text)
{
    OWN(filter_freep) struct filter *filter = NULL;
    OWN(json_freep) json_t *thing = fixture_json(THING);

    assert_int_equal(list_filter_parse(site, text, &list, &filter), 0);
    return list_filter_match(filter, thing);
}

static void a_filter_names_members_of_the_items(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();
    struct filter *filter = NULL;

    assert_true(does_fit(site, "name eq 'ada' and n gt 6 and is_big eq true"));
    assert_true(does_fit(site, "macs eq 'y' and created_at lt 2026-11-23"));
    assert_false(does_fit(site, "created_at ge 2026-11-22T10:00:01Z"));
    assert_false(does_fit(site, "not (name startswith 'a')"));
    assert_int_equal(list_filter_parse(site, "parts eq 'x'", &list, &filter), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_FILTER);
}

static json_t *key(const struct list_order *order, const char *text)
{
    OWN(json_freep) json_t *item = fixture_json(text);

    return list_order_key(order, item);
}

static int compare(struct site *site, const char *by, const char *a, const char *b)
{
    struct list_order order;

    assert_int_equal(list_order_parse(site, by, &list, &order), 0);

    OWN(json_freep) json_t *first = key(&order, a);
    OWN(json_freep) json_t *second = key(&order, b);

    assert_int_equal(list_order_compare(&order, first, first), 0);
    assert_int_equal(list_order_compare(&order, second, second), 0);
    return list_order_compare(&order, first, second);
}

static void what_is_nothing_comes_first_and_case_does_not_count(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();

    assert_true(compare(site, "name", "{'name':'ada'}", "{'name':'BEA'}") < 0);
    assert_true(compare(site, "name desc", "{'name':'ada'}", "{'name':'BEA'}") > 0);
    assert_true(compare(site, "n", "{'n':null}", "{'n':-3}") < 0);
    assert_true(compare(site, "n", "{'n':9}", "{'n':10}") < 0);
    assert_true(compare(site, "is_big", "{'is_big':false}", "{'is_big':true}") < 0);
    assert_true(compare(site, "name", "{'name':'a'}", "{'name':'aa'}") < 0);
}

static void equal_items_are_told_apart_by_their_id(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();

    assert_true(compare(site, "name, n desc", "{'id':'a','n':1}", "{'id':'b','n':1}") < 0);
    assert_true(compare(site, "name desc", "{'id':'a'}", "{'id':'b'}") < 0);
    assert_int_equal(compare(site, "name", "{'id':'a'}", "{'id':'a'}"), 0);
}

static void a_long_text_counts_up_to_a_whole_character(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();
    struct list_order order;
    char text[LIST_KEY_TEXT_MAX + 8];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    memcpy(text + LIST_KEY_TEXT_MAX - 1, "\xc3\xbc", 2);
    assert_int_equal(list_order_parse(site, "name", &list, &order), 0);

    OWN(json_freep) json_t *item = json_pack("{s:s}", "name", text);
    OWN(json_freep) json_t *made = list_order_key(&order, item);

    assert_int_equal(json_string_length(json_array_get(made, 0)), LIST_KEY_TEXT_MAX - 1);
}

static void an_order_that_is_not_right_names_its_parameter(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();
    static const char *const wrong[] = {
        "", "nobody", "macs", "parts", "name up", "name desc n", "name,", ",name", "n,n,n,n,n"};
    struct list_order order;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const json_t *error;

        assert_int_equal(list_order_parse(site, wrong[i], &list, &order), SITE_E_REFUSED);
        error = json_array_get(json_object_get(site->refusal.more, "errors"), 0);
        assert_string_equal(json_string_value(json_object_get(error, "parameter")), "order_by");
    }
}

static void fields_are_left_with_what_tells_items_apart(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();
    OWN(json_freep) json_t *thing = fixture_json(THING);

    assert_int_equal(list_fields_check(site, "name, parts", &list), 0);
    assert_int_equal(list_fields_check(site, "name,colour", &list), SITE_E_REFUSED);
    assert_int_equal(list_fields_check(site, "", &list), SITE_E_REFUSED);
    list_fields_keep(thing, "name, parts", &list);
    assert_int_equal(json_object_size(thing), 2);
    assert_non_null(json_object_get(thing, "id"));
}

static void a_cursor_is_good_for_its_question_only(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();
    OWN(json_freep) json_t *place = fixture_json("{'after':'x'}");
    OWN(json_freep) json_t *read = NULL;
    json_t *none = NULL;
    char text[CURSOR_TEXT_MAX];

    assert_int_equal(cursor_put(site, "/devices", place, text), 0);
    assert_int_equal(cursor_parse(site, "/devices", text, &read), 0);
    assert_true(json_equal(read, place));
    assert_int_equal(cursor_parse(site, "/collections", text, &none), CURSOR_E_FOREIGN);
    for (size_t i = 0; text[i]; i++) {
        char was = text[i];

        text[i] = was == 'A' ? 'B' : 'A';
        if (cursor_parse(site, "/devices", text, &none) == 0) /* spare bits of the last character */
            json_decref(none);
        else
            assert_null(none);
        assert_true(text[i + 1] == '\0' || !none);
        none = NULL;
        text[i] = was;
    }
    assert_int_equal(cursor_parse(site, "/devices", "SLP00001", &none), CURSOR_E_FOREIGN);
}

static void a_place_that_is_too_long_is_no_cursor(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();
    char text[CURSOR_TEXT_MAX] = "";
    char long_text[4600];

    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';

    OWN(json_freep) json_t *place = json_pack("{s:s}", "after", long_text);

    assert_int_equal(cursor_put(site, "/devices", place, text), CURSOR_E_TOO_LONG);
    assert_string_equal(text, "");
    long_text[4000] = '\0';

    OWN(json_freep) json_t *shorter = json_pack("{s:s}", "after", long_text);

    assert_int_equal(cursor_put(site, "/devices", shorter, text), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_filter_names_members_of_the_items),
        cmocka_unit_test(what_is_nothing_comes_first_and_case_does_not_count),
        cmocka_unit_test(equal_items_are_told_apart_by_their_id),
        cmocka_unit_test(a_long_text_counts_up_to_a_whole_character),
        cmocka_unit_test(an_order_that_is_not_right_names_its_parameter),
        cmocka_unit_test(fields_are_left_with_what_tells_items_apart),
        cmocka_unit_test(a_cursor_is_good_for_its_question_only),
        cmocka_unit_test(a_place_that_is_too_long_is_no_cursor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
