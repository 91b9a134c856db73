/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "cli/object_match.h"

enum {
    TEXT_MAX_BYTES = 4096,
};

static json_t *of(const char *json)
{
    json_t *value = json_loads(json, 0, NULL);

    assert_non_null(value);
    return value;
}

static void
assert_changes(const char *kind, const char *is, const char *wanted, const char *changes)
{
    OWN(session_json_freep) json_t *a = of(is);
    OWN(session_json_freep) json_t *b = of(wanted);
    OWN(session_json_freep) json_t *expected = of(changes);
    OWN(session_json_freep) json_t *found = object_compare(object_kind_find(kind), a, b);

    assert_non_null(found);
    assert_true(json_equal(found, expected));
}

static void what_a_document_does_not_say_is_no_difference(void **state)
{
    (void)state;
    assert_changes("Collection", "{\"comment\": \"x\"}", "{}", "[]");
    assert_changes(
        "Collection",
        "{\"comment\": \"x\", \"rules\": [{\"type\": \"include\", \"collection\": \"A\"}]}",
        "{\"kind\": \"Collection\", \"name\": \"L\"}",
        "[]");
    assert_changes(
        "Collection", "{}", "{\"comment\": \"\", \"rules\": [], \"limiting\": null}", "[]");
    assert_changes("Device", "{}", "{\"is_blocked\": false}", "[]");
}

static void of_rules_false_is_not_what_is_inherited(void **state)
{
    (void)state;
    assert_changes("UnknownComputerRule",
                   "{\"name\": \"site\"}",
                   "{\"is_allowed\": false, \"name_pattern\": null}",
                   "[{\"member\": \"is_allowed\", \"is\": null, \"wanted\": false}]");
    assert_changes("UnknownComputerRule",
                   "{\"is_allowed\": false, \"name_pattern\": \"\"}",
                   "{\"is_allowed\": false, \"name_pattern\": null}",
                   "[{\"member\": \"name_pattern\", \"is\": \"\", \"wanted\": null}]");
    assert_changes("BootRule", "{\"menu_s\": 5}", "{\"menu_s\": 5, \"choice_s\": null}", "[]");
}

static void assert_check(const char *document, bool is_good)
{
    OWN(session_json_freep) json_t *wanted = of(document);
    OWN(buf_fini) struct buf why = BUF_INIT(TEXT_MAX_BYTES);
    const struct object_kind *kind;

    assert_int_equal(object_check(wanted, &kind, &why), is_good);
    assert_int_equal(why.len > 0, !is_good);
}

static void a_rule_is_of_the_site_or_of_a_distribution_point(void **state)
{
    (void)state;
    assert_check("{\"kind\": \"BootRule\", \"name\": \"site\"}", true);
    assert_check("{\"kind\": \"BootRule\", \"distribution_point\": \"North\"}", true);
    assert_check("{\"kind\": \"BootRule\", \"name\": \"North\"}", false);
    assert_check("{\"kind\": \"BootRule\"}", false);
    assert_check("{\"kind\": \"BootRule\", \"name\": \"site\", \"distribution_point\": \"North\"}",
                 false);
    assert_check("{\"kind\": \"UserAffinityMode\", \"name\": \"site\"}", true);
    assert_check("{\"kind\": \"UserAffinityMode\", \"name\": \"x\"}", false);
    assert_check("{\"kind\": \"UnknownDeploymentRule\", \"name\": \"site\"}", false);
    assert_check("{\"kind\": \"UnknownDeploymentRule\", \"task_sequence\": \"A\", "
                 "\"collection\": \"B\"}",
                 true);
}

static void members_become_what_the_document_says(void **state)
{
    (void)state;
    assert_changes("Collection",
                   "{\"comment\": \"a\"}",
                   "{\"comment\": \"b\"}",
                   "[{\"member\": \"comment\", \"is\": \"a\", \"wanted\": \"b\"}]");
    assert_changes("Collection",
                   "{\"comment\": \"a\"}",
                   "{\"comment\": null}",
                   "[{\"member\": \"comment\", \"is\": \"a\", \"wanted\": null}]");
    assert_changes("Device",
                   "{\"mac\": \"52:54:00:00:00:01\"}",
                   "{\"mac\": \"52:54:00:00:00:02\"}",
                   "[{\"member\": \"mac\", \"is\": \"52:54:00:00:00:01\", \"wanted\": "
                   "\"52:54:00:00:00:02\", \"is_fixed\": true}]");
}

