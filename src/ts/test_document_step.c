/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/test_ts.h"

static void a_variable_may_be_called_as_the_property_is(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(
        "<sequence version=\"3.00\"><step type=\"SMS_TaskSequence_RebootAction\" name=\"r\"><defaultVarList>"
        "<variable name=\"Target\" property=\"Target\">HD</variable></defaultVarList></step></sequence>");
    size_t n;
    const struct ts_step *steps = ts_document_steps(doc, &n);

    assert_string_equal(ts_step_variable(&steps[0], "SMSRebootTarget")->text, "HD");
    assert_null(ts_step_variable(&steps[0], "SMSRebootMessage"));
}

static void success_codes_are_numbers_with_anything_between_them(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(SEQUENCE(STEP("a", "") STEP(
        "b", "successCodeList=\"0 3010\"") STEP("c", "successCodeList=\"-1,2;x\"")));
    size_t n;
    const struct ts_step *steps = ts_document_steps(doc, &n);

    assert_true(ts_step_is_success(&steps[0], 0));
    assert_false(ts_step_is_success(&steps[0], 3010));
    assert_true(ts_step_is_success(&steps[1], 3010));
    assert_false(ts_step_is_success(&steps[2], 0));
    assert_true(ts_step_is_success(&steps[2], -1));
    assert_true(ts_step_is_success(&steps[2], 2));
}

static void a_step_without_a_type_has_the_variables_of_a_command(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(
        SEQUENCE("<step name=\"a\"><action>x</action><defaultVarList><variable name=\"RunAsUser\" "
                 "property=\"RunAsUser\">true</variable></defaultVarList></step>"));
    size_t n;
    const struct ts_variable *found =
        ts_step_variable(ts_document_steps(doc, &n), "_SMSTSRunCommandLineAsUser");

    assert_non_null(found);
    assert_string_equal(found->text, "true");
}

static void a_time_out_is_1_to_999_minutes_and_anything_else_is_none(void **state)
{
    static const struct {
        const char *attribute;
        unsigned timeout_s;
    } cases[] = {{"", 0},
                 {"timeout=\"0\"", 0},
                 {"timeout=\"60\"", 60},
                 {"timeout=\"900\"", 900},
                 {"timeout=\"59940\"", 59940},
                 {"timeout=\"59941\"", 0},
                 {"timeout=\"-60\"", 0},
                 {"timeout=\"soon\"", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf xml = BUF_INIT(1024);
        OWN(ts_document_freep) struct ts_document *doc = NULL;
        size_t n;

        buf_addf(&xml, SEQUENCE("<step name=\"a\" type=\"X\" %s/>"), cases[i].attribute);
        doc = parse_ok(buf_str(&xml));
        assert_int_equal(ts_document_steps(doc, &n)[0].timeout_s, cases[i].timeout_s);
    }
}

static const char *runs_as(const char *step)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(4096);
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    size_t n;

    buf_addf(&xml, "<sequence version=\"3.00\">%s</sequence>", step);
    doc = parse_ok(buf_str(&xml));
    return ts_step_runs_as(ts_document_steps(doc, &n))[0] == '\0' ? "nothing" : "something";
}

static void a_step_without_a_type_is_a_command_if_it_has_one(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(
        "<sequence version=\"3.00\"><step name=\"a\"><action>uname -a</action></step><step name=\"b\">"
        "<action>smsswd.exe /run:CHQ00001 make it</action></step></sequence>");
    size_t n;
    const struct ts_step *steps = ts_document_steps(doc, &n);

    assert_string_equal(ts_step_runs_as(&steps[0]), "SMS_TaskSequence_RunCommandLineAction");
    assert_string_equal(ts_step_action_command(&steps[0]), "uname -a");
    assert_string_equal(ts_step_action_command(&steps[1]), "make it");
    assert_string_equal(runs_as("<step name=\"a\"/>"), "nothing");
    assert_string_equal(runs_as("<step name=\"a\" type=\"BDD_Gather\"><action>x</action></step>"),
                        "something");
}

static void windows_script_host_is_known_by_its_name(void **state)
{
    (void)state;
    static const char *const are[] = {"cscript.exe \"%SCRIPTROOT%\\ZTIGather.wsf\"",
                                      " CScript x.vbs",
                                      "\"C:\\Windows\\System32\\cscript.exe\" //nologo x.vbs",
                                      "wscript"};
    static const char *const are_not[] = {"", "cscripts x", "echo cscript.exe", "\"", "/bin/sh"};

    for (size_t i = 0; i < sizeof(are) / sizeof(are[0]); i++)
        assert_true(ts_command_is_of_script_host(are[i]));
    for (size_t i = 0; i < sizeof(are_not) / sizeof(are_not[0]); i++)
        assert_false(ts_command_is_of_script_host(are_not[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_variable_may_be_called_as_the_property_is),
        cmocka_unit_test(a_step_without_a_type_has_the_variables_of_a_command),
        cmocka_unit_test(a_time_out_is_1_to_999_minutes_and_anything_else_is_none),
        cmocka_unit_test(success_codes_are_numbers_with_anything_between_them),
        cmocka_unit_test(a_step_without_a_type_is_a_command_if_it_has_one),
        cmocka_unit_test(windows_script_host_is_known_by_its_name),
    };

    return cmocka_run_group_tests_name("ts/document_step", tests, NULL, NULL);
}
