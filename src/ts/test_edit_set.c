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

#define COMMAND_STEP(attributes, variables) \
    SEQUENCE("<step name=\"a\" type=\"SMS_TaskSequence_RunCommandLineAction\" " attributes \
             "><action/><defaultVarList>" variables "</defaultVarList></step>")
#define SCRIPT_STEP \
    SEQUENCE("<step name=\"a\" type=\"SMS_TaskSequence_RunPowerShellScriptAction\"/>")

static void a_step_with_an_account_runs_as_it_and_one_without_does_not(void **state)
{
    (void)state;
    static const char *const spellings[] = {"run-as", "UserName", "SMSTSRunCommandLineUserName"};
    static const char xml[] = COMMAND_STEP(
        "",
        "<variable name=\"_SMSTSRunCommandLineAsUser\" property=\"RunAsUser\">false</variable>");
    static const char with_user[] = COMMAND_STEP(
        "",
        "<variable name=\"_SMSTSRunCommandLineAsUser\" property=\"RunAsUser\">true</variable>"
        "<variable name=\"SMSTSRunCommandLineUserName\" property=\"UserName\">x</variable>");

    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        edited(xml, spellings[i], "anna", "property=\"RunAsUser\">true</variable>");
        edited(xml, spellings[i], "anna", "property=\"UserName\">anna</variable>");
        edited(with_user,
               spellings[i],
               "",
               "<defaultVarList><variable name=\"_SMSTSRunCommandLineAsUser\" "
               "property=\"RunAsUser\">false</variable></defaultVarList>");
    }
    edited(SCRIPT_STEP,
           "run-as",
           "anna",
           "<variable name=\"_SMSTSRunPowerShellAsUser\" property=\"RunAsUser\">true</variable>");
}

static void a_variable_that_goes_by_its_property_is_changed_and_not_doubled(void **state)
{
    (void)state;
    edited(COMMAND_STEP("", "<variable name=\"RunAsUser\" property=\"RunAsUser\">false</variable>"),
           "run-as",
           "anna",
           "<defaultVarList><variable name=\"RunAsUser\" property=\"RunAsUser\">true</variable>"
           "<variable name=\"SMSTSRunCommandLineUserName\" property=\"UserName\">anna</variable>"
           "</defaultVarList>");
}

static void the_attribute_that_is_obeyed_follows_the_property_and_its_variable(void **state)
{
    (void)state;
    static const char *const timeouts[] = {"timeout", "Timeout", "TIMEOUT"};
    static const char plain[] = COMMAND_STEP("", "");
    static const char application[] =
        SEQUENCE("<step name=\"a\" type=\"SMS_TaskSequence_InstallApplicationAction\"/>");

    for (size_t i = 0; i < sizeof(timeouts) / sizeof(timeouts[0]); i++) {
        edited(plain, timeouts[i], "5", " timeout=\"300\"");
        edited(plain,
               timeouts[i],
               "5",
               "<variable hidden=\"true\" name=\"Timeout\" property=\"Timeout\">5</variable>");
    }
    edited(plain, "RetryCount", "3", " retryCount=\"3\"");
    edited(plain, "successcodes", "0 7", " successCodeList=\"0 7\"");
    edited(application, "RETRYCOUNT", "3", " retryCount=\"3\"");
    edited(application, "RetryCount", "3", "property=\"RetryCount\">3</variable>");
    edited(SCRIPT_STEP, "OSDRunPowerShellScriptTimeout", "5", " timeout=\"300\"");
    edited(SCRIPT_STEP,
           "Timeout",
           "5",
           "name=\"OSDRunPowerShellScriptTimeout\" property=\"Timeout\">5</variable>");
    edited(SCRIPT_STEP, "OSDRunPowerShellScriptSuccessCodes", "0 7", " successCodeList=\"0 7\"");
    edited(SCRIPT_STEP, "startIn", "/x", "property=\"WorkingDirectory\">/x</variable>");
    edited(SCRIPT_STEP, "success-codes", "0 7", "property=\"SuccessCodes\">0 7</variable>");
}

