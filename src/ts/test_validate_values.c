/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/validate_parts.h"

#include <stdlib.h>
#include <string.h>

#include "ts/test_validate.h"

#define VAR(name, text) "<variable name=\"" name "\">" text "</variable>"
#define TYPED(type, variables) \
    "<step type=\"SMS_TaskSequence_" type "Action\" name=\"s\"><defaultVarList>" variables \
    "</defaultVarList></step>"
#define RULES(rules) \
    SEQUENCE(TYPED("SetDynamicVariables", VAR("OSDSetDynamicVariablesRules", rules)))
#define RULE(condition, variables) \
    "&lt;Rules>&lt;Rule>" condition "&lt;Variables>" variables \
    "&lt;/Variables>&lt;/Rule>&lt;/Rules>"
#define RULE_VARIABLE(name, secret, value) \
    "&lt;Variable Name='" name "' IsSecret='" secret "'>" value "&lt;/Variable>"
#define VARIABLE_RULE(operator_name) \
    "&lt;condition>&lt;expression type='SMS_TaskSequence_VariableConditionExpression'>" \
    "&lt;variable name='Operator'>" operator_name \
    "&lt;/variable>&lt;variable name='Value'>x&lt;/variable>" \
    "&lt;variable name='Variable'>y&lt;/variable>&lt;/expression>&lt;/condition>"

/* Of the document alone. */
static void found_of(const char *xml, const char *wanted)
{
    found(xml, NULL, wanted);
}

static void rules_are_looked_into(void **state)
{
    (void)state;
    found_of(RULES(RULE(VARIABLE_RULE("equals"), RULE_VARIABLE("Room", "false", "B12"))), "");
    found_of(RULES(RULE("", RULE_VARIABLE("Room", "false", "%Other%"))), "");
    found_of(RULES("&lt;Rules>&lt;Rule>"), "SLW-0181");
    found_of(RULES("&lt;Odd/>"), "SLW-0181");
    found_of(RULES(RULE("", "")), "SLW-0181");
    found_of(RULES(RULE("", RULE_VARIABLE("_Room", "false", "x"))), "SLW-0186");
    found_of(RULES(RULE("", RULE_VARIABLE("a.b", "false", "x"))), "SLW-0172");
    found_of(RULES(RULE("", RULE_VARIABLE("Pin", "true", ""))), "SLW-0183");
    found_of(RULES(RULE(VARIABLE_RULE("resembles"), RULE_VARIABLE("Room", "false", "x"))),
             "SLW-0185");
}

static void a_secret_is_quoted_in_no_finding(void **state)
{
    (void)state;
    static const char *const cases[] = {
        SEQUENCE(TYPED("SetVariable",
                       VAR("VariableName", "OSDRunPowerShellScriptParameters") VAR(
                           "VariableValue", "-Key 'Winter24") VAR("DoNotShowVariableValue", "true"))
                     TYPED("RunPowerShellScript", VAR("OSDRunPowerShellScriptParameters", ""))),
        SEQUENCE(TYPED("SetVariable",
                       VAR("VariableName", "Pin") VAR("VariableValue", "a%Winter24 b%c")
                           VAR("DoNotShowVariableValue", "true"))),
        SEQUENCE(TYPED("JoinDomainWorkgroup",
                       VAR("OSDJoinType", "0") VAR("OSDJoinDomainName", "example.org") VAR(
                           "OSDJoinAccount", "join") VAR("OSDJoinPassword", "ab%Winter24@x%1"))),
        RULES(RULE("", RULE_VARIABLE("OSDJoinPassword", "true", "ab%Winter24@x%1"))),
        SEQUENCE(TYPED("SetVariable",
                       VAR("VariableName", "SLWUserName") VAR("VariableValue", "Winter24")
                           VAR("DoNotShowVariableValue", "true"))
                     TYPED("ApplyWindowsSettings", VAR("SLWUserPassword", "ab%Winter24@x%1"))),
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(ts_document_freep) struct ts_document *doc = parse_ok(cases[i]);
        OWN(ts_diags_fini) struct ts_diags diags = {0};

        assert_int_equal(ts_validate_at(doc, NULL, &diags), 0);
        for (size_t k = 0; k < diags.n; k++)
            if (strstr(diags.items[k].message, "Winter24"))
                fail_msg("%s", diags.items[k].message);
    }
}

