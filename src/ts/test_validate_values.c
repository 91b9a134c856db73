/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/validate_parts.h"

#include <stdlib.h>

#include "ts/test_ts.h"

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

/* The ids of what is found, with blanks between them. */
static void found(const char *xml, const char *wanted)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(buf_fini) struct buf ids = BUF_INIT(4096);

    assert_int_equal(ts_validate_at(doc, NULL, &diags), 0);
    for (size_t i = 0; i < diags.n; i++)
        buf_addf(&ids, "%s%s", i > 0 ? " " : "", diags.items[i].id);
    assert_string_equal(buf_str(&ids), wanted);
}

static void rules_are_looked_into(void **state)
{
    (void)state;
    found(RULES(RULE(VARIABLE_RULE("equals"), RULE_VARIABLE("Room", "false", "B12"))), "");
    found(RULES(RULE("", RULE_VARIABLE("Room", "false", "%Other%"))), "");
    found(RULES("&lt;Rules>&lt;Rule>"), "SLW-0181");
    found(RULES("&lt;Odd/>"), "SLW-0181");
    found(RULES(RULE("", "")), "SLW-0181");
    found(RULES(RULE("", RULE_VARIABLE("_Room", "false", "x"))), "SLW-0186");
    found(RULES(RULE("", RULE_VARIABLE("a.b", "false", "x"))), "SLW-0172");
    found(RULES(RULE("", RULE_VARIABLE("Pin", "true", ""))), "SLW-0183");
    found(RULES(RULE(VARIABLE_RULE("resembles"), RULE_VARIABLE("Room", "false", "x"))), "SLW-0185");
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

static void attributes_have_limits(void **state)
{
    (void)state;
    found(SEQUENCE(STEP("a", "timeout=\"59940\" retryCount=\"5\"")), "");
    found(SEQUENCE(STEP("a", "timeout=\"59941\"")), "SLW-0181");
    found(SEQUENCE(STEP("a", "timeout=\"soon\"")), "SLW-0181");
    found(SEQUENCE(STEP("a", "retryCount=\"6\"")), "SLW-0181");
    found(SEQUENCE(STEP("a", "retryCount=\"-1\"")), "SLW-0181");
}

static void variables_of_the_sequence_have_names_and_limits(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf xml = BUF_INIT(65536);

    found("<sequence version=\"3.10\"><globalVarList>" VAR(
              "OSDPackageCount", "1") "</globalVarList>" STEP("a", "") "</sequence>",
          "");
    found("<sequence version=\"3.10\"><globalVarList>" VAR("_x", "1")
              VAR("a b", "1") "</globalVarList>" STEP("a", "") "</sequence>",
          "SLW-0186 SLW-0172");
    buf_adds(&xml, "<sequence version=\"3.10\"><globalVarList><variable name=\"a\">");
    for (size_t i = 0; i <= 4000; i++)
        buf_adds(&xml, "x");
    buf_adds(&xml, "</variable></globalVarList>" STEP("a", "") "</sequence>");
    found(buf_str(&xml), "SLW-0171");
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
    found(buf_str(&xml), "SLW-0171 SLW-0172");
}

static void every_secret_that_an_export_has_emptied_is_missed(void **state)
{
    (void)state;
    found(SEQUENCE(TYPED("SetVariable",
                         VAR("VariableName", "x") VAR("DoNotShowVariableValue", "true")
                             VAR("VariableValue", ""))),
          "SLW-0183");
    found(SEQUENCE(TYPED("ApplyWindowsSettings",
                         VAR("OSDRegisteredUserName", "u") VAR("OSDRegisteredOrgName", "o") VAR(
                             "OSDRandomAdminPassword", "false") VAR("OSDLocalAdminPassword", ""))),
          "SLW-0183 SLW-0184");
    found(SEQUENCE(TYPED("ApplyWindowsSettings",
                         VAR("OSDRegisteredUserName", "u") VAR("OSDRegisteredOrgName", "o") VAR(
                             "OSDRandomAdminPassword", "true") VAR("OSDLocalAdminPassword", ""))),
          "SLW-0184");
    found(SEQUENCE(TYPED("ConnectNetworkFolder",
                         VAR("SMSConnectNetworkFolderPath", "//s/x")
                             VAR("SMSConnectNetworkFolderAccount", "a"))),
          "SLW-0183");
    found(SEQUENCE(TYPED("ConnectNetworkFolder",
                         VAR("SMSConnectNetworkFolderPath", "//s/x")
                             VAR("SMSConnectNetworkFolderPassword", ""))),
          "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_looked_into),
        cmocka_unit_test(the_rule_is_told_by_its_number),
        cmocka_unit_test(attributes_have_limits),
        cmocka_unit_test(variables_of_the_sequence_have_names_and_limits),
        cmocka_unit_test(a_name_of_257_characters_cannot_be_set),
        cmocka_unit_test(every_secret_that_an_export_has_emptied_is_missed),
    };

    return cmocka_run_group_tests_name("ts/validate_values", tests, NULL, NULL);
}