static void an_account_of_a_step_without_a_type_is_set_and_taken_away(void **state)
{
    (void)state;
#define MDT_PLAIN(runs_as, user) \
    SEQUENCE("<step name=\"a\"><action>echo hi</action><defaultVarList>" \
             "<variable name=\"RunAsUser\" property=\"RunAsUser\">" runs_as \
             "</variable><variable name=\"UserName\" property=\"UserName\">" user \
             "</variable></defaultVarList></step>")
    edited(MDT_PLAIN("true", "anna"),
           "run-as",
           "",
           "<action>echo hi</action><defaultVarList><variable name=\"RunAsUser\" "
           "property=\"RunAsUser\">false</variable></defaultVarList>");
    edited(MDT_PLAIN("false", ""),
           "run-as",
           "anna",
           "property=\"RunAsUser\">true</variable><variable name=\"UserName\" "
           "property=\"UserName\">anna</variable></defaultVarList>");
    edited(SEQUENCE("<step name=\"a\"><action>echo hi</action></step>"),
           "run-as",
           "anna",
           "<variable name=\"SMSTSRunCommandLineUserName\" property=\"UserName\">anna</variable>");
}

static void a_time_out_may_be_written_in_seconds_as_it_is_shown(void **state)
{
    (void)state;
    static const char xml[] = COMMAND_STEP(
        "timeout=\"300\"",
        "<variable name=\"Timeout\" property=\"Timeout\" hidden=\"true\">5</variable>");

    edited(xml, "timeout", "90 s", " timeout=\"90\"");
    edited(xml, "timeout", "90 s", ">2</variable>");
}

static void no_time_out_is_no_variable(void **state)
{
    (void)state;
    static const char xml[] = COMMAND_STEP(
        "timeout=\"300\"",
        "<variable name=\"Timeout\" property=\"Timeout\" hidden=\"true\">5</variable>");

    edited(xml, "Timeout", "0", "<defaultVarList></defaultVarList>");
    edited(xml, "Timeout", "", "RunCommandLineAction\"><action>");
}

/* Time-out of Windows Setup: another thing than that of the step. */
static void a_property_of_the_same_name_that_is_no_option_stays_a_variable(void **state)
{
    (void)state;
    edited(SEQUENCE("<step name=\"a\" type=\"SMS_TaskSequence_UpgradeOperatingSystemAction\"/>"),
           "Timeout",
           "5",
           "UpgradeOperatingSystemAction\"><defaultVarList><variable name=\"OSDUpgradeTimeout\"");
}

/* As MDT writes its steps: the command is the text of <action> only, and no template made it. */
#define MDT_STEP(type, variables, action) \
    SEQUENCE("<step name=\"a\" type=\"SMS_TaskSequence_" type \
             "Action\"><defaultVarList>" variables "</defaultVarList><action>" action \
             "</action></step>")
#define MDT_COMMAND(package, action) \
    MDT_STEP("RunCommandLine", \
             "<variable name=\"PackageID\" property=\"PackageID\">" package "</variable>", \
             action)
#define MDT_RESTART(action) \
    MDT_STEP("Reboot", "<variable name=\"Target\" property=\"Target\"></variable>", action)
#define MDT_DISK \
    MDT_STEP("PartitionDisk", \
             "<variable name=\"OSDDiskIndex\" property=\"DiskIndex\">0</variable>", \
             "cscript.exe \"%SCRIPTROOT%\\ZTIDiskpart.wsf\"")

static void a_command_that_no_template_made_stays_when_something_else_is_set(void **state)
{
    (void)state;
    static const char *const steps[] = {
        MDT_COMMAND("", "echo hello"), MDT_RESTART("smsboot.exe /target:WinPE"), MDT_DISK};
    static const char *const actions[] = {
        "<action>echo hello</action>",
        "<action>smsboot.exe /target:WinPE</action>",
        "<action>cscript.exe \"%SCRIPTROOT%\\ZTIDiskpart.wsf\"</action>"};
    static const char *const settings[][2] = {
        {"description", "d"}, {"name", "n"}, {"condition", "A equals 1"}, {"retry", "2"}};

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        for (size_t k = 0; k < sizeof(settings) / sizeof(settings[0]); k++)
            edited(steps[i], settings[k][0], settings[k][1], actions[i]);
    edited(MDT_DISK, "OSDDiskIndex", "1", actions[2]);
    edited(MDT_COMMAND("", "echo hello"), "PackageID", "SLP00001", actions[0]);
}

