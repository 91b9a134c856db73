/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/report_json.h"

#include "ts/diff.h"
#include "ts/test_ts.h"

#define SCRIPT(text) \
    SEQUENCE( \
        "<step name=\"s\" type=\"SMS_TaskSequence_RunPowerShellScriptAction\"><defaultVarList>" \
        "<variable name=\"OSDRunPowerShellScriptSourceScript\" property=\"SourceScript\">" text \
        "</variable></defaultVarList></step>")
#define ONE_TWO     "b25lCnR3bwo="             /* "one\ntwo\n" */
#define ONE_TWO_TOO "//5vAG4AZQAKAHQAdwBvAAoA" /* the same in UTF-16 */
#define ONE_SIX     "b25lCnNpeAo="             /* "one\nsix\n" */

static json_t *compare(const char *before, const char *after)
{
    OWN(ts_document_freep) struct ts_document *a = parse_ok(before);
    OWN(ts_document_freep) struct ts_document *b = parse_ok(after);
    OWN(ts_changes_fini) struct ts_changes changes = {0};
    json_t *json;

    assert_int_equal(ts_diff(a, b, &changes), 0);
    assert_int_equal(ts_changes_json(&changes, &json), 0);
    return json;
}

static const char *text_of(const json_t *json, const char *name)
{
    return json_string_value(
        json_object_get(json_array_get(json_object_get(json, "changes"), 0), name));
}

static void a_script_that_changed_is_told_line_by_line(void **state)
{
    (void)state;
    json_t *json = compare(SCRIPT(ONE_TWO), SCRIPT(ONE_SIX));

    assert_int_equal(json_array_size(json_object_get(json, "changes")), 1);
    assert_string_equal(text_of(json, "text"),
                        "Changed step \"s\": Script: 1 line removed, 1 line added");
    assert_string_equal(text_of(json, "lines"), "  one\n- two\n+ six\n");
    assert_string_equal(text_of(json, "from"), "one\ntwo\n");
    assert_string_equal(text_of(json, "to"), "one\nsix\n");
    json_decref(json);
}

static void anything_else_has_no_lines(void **state)
{
    (void)state;
    json_t *json =
        compare(SEQUENCE(STEP("s", "description=\"a\"")), SEQUENCE(STEP("s", "description=\"b\"")));

    assert_string_equal(text_of(json, "text"),
                        "Changed step \"s\": Description from \"a\" to \"b\"");
    assert_string_equal(text_of(json, "lines"), "");
    json_decref(json);
}

static void what_is_no_base64_is_told_as_it_is(void **state)
{
    (void)state;
    json_t *json = compare(SCRIPT("Get-Date!"), SCRIPT(ONE_SIX));

    assert_string_equal(text_of(json, "from"), "Get-Date!");
    assert_string_equal(text_of(json, "lines"), "");
    json_decref(json);
    json = compare(SCRIPT(ONE_TWO), SCRIPT(ONE_TWO_TOO)); /* another spelling of the same text */
    assert_string_equal(text_of(json, "from"), ONE_TWO);
    json_decref(json);
}

static void steps_and_their_properties_are_listed(void **state)
{
    (void)state;
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(SCRIPT(ONE_TWO));
    json_t *steps;
    json_t *properties;
    json_t *row;

    assert_int_equal(ts_steps_json(doc, &steps), 0);
    assert_int_equal(json_array_size(steps), 1);
    row = json_array_get(steps, 0);
    assert_string_equal(json_string_value(json_object_get(row, "path")), "s");
    assert_true(json_is_true(json_object_get(row, "is_enabled")));
    assert_int_equal(ts_properties_json(doc, &properties), 0);
    row = json_array_get(properties, 0);
    assert_string_equal(json_string_value(json_object_get(row, "name")), "SourceScript");
    assert_string_equal(json_string_value(json_object_get(row, "value")), "one\ntwo\n");
    json_decref(steps);
    json_decref(properties);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_that_changed_is_told_line_by_line),
        cmocka_unit_test(anything_else_has_no_lines),
        cmocka_unit_test(what_is_no_base64_is_told_as_it_is),
        cmocka_unit_test(steps_and_their_properties_are_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