static void the_rule_is_told_by_its_number(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(RULES("&lt;Rules>&lt;Rule>&lt;Variables>" RULE_VARIABLE(
        "a",
        "false",
        "x") "&lt;/Variables>&lt;/Rule>&lt;Rule>&lt;Variables>" RULE_VARIABLE("_b",
                                                                              "false",
                                                                              "x") "&lt;/Variables>&lt;/Rule>&lt;/Rules>"));
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    assert_int_equal(ts_validate_at(doc, NULL, &diags), 0);
    assert_int_equal(diags.n, 1);
    assert_string_equal(diags.items[0].path, "s");
    assert_non_null(strstr(diags.items[0].message, "rule 2: "));
}

static void variables_of_the_sequence_have_names_and_limits(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf xml = BUF_INIT(65536);

    found_of("<sequence version=\"3.10\"><globalVarList>" VAR(
                 "OSDPackageCount", "1") "</globalVarList>" STEP("a", "") "</sequence>",
             "");
    found_of("<sequence version=\"3.10\"><globalVarList>" VAR("_x", "1")
                 VAR("a b", "1") "</globalVarList>" STEP("a", "") "</sequence>",
             "SLW-0186 SLW-0172");
    buf_adds(&xml, "<sequence version=\"3.10\"><globalVarList><variable name=\"a\">");
    for (size_t i = 0; i <= 4000; i++)
        buf_adds(&xml, "x");
    buf_adds(&xml, "</variable></globalVarList>" STEP("a", "") "</sequence>");
    found_of(buf_str(&xml), "SLW-0171");
}

static void what_is_wrong_in_the_list_of_the_sequence_has_its_line(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc =
        parse_ok("<sequence version=\"3.10\">\n<globalVarList>\n" VALUE("a", "1") "\n" VALUE(
            "_x", "1") "\n" VALUE("SMSTSPeerDownload",
                                  "1") "</globalVarList>" STEP("a", "") "</sequence>");
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    assert_int_equal(ts_validate(doc, &diags), 0);
    assert_int_equal(diags.n, 2);
    assert_int_equal(diags.items[0].line, 4);
    assert_true(diags.items[0].column > 0);
    assert_int_equal(diags.items[1].line, 5);
}

static void a_name_of_257_characters_cannot_be_set(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf xml = BUF_INIT(65536);

    buf_adds(
        &xml,
        "<sequence version=\"3.00\"><step type=\"SMS_TaskSequence_SetVariableAction\" name=\"s\">"
        "<defaultVarList><variable name=\"VariableValue\">x</variable><variable name=\"VariableName\">");
    for (size_t i = 0; i < 257; i++)
        buf_adds(&xml, "n");
    buf_adds(&xml, "</variable></defaultVarList></step></sequence>");
    found_of(buf_str(&xml), "SLW-0171 SLW-0172");
}

