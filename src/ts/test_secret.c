/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/secret.h"

#include "ts/step_types.h"
#include "ts/test_ts.h"

#define VAR(name, text) "<variable name=\"" name "\">" text "</variable>"
#define TYPED(type, action, variables) \
    "<step type=\"" type "\" name=\"s\"><action>" action "</action><defaultVarList>" variables \
    "</defaultVarList></step>"

static void export_is(const char *xml, const char *wanted)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(ts_document_freep) struct ts_document *safe = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    assert_int_equal(ts_document_export(doc, &safe), 0);
    assert_int_equal(ts_document_canonical(safe, &text), 0);
    assert_string_equal(buf_str(&text), wanted);
}

static void an_export_has_no_password_of_any_step(void **state)
{
    (void)state;
    static const char *const names[] = {"SMSTSRunCommandLineUserPassword",
                                        "SMSTSRunPowerShellUserPassword",
                                        "OSDJoinPassword",
                                        "SMSConnectNetworkFolderPassword",
                                        "OSDBitLockerPIN",
                                        "OSDMigrateLocalAccountPassword",
                                        "OSDCaptureAccountPassword",
                                        "OSDLocalAdminPassword",
                                        "OSDProductKey",
                                        "OSDUpgradeOsProductKey"};
    const struct ts_step_type *type;
    size_t n = 0;

    for (size_t i = 0; (type = ts_step_type_at(i)) != NULL; i++) {
        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
            OWN(buf_fini) struct buf xml = BUF_INIT(4096);
            OWN(buf_fini) struct buf text = BUF_INIT(4096);
            OWN(ts_document_freep) struct ts_document *doc = NULL;
            OWN(ts_document_freep) struct ts_document *safe = NULL;

            if (!ts_property_find(type, names[k]))
                continue;
            n++;
            buf_addf(
                &xml,
                SEQUENCE("<step type=\"%s\" name=\"s\"><action>x hunter2</action><defaultVarList>"
                         "<variable name=\"%s\">hunter2</variable></defaultVarList></step>"),
                type->type,
                names[k]);
            doc = parse_ok(buf_str(&xml));
            assert_int_equal(ts_document_export(doc, &safe), 0);
            assert_int_equal(ts_document_put(safe, &text), 0);
            assert_null(strstr(buf_str(&text), "hunter2"));
            assert_non_null(strstr(buf_str(&text), names[k]));
        }
    }
    assert_true(n >= sizeof(names) / sizeof(names[0]));
}

static void a_value_that_is_not_to_be_displayed_goes_out_of_the_command_too(void **state)
{
    (void)state;
    export_is(
        SEQUENCE(TYPED("SMS_TaskSequence_SetVariableAction",
                       "tsenv.exe \"A=hunter2\" /hiddenflag:True",
                       VAR("DoNotShowVariableValue", "true") VAR("VariableName", "A")
                           VAR("VariableValue", "hunter2"))),
        SEQUENCE(
            "<step name=\"s\" type=\"SMS_TaskSequence_SetVariableAction\"><action>tsenv.exe \"A=\" "
            "/hiddenflag:True</action><defaultVarList>" VAR("DoNotShowVariableValue", "true")
                VAR("VariableName", "A") VAR("VariableValue", "") "</defaultVarList></step>"));
}

static void only_nothing_false_no_and_0_let_a_value_be_seen(void **state)
{
    static const char *const open[] = {"", "false", "False", "no", "0"};
    static const char *const hiding[] = {"true", "TRUE", "1", "yes", "-1", " "};

    (void)state;
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
        assert_false(ts_secret_is_flag(open[i]));
    for (size_t i = 0; i < sizeof(hiding) / sizeof(hiding[0]); i++)
        assert_true(ts_secret_is_flag(hiding[i]));
    export_is(
        SEQUENCE(TYPED("SMS_TaskSequence_SetVariableAction",
                       "tsenv.exe \"A=hunter2\" /hiddenflag:1",
                       VAR("DoNotShowVariableValue", "1") VAR("VariableName", "A")
                           VAR("VariableValue", "hunter2"))),
        SEQUENCE("<step name=\"s\" type=\"SMS_TaskSequence_SetVariableAction\"><action>tsenv.exe "
                 "\"A=\" /hiddenflag:1</action><defaultVarList>" VAR("DoNotShowVariableValue", "1")
                     VAR("VariableName", "A") VAR("VariableValue", "") "</defaultVarList></step>"));
}

