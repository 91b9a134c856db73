/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/diff_parts.h"

#include "ts/test_ts.h"

static void a_variable_that_is_gone_or_new_is_told_with_nothing_on_the_other_side(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *a =
        parse_ok(SEQUENCE("<step name=\"s\"><defaultVarList><variable name=\"x\">1</variable>"
                          "</defaultVarList></step>"));
    OWN(ts_document_freep)
    struct ts_document *b =
        parse_ok(SEQUENCE("<step name=\"s\"><defaultVarList><variable name=\"y\">2</variable>"
                          "</defaultVarList></step>"));
    OWN(ts_changes_fini) struct ts_changes changes = {0};

    assert_int_equal(ts_diff(a, b, &changes), 0);
    assert_int_equal(changes.n, 2);
    assert_string_equal(changes.items[0].name, "x");
    assert_string_equal(changes.items[0].from, "1");
    assert_string_equal(changes.items[0].to, "");
    assert_string_equal(changes.items[1].name, "y");
    assert_string_equal(changes.items[1].from, "");
    assert_string_equal(changes.items[1].to, "2");
}

static void how_the_editor_shows_a_group_is_no_difference(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *a = parse_ok(SEQUENCE("<group name=\"g\" expand=\"true\"/>"));
    OWN(ts_document_freep)
    struct ts_document *b = parse_ok(SEQUENCE("<group name=\"g\" expand=\"false\"/>"));
    OWN(ts_changes_fini) struct ts_changes changes = {0};

    assert_int_equal(ts_diff(a, b, &changes), 0);
    assert_int_equal(changes.n, 0);
}

static void a_time_out_is_told_once_though_it_stands_in_two_places(void **state)
{
    (void)state;
#define COMMAND(attribute, minutes) \
    SEQUENCE("<step name=\"s\" type=\"SMS_TaskSequence_RunCommandLineAction\" " attribute \
             "><defaultVarList>" minutes "</defaultVarList></step>")
#define MINUTES(n) "<variable name=\"Timeout\" property=\"Timeout\">" n "</variable>"
    static const struct {
        const char *before;
        const char *after;
        size_t n;
    } rules[] = {
        {COMMAND("", ""), COMMAND("timeout=\"300\"", MINUTES("5")), 1},
        {COMMAND("timeout=\"300\"", MINUTES("5")), COMMAND("timeout=\"60\"", MINUTES("1")), 1},
        {COMMAND("timeout=\"300\"", MINUTES("5")), COMMAND("", ""), 1},
        {COMMAND("timeout=\"300\"", MINUTES("5")), COMMAND("timeout=\"60\"", MINUTES("2")), 2},
        {COMMAND("timeout=\"300\"", MINUTES("5")), COMMAND("timeout=\"90\"", MINUTES("2")), 1},
        {COMMAND("", MINUTES("5")), COMMAND("", MINUTES("2")), 1},
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        OWN(ts_document_freep) struct ts_document *a = parse_ok(rules[i].before);
        OWN(ts_document_freep) struct ts_document *b = parse_ok(rules[i].after);
        OWN(ts_changes_fini) struct ts_changes changes = {0};

        assert_int_equal(ts_diff(a, b, &changes), 0);
        assert_int_equal(changes.n, rules[i].n);
    }
}