static void every_secret_that_an_export_has_emptied_is_missed(void **state)
{
    (void)state;
    found_of(SEQUENCE(TYPED("SetVariable",
                            VAR("VariableName", "x") VAR("DoNotShowVariableValue", "true")
                                VAR("VariableValue", ""))),
             "SLW-0183");
    found_of(SEQUENCE(TYPED("ApplyWindowsSettings",
                            VAR("OSDRegisteredUserName", "u") VAR("OSDRegisteredOrgName", "o")
                                VAR("OSDRandomAdminPassword", "false")
                                    VAR("OSDLocalAdminPassword", ""))),
             "SLW-0183 SLW-0184");
    found_of(
        SEQUENCE(TYPED("ApplyWindowsSettings",
                       VAR("OSDRegisteredUserName", "u") VAR("OSDRegisteredOrgName", "o")
                           VAR("OSDRandomAdminPassword", "true") VAR("OSDLocalAdminPassword", ""))),
        "SLW-0184");
    found_of(SEQUENCE(TYPED("ConnectNetworkFolder",
                            VAR("SMSConnectNetworkFolderPath", "//s/x")
                                VAR("SMSConnectNetworkFolderAccount", "a"))),
             "SLW-0183");
    found_of(SEQUENCE(TYPED("ConnectNetworkFolder",
                            VAR("SMSConnectNetworkFolderPath", "//s/x")
                                VAR("SMSConnectNetworkFolderPassword", ""))),
             "");
}

static unsigned linux_image(void *ctx, const char *id)
{
    (void)ctx, (void)id;
    return TS_PLATFORM_LINUX;
}

#define SET(name, value) TYPED("SetVariable", VAR("VariableName", name) VAR("VariableValue", value))

static void
an_account_that_apply_windows_settings_would_refuse_is_told_before_a_disk_is_wiped(void **state)
{
    (void)state;
    static const struct ts_site_facts site = {.platform_of = linux_image};

    finds(SEQUENCE(SET("SLWUserName", "eva") SET("SLWUserSSHKey", "ssh-ed25519 AAAA eva")
                       TYPED("ApplyWindowsSettings", "")),
          "SLW-0184");
    finds(SEQUENCE(SET("SLWUserName", "Eva") TYPED("ApplyWindowsSettings", "")),
          "SLW-0440 SLW-0184");
    finds(SEQUENCE(SET("SLWUserSSHKey", "a\nb") TYPED("ApplyWindowsSettings", "")),
          "SLW-0440 SLW-0184");
    finds(SEQUENCE(SET("SLWUserName", "Eva")), "");
    finds(SEQUENCE(TYPED("ApplyWindowsSettings",
                         VAR("SLWUserName", "eva") VAR("SLWUserSSHKey", "ssh-ed25519 AAAA eva"))),
          "SLW-0184");
    finds(SEQUENCE(TYPED("ApplyWindowsSettings", VAR("SLWUserName", "eva"))), "SLW-0183 SLW-0184");
    finds(SEQUENCE(
              TYPED("ApplyWindowsSettings", VAR("SLWUserName", "Eva") VAR("SLWUserSSHKey", "x"))),
          "SLW-0440 SLW-0184");
    finds("<sequence version=\"3.10\"><globalVarList>" VAR(
              "SLWUserName", "Eva") "</globalVarList>" TYPED("ApplyWindowsSettings",
                                                             "") "</sequence>",
          "SLW-0440 SLW-0184");
    assert_found(SEQUENCE(TYPED("ApplyOperatingSystem",
                                VAR("ImagePackageID", "SLP00002") VAR("OSDImageIndex", "1"))
                              TYPED("ApplyWindowsSettings",
                                    VAR("SLWUserName", "Eva") VAR("SLWUserSSHKey", "x"))),
                 &site,
                 "!",
                 "SLW-0184 SLW-0184 SLW-0440!");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_looked_into),
        cmocka_unit_test(a_secret_is_quoted_in_no_finding),
        cmocka_unit_test(the_rule_is_told_by_its_number),
        cmocka_unit_test(variables_of_the_sequence_have_names_and_limits),
        cmocka_unit_test(what_is_wrong_in_the_list_of_the_sequence_has_its_line),
        cmocka_unit_test(a_name_of_257_characters_cannot_be_set),
        cmocka_unit_test(
            an_account_that_apply_windows_settings_would_refuse_is_told_before_a_disk_is_wiped),
        cmocka_unit_test(every_secret_that_an_export_has_emptied_is_missed),
    };

    return cmocka_run_group_tests_name("ts/validate_values", tests, NULL, NULL);
}
