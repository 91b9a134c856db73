/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/edit_parts.h"

#include "ts/test_ts.h"

static void edited(const char *xml, const char *name, const char *value, const char *wanted)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(ts_document_freep) struct ts_document *after = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(65536);
    const struct ts_assignment assignment = {name, value};
    const struct ts_operation op = {
        TS_OP_SET, .path = "1", .assignments = &assignment, .n_assignments = 1};

    assert_int_equal(ts_edit(doc, &op, &after, &text), 0);
    assert_int_equal(ts_document_canonical(after, &text), 0);
    if (!strstr(buf_str(&text), wanted))
        fail_msg("%s lacks %s", buf_str(&text), wanted);
}

static void a_variable_keeps_its_place_and_its_attributes(void **state)
{
    (void)state;
    edited(
        SEQUENCE(
            "<step name=\"a\" type=\"X\"><defaultVarList><variable name=\"v\" odd=\"1\">old</variable>"
            "<variable name=\"w\">2</variable></defaultVarList></step>"),
        "V",
        "new",
        "<variable name=\"v\" odd=\"1\">new</variable><variable name=\"w\">");
}

static void lists_are_made_before_the_condition(void **state)
{
    (void)state;
    edited(SEQUENCE("<step name=\"a\" type=\"X\"><condition/></step>"),
           "v",
           "1",
           "<defaultVarList><variable name=\"v\">1</variable></defaultVarList><condition>");
}

static void a_condition_may_be_written_as_it_is_shown(void **state)
{
    (void)state;
    static const char *const spellings[] = {"OS like pc-*", "OS like \"pc-*\""};

    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
        edited(SEQUENCE(STEP("a", "")), "condition", spellings[i], "\"Value\">pc-*</variable>");
    edited(SEQUENCE(STEP("a", "")), "condition", "WMI \"select * from X\"", ">select * from X<");
    edited(SEQUENCE(STEP("a", "")), "condition", "OS equals \"", "\"Value\">\"</variable>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_condition_may_be_written_as_it_is_shown),
        cmocka_unit_test(a_variable_keeps_its_place_and_its_attributes),
        cmocka_unit_test(lists_are_made_before_the_condition),
    };

    return cmocka_run_group_tests_name("ts/edit_set", tests, NULL, NULL);
}