static void only_secret_dynamic_variables_are_blanked(void **state)
{
    (void)state;
    export_is(
        SEQUENCE(TYPED(
            "SMS_TaskSequence_SetDynamicVariablesAction",
            "x",
            VAR("OSDSetDynamicVariablesRules",
                "&lt;Rules>&lt;Rule>&lt;Variables>&lt;Variable Name=\"A\" IsSecret=\"true\">hunter2"
                "&lt;/Variable>&lt;Variable Name=\"B\" IsSecret=\"false\">seen&lt;/Variable>"
                "&lt;/Variables>&lt;/Rule>&lt;/Rules>"))),
        SEQUENCE(
            "<step name=\"s\" type=\"SMS_TaskSequence_SetDynamicVariablesAction\"><action>"
            "x</action><defaultVarList>" VAR(
                "OSDSetDynamicVariablesRules",
                "&lt;Rules&gt;&lt;Rule&gt;&lt;Variables&gt;&lt;Variable Name=\"A\" IsSecret=\"true\"/&gt;"
                "&lt;Variable Name=\"B\" IsSecret=\"false\"&gt;seen&lt;/Variable&gt;&lt;/Variables&gt;"
                "&lt;/Rule&gt;&lt;/Rules&gt;") "</defaultVarList></step>"));
}

static void a_step_of_an_unknown_type_loses_its_passwords_in_its_command_too(void **state)
{
    (void)state;
    export_is(
        SEQUENCE(TYPED("BDD_ConfigureADDS", "x hunter2", VAR("SafeModeAdminPassword", "hunter2"))),
        SEQUENCE(
            "<step name=\"s\" type=\"BDD_ConfigureADDS\"><action>x </action><defaultVarList>" VAR(
                "SafeModeAdminPassword", "") "</defaultVarList></step>"));
}

static void a_password_is_known_by_its_property_and_by_the_name_of_an_attribute(void **state)
{
    (void)state;
    export_is(
        SEQUENCE(
            "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"s\" AdminPassword=\"hunter2\"><defaultVarList>"
            "<variable name=\"Odd\" property=\"UserPassword\">hunter2</variable></defaultVarList></step>"),
        SEQUENCE(
            "<step AdminPassword=\"\" name=\"s\" type=\"SMS_TaskSequence_RunCommandLineAction\"><defaultVarList>"
            "<variable name=\"Odd\" property=\"UserPassword\"></variable></defaultVarList></step>"));
}

static void a_short_secret_leaves_a_command_as_it_is(void **state)
{
    (void)state;
    export_is(SEQUENCE(TYPED("Vendor", "start adam.exe /pin:a", VAR("AdminPin", "a"))),
              SEQUENCE("<step name=\"s\" type=\"Vendor\"><action>start adam.exe /pin:</action>"
                       "<defaultVarList>" VAR("AdminPin", "") "</defaultVarList></step>"));
    /* which the template made */
    export_is(
        SEQUENCE(TYPED("SMS_TaskSequence_SetVariableAction",
                       "tsenv.exe \"A=e\" /hiddenflag:True",
                       VAR("DoNotShowVariableValue", "true") VAR("VariableName", "A")
                           VAR("VariableValue", "e"))),
        SEQUENCE(
            "<step name=\"s\" type=\"SMS_TaskSequence_SetVariableAction\"><action>tsenv.exe \"A=\" "
            "/hiddenflag:True</action><defaultVarList>" VAR("DoNotShowVariableValue", "true")
                VAR("VariableName", "A") VAR("VariableValue", "") "</defaultVarList></step>"));
}

static void an_element_that_nobody_knows_loses_what_its_name_calls_a_secret(void **state)
{
    (void)state;
    export_is(
        SEQUENCE(
            "<step name=\"s\" type=\"Vendor\"><action>run hunter2 /x</action><Password>hunter2</Password></step>"),
        SEQUENCE(
            "<step name=\"s\" type=\"Vendor\"><action>run  /x</action><Password></Password></step>"));
    export_is(
        SEQUENCE("<step name=\"s\"><Cfg xmlns=\"urn:v\"><AdminPassword>\n <Value>hunter2</Value>"
                 "<PlainText>true</PlainText>\n</AdminPassword><Value>seen</Value></Cfg></step>"),
        SEQUENCE("<step name=\"s\"><Cfg xmlns=\"urn:v\"><AdminPassword>\n <Value></Value>"
                 "<PlainText>true</PlainText>\n</AdminPassword><Value>seen</Value></Cfg></step>"));
    export_is(
        SEQUENCE(
            "<step name=\"s\"><Set><item key=\"dbPwd\" value=\"hunter2\"></item><item key=\"dbUser\" "
            "value=\"eva\"></item></Set><p Name=\"ClientSecret\"><![CDATA[hunter2]]></p></step>"),
        SEQUENCE("<step name=\"s\"><Set><item key=\"dbPwd\" value=\"\"></item><item key=\"dbUser\" "
                 "value=\"eva\"></item></Set><p Name=\"ClientSecret\"></p></step>"));
    export_is(SEQUENCE("<Password>12345</Password><group name=\"Password\"></group>"),
              SEQUENCE("<Password></Password><group name=\"Password\"></group>"));
}

