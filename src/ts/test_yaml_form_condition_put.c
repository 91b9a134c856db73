/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/yaml_form_writer.h"

#include "ts/test_ts.h"
#include "ts/yaml_form.h"

/* The conditions of a step as YAML, without any XML in it. */
static void is_condition(const char *version, const char *xml, const char *wanted)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(65536);
    OWN(buf_fini) struct buf yaml = BUF_INIT(65536);

    buf_addf(
        &text,
        "<sequence version=\"%s\"><step name=\"a\"><condition>%s</condition></step></sequence>",
        version,
        xml);
    assert_int_equal(ts_document_parse(buf_bytes(&text), &doc, &diags), 0);
    assert_int_equal(ts_yaml_put(doc, &yaml), 0);
    if (!strstr(buf_str(&yaml), wanted) || strstr(buf_str(&yaml), "xml:"))
        fail_msg("%s", buf_str(&yaml));
}

#define FIELD(name, text) "<variable name=\"" name "\">" text "</variable>"
#define EXPRESSION(type, fields) \
    "<expression type=\"SMS_TaskSequence_" type "ConditionExpression\">" fields "</expression>"

static void every_kind_of_condition_has_a_readable_form(void **state)
{
    (void)state;
    is_condition("3.10",
                 EXPRESSION("Variable",
                            FIELD("Operator", "equals") FIELD("Value", "1") FIELD("Variable", "x")),
                 "      - variable: x\n        equals: \"1\"\n");
    is_condition("3.10",
                 EXPRESSION("Variable", FIELD("Operator", "exists") FIELD("Variable", "x")),
                 "      - variable: x\n        operator: exists\n");
    is_condition("3.10",
                 EXPRESSION("WMI", FIELD("Namespace", "root") FIELD("Query", "select")),
                 "      - wmi: select\n        namespace: root\n");
    is_condition("3.10",
                 EXPRESSION("File",
                            FIELD("Path", "x") FIELD("Version", "1.2")
                                FIELD("VersionOperator", "less")),
                 "      - file: x\n        version: \"1.2\"\n        versionOperator: less\n");
    is_condition("3.10", EXPRESSION("Folder", FIELD("Path", "x")), "      - folder: x\n");
    is_condition(
        "3.10",
        EXPRESSION("Registry",
                   FIELD("KeyPath", "HKLM") FIELD("Operator", "exists") FIELD("Type", "REG_SZ")
                       FIELD("Value", "v")),
        "      - registry: HKLM\n        operator: exists\n        type: REG_SZ\n        value: v\n");
    is_condition(
        "3.10",
        EXPRESSION("Software",
                   FIELD("Operator", "AnyVersion") FIELD("ProductCode", "c")
                       FIELD("ProductName", "p") FIELD("UpgradeCode", "u") FIELD("Version", "v")),
        "      - software: p\n        operator: AnyVersion\n        productCode: c\n        upgradeCode: u\n");
    is_condition(
        "3.10",
        "<osConditionGroup type=\"or\"><osExpressionGroup name=\"All Linux\" type=\"and\">" WMI
        "</osExpressionGroup></osConditionGroup>",
        "      - osConditionGroup: or\n        operands:\n          - osExpressionGroup: All Linux\n"
        "            type: and\n            operands:\n              - wmi: ");
}

#define MDT_IS(name, value) \
    EXPRESSION("Variable", \
               FIELD("Variable", name) FIELD("Operator", "equals") FIELD("Value", value))

static void the_order_that_most_have_is_said_once(void **state)
{
    (void)state;
    is_condition(
        "3.00", MDT_IS("x", "1"), "order of fields:\n  variable: Variable Operator Value\n");
    is_condition("3.00", MDT_IS("x", "1"), "      - variable: x\n        equals: \"1\"\n");
    is_condition("3.00",
                 MDT_IS("x", "1") MDT_IS("x", "2") VARIABLE_IS("y", "equals", "2"),
                 "order of fields:\n  variable: Variable Operator Value\n");
    is_condition(
        "3.00",
        MDT_IS("x", "1") MDT_IS("x", "2") VARIABLE_IS("y", "equals", "2"),
        "      - expression: SMS_TaskSequence_VariableConditionExpression\n        fields:\n");
    is_condition("3.00",
                 EXPRESSION("OS",
                            FIELD("Architecture", "X64") FIELD("Version", "6.1")
                                FIELD("Operator", "equals")),
                 "      - os: \"6.1\"\n        architecture: X64\n        operator: equals\n");
}

static void what_nobody_knows_is_shown_as_it_is(void **state)
{
    (void)state;
    is_condition("3.10",
                 "<operator type=\"xor\" odd=\"1\">" WMI "</operator>",
                 "      - operator: xor\n        odd: \"1\"\n        operands:\n          - wmi: ");
    is_condition(
        "3.10",
        EXPRESSION("Moon", FIELD("Phase", "full")),
        "      - expression: SMS_TaskSequence_MoonConditionExpression\n        fields:\n          Phase: full\n");
    is_condition("3.10", "\n  ", "    condition:\n      - white space: \"\\n  \"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_condition_has_a_readable_form),
        cmocka_unit_test(the_order_that_most_have_is_said_once),
        cmocka_unit_test(what_nobody_knows_is_shown_as_it_is),
    };

    return cmocka_run_group_tests_name("ts/yaml_form_condition_put", tests, NULL, NULL);
}