static void what_is_not_set_stays_byte_for_byte(void **state)
{
    (void)state;
    static const char *const steps[] = {MDT_COMMAND("", "echo hello"),
                                        MDT_COMMAND("", "smsswd.exe /run:SLP00009 echo hello"),
                                        MDT_COMMAND("", ""),
                                        MDT_RESTART("smsboot.exe /target:WinPE"),
                                        MDT_DISK};

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        OWN(ts_document_freep) struct ts_document *doc = parse_ok(steps[i]);
        OWN(buf_fini) struct buf text = BUF_INIT(65536);

        assert_int_equal(ts_document_canonical(doc, &text), 0);
        edited(steps[i], "name", "a", buf_str(&text));
    }
}

static void a_command_that_is_in_the_action_only_is_set_there(void **state)
{
    (void)state;
    static const char *const spellings[] = {"command-line", "CommandLine"};
    static const char untyped[] =
        SEQUENCE("<step name=\"a\"><action>echo hello</action><defaultVarList/></step>");

    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        edited(MDT_COMMAND("", "echo hello"),
               spellings[i],
               "echo new",
               "</variable></defaultVarList><action>echo new</action>");
        edited(
            MDT_COMMAND("SLP00001", "smsswd.exe /run:SLP00001 echo hello"),
            spellings[i],
            "echo new",
            "SLP00001</variable></defaultVarList><action>smsswd.exe /run:SLP00001 echo new</action>");
        edited(untyped,
               spellings[i],
               "echo new",
               "<action>echo new</action><defaultVarList></defaultVarList>");
    }
    edited(MDT_COMMAND("", ""),
           "command-line",
           "echo new",
           "property=\"CommandLine\">echo new</variable>");
    edited(MDT_COMMAND("", ""),
           "command-line",
           "echo new",
           "<action>smsswd.exe /run: echo new</action>");
    edited(MDT_COMMAND("", "echo hello"), "action", "echo new", "<action>echo new</action>");
}

static void a_command_stays_when_the_rest_of_its_template_is_set(void **state)
{
    (void)state;
    edited(MDT_COMMAND("SLP00001", "smsswd.exe /run:SLP00001 echo hello"),
           "PackageID",
           "SLP00002",
           "<action>smsswd.exe /run:SLP00002 echo hello</action>");
    edited(
        MDT_RESTART("smsboot.exe /target:WinPE"),
        "Target",
        "HD",
        "property=\"Target\">HD</variable></defaultVarList><action>smsboot.exe /target:HD</action>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_condition_may_be_written_as_it_is_shown),
        cmocka_unit_test(a_variable_keeps_its_place_and_its_attributes),
        cmocka_unit_test(a_step_with_an_account_runs_as_it_and_one_without_does_not),
        cmocka_unit_test(a_variable_that_goes_by_its_property_is_changed_and_not_doubled),
        cmocka_unit_test(the_attribute_that_is_obeyed_follows_the_property_and_its_variable),
        cmocka_unit_test(an_account_of_a_step_without_a_type_is_set_and_taken_away),
        cmocka_unit_test(a_time_out_may_be_written_in_seconds_as_it_is_shown),
        cmocka_unit_test(no_time_out_is_no_variable),
        cmocka_unit_test(a_property_of_the_same_name_that_is_no_option_stays_a_variable),
        cmocka_unit_test(a_command_that_no_template_made_stays_when_something_else_is_set),
        cmocka_unit_test(what_is_not_set_stays_byte_for_byte),
        cmocka_unit_test(a_command_that_is_in_the_action_only_is_set_there),
        cmocka_unit_test(a_command_stays_when_the_rest_of_its_template_is_set),
        cmocka_unit_test(lists_are_made_before_the_condition),
    };

    return cmocka_run_group_tests_name("ts/edit_set", tests, NULL, NULL);
}