static void what_says_whether_or_how_long_is_no_secret(void **state)
{
    static const char xml[] = SEQUENCE(
        "<step name=\"s\" requirePassword=\"true\" type=\"Vendor\"><PasswordNeverExpires>True"
        "</PasswordNeverExpires><MaxPasswordAge>-42</MaxPasswordAge><defaultVarList>" VAR(
            "PasswordLength", "12") VAR("UsePassword", "false") "</defaultVarList></step>");

    (void)state;
    export_is(xml, xml);
}

static void dynamic_variables_without_secrets_stay_byte_for_byte(void **state)
{
    (void)state;
    static const char xml[] = SEQUENCE(
        "<step name=\"s\" type=\"SMS_TaskSequence_SetDynamicVariablesAction\"><defaultVarList>" VAR(
            "OSDSetDynamicVariablesRules",
            "&lt;Rules &gt;&lt;Rule/&gt;&lt;Variable Name='A' IsSecret = 'FALSE'&gt;1&lt;/Variable&gt;&lt;/Rules&gt;") "</defaultVarList></step>");

    export_is(xml, xml);
}

#define JOIN_STEP(inside) \
    "<step name=\"j\" type=\"SMS_TaskSequence_JoinDomainWorkgroupAction\">" inside "</step>"
#define LIST(variables) "<defaultVarList>" variables "</defaultVarList>"
#define SECRET          LIST(VAR("OSDJoinPassword", "hunter2"))

static void a_password_is_cleared_where_it_does_not_count_too(void **state)
{
    (void)state;
    static const char *const cases[] = {
        SEQUENCE(JOIN_STEP("<action/><defaultVarList/>" SECRET)),
        SEQUENCE(JOIN_STEP("<action/>" SECRET SECRET)),
        SEQUENCE(JOIN_STEP("<action/><action>x /pw:hunter2</action>" SECRET)),
        SEQUENCE(JOIN_STEP("<action>x /pw:hunter2</action><defaultVarList/>" SECRET)),
        SEQUENCE(JOIN_STEP("<odd><action>x /pw:hunter2</action>" SECRET "</odd>")),
        SEQUENCE(JOIN_STEP("<odd AdminPassword=\"hunter2\"/>")),
        SEQUENCE(JOIN_STEP(VAR("OSDJoinPassword", "hunter2"))),
        SEQUENCE("<globalVarList/><globalVarList>" VAR("AdminPassword",
                                                       "hunter2") "</globalVarList>" STEP("a", "")),
        SEQUENCE("<odd>" JOIN_STEP(SECRET) "</odd>" STEP("a", "")),
        SEQUENCE("<group name=\"g\">" SECRET STEP("a", "") "</group>"),
        SEQUENCE(TYPED("SMS_TaskSequence_SetVariableAction",
                       "",
                       VAR("VariableName", "A")
                           VAR("VariableValue", "hunter2") "</defaultVarList><defaultVarList>" VAR(
                               "DoNotShowVariableValue", "true"))),
        SEQUENCE(TYPED(
            "SMS_TaskSequence_SetVariableAction",
            "",
            VAR("VariableName", "A") VAR(
                "DoNotShowVariableValue",
                "true") "<variable name=\"Odd\" property=\"VariableValue\">hunter2</variable>")),
        SEQUENCE(TYPED("SMS_TaskSequence_RunCommandLineAction",
                       "",
                       "<variable name=\"CommandLine\" property=\"UserPassword\">hunter2"
                       "</variable>")),
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(ts_document_freep) struct ts_document *doc = parse_ok(cases[i]);
        OWN(ts_document_freep) struct ts_document *safe = NULL;
        OWN(buf_fini) struct buf text = BUF_INIT(65536);

        assert_int_equal(ts_document_export(doc, &safe), 0);
        assert_int_equal(ts_document_put(safe, &text), 0);
        if (strstr(buf_str(&text), "hunter2"))
            fail_msg("case %zu: %s", i, buf_str(&text));
    }
}

static void what_has_no_secrets_is_exported_as_it_is(void **state)
{
    (void)state;
    static const char xml[] = SEQUENCE(
        "<step name=\"s\" type=\"X\"><action>stale &amp; kept</action><defaultVarList>" VAR(
            "A", "1") "</defaultVarList></step>");

    export_is(xml, xml);
}

