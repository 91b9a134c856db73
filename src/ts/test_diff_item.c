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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_variable_that_is_gone_or_new_is_told_with_nothing_on_the_other_side),
        cmocka_unit_test(a_time_out_is_told_once_though_it_stands_in_two_places),
        cmocka_unit_test(how_the_editor_shows_a_group_is_no_difference),
    };

    return cmocka_run_group_tests_name("ts/diff_item", tests, NULL, NULL);
}
