/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/secret_names.h"

#include "ts/condition_text.h"
#include "ts/diff.h"
#include "ts/secret.h"
#include "ts/tree.h"

#include "ts/test_ts.h"

DEFINE_FREEP(struct ts_secret_names *, ts_secret_names_free);

/* A Set Task Sequence Variable that hides its value, and a step with a condition on it and on others. */
#define HIDES(name) \
    "<step name=\"set\" type=\"SMS_TaskSequence_SetVariableAction\"><action/><defaultVarList>" \
    "<variable name=\"VariableName\">" name "</variable><variable name=\"VariableValue\">x" \
    "</variable><variable name=\"DoNotShowVariableValue\">true</variable></defaultVarList></step>"
#define RULES(condition) \
    "<step name=\"rules\" type=\"SMS_TaskSequence_SetDynamicVariablesAction\"><action/>" \
    "<defaultVarList><variable name=\"Rules\">" \
    "&lt;Rules&gt;&lt;Rule&gt;&lt;condition&gt;" condition "&lt;/condition&gt;" \
    "&lt;Variables&gt;&lt;Variable Name=\"FromRule\" IsSecret=\"true\"&gt;y&lt;/Variable&gt;" \
    "&lt;/Variables&gt;&lt;/Rule&gt;&lt;/Rules&gt;</variable></defaultVarList></step>"
#define RULE_IS(name, value) \
    "&lt;expression type=\"SMS_TaskSequence_VariableConditionExpression\"&gt;" \
    "&lt;variable name=\"Operator\"&gt;equals&lt;/variable&gt;" \
    "&lt;variable name=\"Value\"&gt;" value "&lt;/variable&gt;" \
    "&lt;variable name=\"Variable\"&gt;" name "&lt;/variable&gt;&lt;/expression&gt;"
#define IF(name, condition) \
    "<step name=\"" name "\" type=\"SMS_TaskSequence_RunCommandLineAction\"><condition>" condition \
    "</condition><action>true</action></step>"

static struct ts_secret_names *names_of(const struct ts_document *doc)
{
    struct ts_secret_names *names = NULL;

    assert_int_equal(ts_secret_names_new(doc, NULL, &names), 0);
    return names;
}

static void steps_and_rules_and_the_site_say_which_are_secret(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc =
        parse_ok(SEQUENCE(HIDES("Entrance") HIDES("") RULES(RULE_IS("A", "1"))));

    assert_int_equal(ts_document_note_secret(doc, "OfSite"), 0);

    OWN(ts_secret_names_freep) struct ts_secret_names *names = names_of(doc);

    assert_true(ts_secret_names_have(names, "entrance"));
    assert_true(ts_secret_names_have(names, "FROMRULE"));
    assert_true(ts_secret_names_have(names, "ofsite"));
    assert_true(ts_secret_names_have(names, "AdminPassword"));
    assert_true(ts_secret_names_have(NULL, "AdminPassword"));
    assert_false(ts_secret_names_have(names, "A"));
    assert_false(ts_secret_names_have(names, ""));
    assert_false(ts_secret_names_have(NULL, "Entrance"));
}

static void the_names_of_two_documents_count_together(void **state)
{
    (void)state;
    OWN(ts_document_freep) struct ts_document *a = parse_ok(SEQUENCE(HIDES("One")));
    OWN(ts_document_freep) struct ts_document *b = parse_ok(SEQUENCE(HIDES("Two")));
    OWN(ts_secret_names_freep) struct ts_secret_names *names = NULL;

    assert_int_equal(ts_secret_names_new(a, b, &names), 0);
    assert_true(ts_secret_names_have(names, "One"));
    assert_true(ts_secret_names_have(names, "Two"));
}

static void what_will_be_hidden_is_hidden_from_the_beginning(void **state)
{
    (void)state;
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(SEQUENCE(HIDES("Entrance")));
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "Entrance", "4711", TS_BY_SITE), 0);
    assert_int_equal(ts_secret_names_set(doc, vars), 0);
    assert_true(ts_vars_is_secret(vars, "Entrance"));
    assert_string_equal(ts_vars_get(vars, "Entrance"), "4711");
}

static const char secret_xml[] = SEQUENCE(HIDES("Entrance") IF(
    "a",
    "<operator type=\"or\">" VARIABLE_IS("AdminPassword", "equals", "geheim")
        VARIABLE_IS("ENTRANCE", "like", "47*") VARIABLE_IS("Plain", "equals", "open") "</operator>")
                                              RULES(RULE_IS("AdminPassword", "geheim")));

/* What has the text in it nowhere. */
static void assert_without(const struct buf *text, const char *secret)
{
    assert_false(text->failed);
    assert_null(strstr(text->ptr ? text->ptr : "", secret));
}

static void a_condition_is_shown_without_what_it_compares_secrets_with(void **state)
{
    (void)state;
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(secret_xml);
    OWN(ts_secret_names_freep) struct ts_secret_names *names = names_of(doc);
    OWN(ts_tree_fini) struct ts_tree tree = {0};
    OWN(buf_fini) struct buf text = BUF_INIT(4096);

    assert_int_equal(ts_tree_read(ts_document_tree(doc), &tree), 0);
    ts_condition_shown(ts_node_child(tree.items[1].node, "condition"), names, &text);
    assert_string_equal(buf_str(&text),
                        "AdminPassword equals \"***\" or ENTRANCE like \"***\" or Plain equals "
                        "\"open\"");
}