#define PASSWORD "SMSTSRunCommandLineUserPassword"
#define COMMAND(action, password) \
    TYPED("SMS_TaskSequence_RunCommandLineAction", \
          action, \
          VAR("SMSTSRunCommandLineUserName", "L\\u") VAR(PASSWORD, password))
#define UNTYPED(action, password) \
    "<step name=\"s\"><action>" action \
    "</action><defaultVarList>" VAR(PASSWORD, password) "</defaultVarList></step>"

static void command_is(const char *xml, const char *wanted)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(ts_document_freep) struct ts_document *safe = NULL;
    const struct ts_step *steps;
    size_t n;

    assert_int_equal(ts_document_export(doc, &safe), 0);
    steps = ts_document_steps(safe, &n);
    assert_int_equal(n, 1);
    assert_string_equal(steps[0].action, wanted);
    assert_string_equal(ts_step_variable(&steps[0], PASSWORD)->text, "");
}

static void a_command_without_the_password_of_its_step_stays(void **state)
{
    (void)state;
    command_is(SEQUENCE(COMMAND("powershell.exe -file a.ps1", "hunter2")),
               "powershell.exe -file a.ps1");
    command_is(SEQUENCE(COMMAND("smsswd.exe /run: echo a", "hunter2")), "smsswd.exe /run: echo a");
    command_is(SEQUENCE(UNTYPED("echo hello", "hunter2")), "echo hello");
}

static void a_command_with_the_password_of_its_step_loses_it_only(void **state)
{
    (void)state;
    command_is(SEQUENCE(COMMAND("net use /user:u hunter2", "hunter2")), "net use /user:u ");
    command_is(SEQUENCE(UNTYPED("a hunter2 b", "hunter2")), "a  b");
    command_is(SEQUENCE(UNTYPED("get https://u:a%26%20b@h/", "a&amp; b")), "get https://u:@h/");
}

static void what_is_exported_comes_back_with_its_command(void **state)
{
    (void)state;
    static const char *const steps[] = {
        SEQUENCE(COMMAND("powershell.exe -file a.ps1", "hunter2")),
        SEQUENCE(COMMAND("net use /user:u hunter2", "hunter2")),
        SEQUENCE(UNTYPED("a hunter2 b", "hunter2")),
        SEQUENCE(UNTYPED("echo hello", "hunter2")),
    };

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        OWN(ts_document_freep) struct ts_document *doc = parse_ok(steps[i]);
        OWN(ts_document_freep) struct ts_document *safe = NULL;
        OWN(ts_document_freep) struct ts_document *kept = NULL;
        OWN(buf_fini) struct buf text = BUF_INIT(65536);
        OWN(buf_fini) struct buf kept_text = BUF_INIT(65536);

        assert_int_equal(ts_document_export(doc, &safe), 0);
        assert_int_equal(ts_document_keep_secrets(safe, doc, &kept), 0);
        assert_int_equal(ts_document_canonical(doc, &text), 0);
        assert_int_equal(ts_document_canonical(kept, &kept_text), 0);
        assert_string_equal(buf_str(&kept_text), buf_str(&text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_export_has_no_password_of_any_step),
        cmocka_unit_test(a_value_that_is_not_to_be_displayed_goes_out_of_the_command_too),
        cmocka_unit_test(only_nothing_false_no_and_0_let_a_value_be_seen),
        cmocka_unit_test(only_secret_dynamic_variables_are_blanked),
        cmocka_unit_test(a_step_of_an_unknown_type_loses_its_passwords_in_its_command_too),
        cmocka_unit_test(a_password_is_known_by_its_property_and_by_the_name_of_an_attribute),
        cmocka_unit_test(an_element_that_nobody_knows_loses_what_its_name_calls_a_secret),
        cmocka_unit_test(what_says_whether_or_how_long_is_no_secret),
        cmocka_unit_test(a_short_secret_leaves_a_command_as_it_is),
        cmocka_unit_test(dynamic_variables_without_secrets_stay_byte_for_byte),
        cmocka_unit_test(a_password_is_cleared_where_it_does_not_count_too),
        cmocka_unit_test(what_has_no_secrets_is_exported_as_it_is),
        cmocka_unit_test(a_command_without_the_password_of_its_step_stays),
        cmocka_unit_test(a_command_with_the_password_of_its_step_loses_it_only),
        cmocka_unit_test(what_is_exported_comes_back_with_its_command),
    };

    return cmocka_run_group_tests_name("ts/secret", tests, NULL, NULL);
}