static void items_of_lists_come_go_and_change_one_by_one(void **state)
{
    (void)state;
    assert_changes(
        "Collection",
        "{\"rules\": [{\"type\": \"query\", \"name\": \"q\", \"filter\": \"a\"},"
        "{\"type\": \"include\", \"collection\": \"A\"}]}",
        "{\"rules\": [{\"type\": \"query\", \"name\": \"q\", \"filter\": \"b\"},"
        "{\"type\": \"exclude\", \"collection\": \"A\"}]}",
        "[{\"member\": \"rules\", \"operation\": \"remove\", \"is\": null, \"item\": {\"type\": "
        "\"include\", \"collection\": \"A\"}},"
        "{\"member\": \"rules\", \"operation\": \"change\", \"is\": {\"type\": \"query\", \"name\": "
        "\"q\", \"filter\": \"a\"}, \"item\": {\"type\": \"query\", \"name\": \"q\", \"filter\": "
        "\"b\"}},"
        "{\"member\": \"rules\", \"operation\": \"add\", \"is\": null, \"item\": {\"type\": "
        "\"exclude\", \"collection\": \"A\"}}]");
    assert_changes(
        "DistributionPointGroup",
        "{\"members\": [\"DP00001\"]}",
        "{\"members\": [\"DP00001\", \"x y\"]}",
        "[{\"member\": \"members\", \"operation\": \"add\", \"is\": null, \"item\": \"x y\"}]");
}

static void a_secret_that_is_there_is_the_one_that_is_wanted(void **state)
{
    (void)state;
    static const char *const there = "{\"variables\": [{\"name\": \"P\", \"is_secret\": true}]}";

    assert_changes("Device", there, there, "[]");
    assert_changes("Device",
                   there,
                   "{\"variables\": [{\"name\": \"P\", \"is_secret\": true, \"value\": \"x\"}]}",
                   "[]");
    assert_changes("Device",
                   "{}",
                   there,
                   "[{\"member\": \"variables\", \"operation\": \"missing-secret\", \"is\": null, "
                   "\"item\": {\"name\": \"P\", \"is_secret\": true}}]");
}

static void assert_refused(const char *document, const char *words)
{
    OWN(session_json_freep) json_t *value = of(document);
    OWN(buf_fini) struct buf why = BUF_INIT(TEXT_MAX_BYTES);
    const struct object_kind *kind;

    assert_false(object_check(value, &kind, &why));
    assert_non_null(strstr(buf_str(&why), words));
}

static void a_document_that_is_not_understood_is_refused_with_what_would_be(void **state)
{
    (void)state;
    assert_refused("{\"kind\": \"Collektion\", \"name\": \"x\"}",
                   "there is no kind \"Collektion\"; the kinds are SecurityRole, ");
    assert_refused("{\"name\": \"x\"}", "there is no kind \"\"");
    assert_refused("{\"kind\": \"collection\"}", "name is missing");
    assert_refused("{\"kind\": \"Deployment\", \"collection\": \"x\"}",
                   "task_sequence or collection is missing");
    assert_refused("{\"kind\": \"Boundary\", \"name\": \"x\", \"values\": 1}",
                   "a Boundary has no member \"values\"; it has kind, name, type, value");
    assert_refused("{\"kind\": \"Collection\", \"name\": \"x\", \"rules\": {}}",
                   "rules is no list");
    assert_refused("{\"kind\": \"BoundaryGroup\", \"name\": \"x\", \"boundaries\": [{}]}",
                   "item 1 of boundaries is no name");
}

