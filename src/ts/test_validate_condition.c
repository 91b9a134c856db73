/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/test_validate.h"

#define EXPRESSION(type, values) \
    "<expression type=\"SMS_TaskSequence_" type "ConditionExpression\">" values "</expression>"
#define QUERY(text)  EXPRESSION("WMI", VALUE("Namespace", "root\\cimv2") VALUE("Query", text))
#define FILE_OF(...) EXPRESSION("File", VALUE("Path", "/etc/x") __VA_ARGS__)

static void each_field_of_an_expression_is_held_against_its_form(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        const char *wanted;
    } cases[] = {
        {VARIABLE_IS("x", "equals", "1"), ""},
        {VARIABLE_IS("x", "Equals", "1"), ""},
        {VARIABLE_IS("x", "resembles", "1"), "SLW-0185!"},
        {VARIABLE_IS("x", "", "1"), "SLW-0185!"},
        {VARIABLE_IS("", "equals", "1"), "SLW-0185!"},
        {VARIABLE_IS("a b", "equals", "1"), "SLW-0172!"},
        {VARIABLE_IS("%a%", "equals", "1"), ""},
        {VARIABLE_IS("a b", "resembles", "1"), "SLW-0172! SLW-0185!"},
        {QUERY("select * from Win32_Battery"), ""},
        {QUERY("select * from Win32_ComputerSystem where Model like '%Book%'"), ""},
        {QUERY("select * from Win32_ComputerSystem where Model like"), "SLW-0185"},
        {QUERY("select * Win32_Battery"), "SLW-0185"},
        {QUERY(""), "SLW-0185!"},
        {QUERY("select * from Win32_Fan"), "SLW-0185"}, /* a query, but nobody fills it */
        {FILE_OF(""), ""},
        {EXPRESSION("File", ""), "SLW-0185!"},
        {FILE_OF(VALUE("Version", "1.2") VALUE("VersionOperator", "greaterEqual")), ""},
        {FILE_OF(VALUE("Version", "new") VALUE("VersionOperator", "greaterEqual")), "SLW-0185!"},
        {FILE_OF(VALUE("Version", "%V%") VALUE("VersionOperator", "greaterEqual")), ""},
        {FILE_OF(VALUE("Version", "1.2") VALUE("VersionOperator", "like")), "SLW-0185!"},
        {FILE_OF(VALUE("DateTime", "2024-01-02T03:04:05Z") VALUE("DateTimeOperator", "less")), ""},
        {FILE_OF(VALUE("DateTime", "20240102030405.000000+060")), ""},
        {FILE_OF(VALUE("DateTime", "yesterday")), "SLW-0185!"},
        {FILE_OF(VALUE("DateTime", "2024-01-02") VALUE("DateTimeOperator", "exists")), "SLW-0185!"},
        {EXPRESSION("Folder", VALUE("Path", "/etc") VALUE("DateTime", "2024-13-02")), "SLW-0185!"},
        {EXPRESSION("Registry",
                    VALUE("KeyPath", "HKLM\\x") VALUE("Operator", "exists")
                        VALUE("Type", "REG_SZ")),
         "SLW-0185"},
        {EXPRESSION("Registry", VALUE("KeyPath", "") VALUE("Operator", "like")),
         "SLW-0185! SLW-0185! SLW-0185"},
        {EXPRESSION("Registry",
                    VALUE("KeyPath", "x") VALUE("Operator", "exists") VALUE("Type", "REG_TEXT")),
         "SLW-0185! SLW-0185"},
        {EXPRESSION("Software", VALUE("ProductName", "nano") VALUE("Operator", "AnyVersion")), ""},
        {EXPRESSION("Software", VALUE("ProductName", "nano") VALUE("Operator", "equals")),
         "SLW-0185!"},
        {EXPRESSION("Software", VALUE("Operator", "AnyVersion")), "SLW-0185!"},
        {EXPRESSION("OS", VALUE("Version", "6.10.7601.1") VALUE("Operator", "greaterEqual")), ""},
        {EXPRESSION("OS", VALUE("Version", "ten") VALUE("Operator", "about")),
         "SLW-0185! SLW-0185!"},
        {EXPRESSION("Weather", ""), "SLW-0185"},
        {"<operator type=\"or\">" VARIABLE_IS("x", "equals", "1") "</operator>", ""},
        {"<operator type=\"nor\">" VARIABLE_IS("x", "equals", "1") "</operator>",
         "SLW-0185! SLW-0185"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf xml = BUF_INIT(8192);

        buf_addf(&xml,
                 SEQUENCE("<group name=\"g\"><condition>%s</condition>" STEP("a", "") "</group>"),
                 cases[i].condition);
        finds(buf_str(&xml), cases[i].wanted);
    }
}

static void all_that_no_linux_answers_is_told_in_one_finding(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(SEQUENCE(
        "<group name=\"g\"><condition>" EXPRESSION("File", VALUE("Path", "C:\\one")) VARIABLE_IS(
            "x", "resembles", "1") EXPRESSION("Folder", VALUE("Path", "D:\\two"))
            EXPRESSION("File", VALUE("Path", "C:\\one")) "</condition>" STEP("a", "") "</group>"));
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    assert_int_equal(ts_validate(doc, &diags), 0);
    assert_int_equal(diags.n, 2);
    assert_non_null(strstr(diags.items[0].message, "resembles"));
    assert_non_null(
        strstr(diags.items[1].message, "C:\\one, which is none of Linux; path D:\\two"));
}

static void a_query_without_a_namespace_asks_the_usual_one(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(SEQUENCE("<group name=\"g\"><condition>" EXPRESSION(
        "WMI", VALUE("Query", "select * from Win32_Nothing")) "</condition>" STEP("a",
                                                                                  "") "</group>"));
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    assert_int_equal(ts_validate(doc, &diags), 0);
    assert_int_equal(diags.n, 1);
    assert_non_null(strstr(diags.items[0].message, "class Win32_Nothing of root\\cimv2"));
}

static void what_has_no_room_in_it_is_not_passed_over(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf xml = BUF_INIT(65536);
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    buf_addf(&xml, "%s", "<sequence version=\"3.10\"><group name=\"g\"><condition>");
    for (int i = 0; i < 40; i++)
        buf_addf(&xml,
                 "<expression type=\"SMS_TaskSequence_FileConditionExpression\">"
                 "<variable name=\"Path\">C:\\of some length\\%d</variable></expression>",
                 i);
    buf_addf(&xml, "%s", "</condition>" STEP("a", "") "</group></sequence>");
    doc = parse_ok(buf_str(&xml));
    assert_int_equal(ts_validate(doc, &diags), 0);
    assert_int_equal(diags.n, 1);
    assert_non_null(strstr(diags.items[0].message, "C:\\of some length\\0,"));
    assert_non_null(strstr(diags.items[0].message, "; and others"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_of_an_expression_is_held_against_its_form),
        cmocka_unit_test(all_that_no_linux_answers_is_told_in_one_finding),
        cmocka_unit_test(a_query_without_a_namespace_asks_the_usual_one),
        cmocka_unit_test(what_has_no_room_in_it_is_not_passed_over),
    };

    return cmocka_run_group_tests_name("ts/validate_condition", tests, NULL, NULL);
}