static void an_export_loses_what_secrets_are_compared_with_and_it_can_come_back(void **state)
{
    (void)state;
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(secret_xml);
    OWN(ts_document_freep) struct ts_document *safe = NULL;
    OWN(ts_document_freep) struct ts_document *back = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(16384);
    OWN(buf_fini) struct buf canonical = BUF_INIT(16384);
    OWN(buf_fini) struct buf again = BUF_INIT(16384);

    assert_int_equal(ts_document_export(doc, &safe), 0);
    assert_int_equal(ts_document_put(safe, &text), 0);
    assert_without(&text, "geheim");
    assert_without(&text, "47*");
    assert_non_null(strstr(buf_str(&text), ">open<"));
    assert_non_null(strstr(buf_str(&text), ">AdminPassword<"));

    assert_int_equal(ts_document_keep_secrets(safe, doc, &back), 0);
    assert_int_equal(ts_document_canonical(doc, &canonical), 0);
    assert_int_equal(ts_document_canonical(back, &again), 0);
    assert_string_equal(buf_str(&again), buf_str(&canonical));
}

static void what_comes_back_finds_its_place_in_a_condition_that_was_changed(void **state)
{
    (void)state;
#define TWICE(more, first, second) \
    SEQUENCE(IF("a", \
                more VARIABLE_IS("MyPassword", "equals", first) \
                    VARIABLE_IS("MyPassword", "equals", second)))
    static const struct {
        const char *imported;
        const char *wanted;
    } rules[] = {
        {TWICE("", "", "***"), TWICE("", "one", "two")},
        {TWICE("", "", "new"), TWICE("", "one", "new")},
        {TWICE(VARIABLE_IS("X", "exists", ""), "", ""),
         TWICE(VARIABLE_IS("X", "exists", ""), "one", "two")},
        {TWICE(VARIABLE_IS("MyPassword", "notEquals", ""), "", ""),
         TWICE(VARIABLE_IS("MyPassword", "notEquals", ""), "one", "two")},
        {SEQUENCE(IF("b", VARIABLE_IS("MyPassword", "equals", ""))),
         SEQUENCE(IF("b", VARIABLE_IS("MyPassword", "equals", "")))},
        {SEQUENCE(STEP("a", "")), SEQUENCE(STEP("a", ""))},
    };
    OWN(ts_document_freep) struct ts_document *old = parse_ok(TWICE("", "one", "two"));

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        OWN(ts_document_freep) struct ts_document *doc = parse_ok(rules[i].imported);
        OWN(ts_document_freep) struct ts_document *wanted = parse_ok(rules[i].wanted);
        OWN(ts_document_freep) struct ts_document *back = NULL;
        OWN(buf_fini) struct buf canonical = BUF_INIT(16384);
        OWN(buf_fini) struct buf again = BUF_INIT(16384);

        assert_int_equal(ts_document_keep_secrets(doc, old, &back), 0);
        assert_int_equal(ts_document_canonical(wanted, &canonical), 0);
        assert_int_equal(ts_document_canonical(back, &again), 0);
        assert_string_equal(buf_str(&again), buf_str(&canonical));
    }
}

static void a_change_of_what_a_secret_is_compared_with_is_told_without_it(void **state)
{
    (void)state;
    static const char *const before[] = {
        SEQUENCE(IF("a", VARIABLE_IS("AdminPassword", "equals", "geheim"))),
        SEQUENCE(RULES(RULE_IS("AdminPassword", "geheim"))),
        SEQUENCE("<step name=\"s\" type=\"T\"><x><expression><variable name=\"Variable\">"
                 "AdminPassword</variable><variable name=\"Value\">geheim</variable></expression>"
                 "</x></step>"),
    };
    static const char *const after[] = {
        SEQUENCE(IF("a", VARIABLE_IS("AdminPassword", "equals", "anders"))),
        SEQUENCE(RULES(RULE_IS("AdminPassword", "anders"))),
        SEQUENCE("<step name=\"s\" type=\"T\"><x><expression><variable name=\"Variable\">"
                 "AdminPassword</variable><variable name=\"Value\">anders</variable></expression>"
                 "</x></step>"),
    };

    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        OWN(ts_document_freep) struct ts_document *a = parse_ok(before[i]);
        OWN(ts_document_freep) struct ts_document *b = parse_ok(after[i]);
        OWN(ts_changes_fini) struct ts_changes changes = {0};
        OWN(buf_fini) struct buf text = BUF_INIT(4096);

        assert_int_equal(ts_diff(a, b, &changes), 0);
        assert_int_equal(changes.n, 1);
        ts_change_put(&changes.items[0], &text);
        assert_without(&text, "geheim");
        assert_without(&text, "anders");
        assert_non_null(strstr(buf_str(&text), "secret"));
        assert_true(ts_change_is_secret(&changes.items[0]));
        assert_null(strstr(changes.items[0].from, "geheim"));
        assert_null(strstr(changes.items[0].to, "anders"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_and_rules_and_the_site_say_which_are_secret),
        cmocka_unit_test(the_names_of_two_documents_count_together),
        cmocka_unit_test(what_will_be_hidden_is_hidden_from_the_beginning),
        cmocka_unit_test(a_condition_is_shown_without_what_it_compares_secrets_with),
        cmocka_unit_test(an_export_loses_what_secrets_are_compared_with_and_it_can_come_back),
        cmocka_unit_test(what_comes_back_finds_its_place_in_a_condition_that_was_changed),
        cmocka_unit_test(a_change_of_what_a_secret_is_compared_with_is_told_without_it),
    };

    return cmocka_run_group_tests_name("ts/secret_names", tests, NULL, NULL);
}