static void the_key_of_an_item_is_the_path_of_its_request(void **state)
{
    (void)state;
    const struct object_kind *kind = object_kind_find("COLLECTION");
    OWN(session_json_freep)
    json_t *rule = of("{\"type\": \"include\", \"collection\": \"All of/them\"}");
    OWN(buf_fini) struct buf path = BUF_INIT(TEXT_MAX_BYTES);

    assert_non_null(kind);
    object_put_key(&path, &kind->parts[0], rule);
    assert_string_equal(buf_str(&path), "/include/All%20of%2Fthem");
}

#define AVAILABLE "\"purpose\": \"available\""
#define REQUIRED  "\"purpose\": \"required\""

/* @wanted: of each document its thing; -1: it is not there, -2: nobody can tell. */
static void assert_matched(const char *things, const char *documents, const int *wanted)
{
    const struct object_kind *kind = object_kind_find("Deployment");
    OWN(session_json_freep) json_t *is = of(things);
    OWN(session_json_freep) json_t *list = of(documents);

    for (size_t i = 0; i < json_array_size(list); i++) {
        size_t found = 0;
        enum object_match match = object_match(kind, is, list, i, &found);

        assert_int_equal(match == OBJECT_MATCH_ONE    ? (int)found
                         : match == OBJECT_MATCH_NONE ? -1
                                                      : -2,
                         wanted[i]);
    }
}

static void what_is_alike_is_told_apart_by_what_is_said_of_it(void **state)
{
    static const struct {
        const char *things;
        const char *documents;
        int wanted[4];
    } table[] = {
        {"[]", "[{" AVAILABLE "}, {" AVAILABLE "}]", {-1, -1}},
        {"[{" AVAILABLE "}]", "[{" AVAILABLE "}, {" AVAILABLE "}]", {0, -1}},
        {"[{" AVAILABLE "}, {" AVAILABLE "}]", "[{" AVAILABLE "}, {" AVAILABLE "}]", {0, 1}},
        {"[{" AVAILABLE "}, {" REQUIRED "}]", "[{" REQUIRED "}, {" AVAILABLE "}]", {1, 0}},
        /* what says little leaves the one that says more what is its own */
        {"[{" AVAILABLE ", \"comment\": \"x\"}, {" AVAILABLE "}]",
         "[{" AVAILABLE "}, {" AVAILABLE ", \"comment\": \"x\"}]",
         {1, 0}},
        /* changed: the only one that it could be */
        {"[{" AVAILABLE "}, {" REQUIRED "}]",
         "[{" AVAILABLE "}, {" REQUIRED ", \"priority\": \"high\"}]",
         {0, 1}},
        /* or the one with its comment */
        {"[{" REQUIRED ", \"comment\": \"a\"}, {" REQUIRED ", \"comment\": \"b\"}]",
         "[{" REQUIRED ", \"comment\": \"b\", \"priority\": \"high\"}]",
         {1}},
        {"[{" REQUIRED ", \"comment\": \"a\"}, {" REQUIRED ", \"comment\": \"b\"}]",
         "[{" REQUIRED ", \"comment\": \"c\"}]",
         {-2}},
        {"[{" REQUIRED "}]",
         "[{" REQUIRED ", \"priority\": \"high\"}, {" REQUIRED ", \"priority\": \"low\"}]",
         {-2, -2}},
        /* one alone is meant, whatever cannot be changed of it */
        {"[{" REQUIRED "}]", "[{" AVAILABLE "}]", {0}},
        {"[{" REQUIRED "}]", "[{" AVAILABLE "}, {" REQUIRED "}]", {-1, 0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        assert_matched(table[i].things, table[i].documents, table[i].wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_document_does_not_say_is_no_difference),
        cmocka_unit_test(of_rules_false_is_not_what_is_inherited),
        cmocka_unit_test(a_rule_is_of_the_site_or_of_a_distribution_point),
        cmocka_unit_test(members_become_what_the_document_says),
        cmocka_unit_test(items_of_lists_come_go_and_change_one_by_one),
        cmocka_unit_test(a_secret_that_is_there_is_the_one_that_is_wanted),
        cmocka_unit_test(a_document_that_is_not_understood_is_refused_with_what_would_be),
        cmocka_unit_test(the_key_of_an_item_is_the_path_of_its_request),
        cmocka_unit_test(what_is_alike_is_told_apart_by_what_is_said_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