static void a_command_that_repeats_a_secret_is_told_without_it(void **state)
{
    (void)state;
#define HIDING(action) \
    SEQUENCE("<step name=\"s\" type=\"SMS_TaskSequence_SetVariableAction\">" action \
             "<defaultVarList><variable name=\"VariableName\" property=\"VariableName\">Hid" \
             "</variable><variable name=\"VariableValue\" property=\"VariableValue\">GEHEIM" \
             "</variable><variable name=\"DoNotShowVariableValue\" " \
             "property=\"DoNotShowVariableValue\">true</variable></defaultVarList></step>")
#define UNKNOWN(attribute, action) \
    SEQUENCE("<step name=\"s\" type=\"Their_Action\" " attribute ">" action \
             "<defaultVarList><variable name=\"AdminPassword\" property=\"AdminPassword\">" \
             "GEHEIM</variable></defaultVarList></step>")
#define ACTION "<action>tsenv.exe \"Hid=GEHEIM\" /hiddenflag:True</action>"
    static const struct {
        const char *before;
        const char *after;
        const char *from;
        const char *to;
    } rules[] = {
        {HIDING(ACTION), HIDING(""), "***", ""},
        {HIDING(""), HIDING(ACTION), "", "***"},
        {UNKNOWN("", ACTION), UNKNOWN("", "<action>theirs</action>"), "***", "***"},
        {UNKNOWN("password=\"GEHEIM\"", ""), UNKNOWN("password=\"\"", ""), "***", ""},
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        OWN(ts_document_freep) struct ts_document *a = parse_ok(rules[i].before);
        OWN(ts_document_freep) struct ts_document *b = parse_ok(rules[i].after);
        OWN(ts_changes_fini) struct ts_changes changes = {0};

        assert_int_equal(ts_diff(a, b, &changes), 0);
        assert_int_equal(changes.n, 1);
        assert_string_equal(changes.items[0].from, rules[i].from);
        assert_string_equal(changes.items[0].to, rules[i].to);
    }
}

static void a_command_without_secrets_is_told_as_it_is(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *a =
        parse_ok(SEQUENCE("<step name=\"s\" type=\"Their_Action\"><action>one</action></step>"));
    OWN(ts_document_freep)
    struct ts_document *b =
        parse_ok(SEQUENCE("<step name=\"s\" type=\"Their_Action\"><action>two</action></step>"));
    OWN(ts_changes_fini) struct ts_changes changes = {0};

    assert_int_equal(ts_diff(a, b, &changes), 0);
    assert_int_equal(changes.n, 1);
    assert_string_equal(changes.items[0].from, "one");
    assert_string_equal(changes.items[0].to, "two");
}

static void a_command_is_told_though_a_variable_changed_too(void **state)
{
    (void)state;
#define STEP_OF(type, action, run_as) \
    SEQUENCE("<step name=\"s\"" type "><action>" action "</action><defaultVarList><variable " \
             "name=\"CommandLine\">" run_as "</variable></defaultVarList></step>")
#define COMMAND_TYPE " type=\"SMS_TaskSequence_RunCommandLineAction\""
    static const struct {
        const char *before;
        const char *after;
        size_t n;
    } rules[] = {
        {STEP_OF("", "echo A", "x"), STEP_OF("", "echo B", "y"), 2},
        {STEP_OF(" type=\"V\"", "echo A", "x"), STEP_OF(" type=\"V\"", "echo B", "y"), 2},
        {STEP_OF(COMMAND_TYPE, "echo A", "x"), STEP_OF(COMMAND_TYPE, "echo B", "y"), 2},
        {STEP_OF(COMMAND_TYPE, "smsswd.exe /run: x", "x"), STEP_OF(COMMAND_TYPE, "echo B", "y"), 2},
        {STEP_OF(COMMAND_TYPE, "smsswd.exe /run: x", "x"),
         STEP_OF(COMMAND_TYPE, "smsswd.exe /run: y", "y"),
         1},
        {STEP_OF(COMMAND_TYPE, "", "x"), STEP_OF(COMMAND_TYPE, "smsswd.exe /run: y", "y"), 1},
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        OWN(ts_document_freep) struct ts_document *a = parse_ok(rules[i].before);
        OWN(ts_document_freep) struct ts_document *b = parse_ok(rules[i].after);
        OWN(ts_changes_fini) struct ts_changes changes = {0};

        assert_int_equal(ts_diff(a, b, &changes), 0);
        assert_int_equal(changes.n, rules[i].n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_variable_that_is_gone_or_new_is_told_with_nothing_on_the_other_side),
        cmocka_unit_test(a_time_out_is_told_once_though_it_stands_in_two_places),
        cmocka_unit_test(how_the_editor_shows_a_group_is_no_difference),
        cmocka_unit_test(a_command_that_repeats_a_secret_is_told_without_it),
        cmocka_unit_test(a_command_without_secrets_is_told_as_it_is),
        cmocka_unit_test(a_command_is_told_though_a_variable_changed_too),
    };

    return cmocka_run_group_tests_name("ts/diff_item", tests, NULL, NULL);
}
