/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/condition.h"

#include "ts/test_ts.h"

#define FILE_EXISTS(path) \
    "<expression type=\"SMS_TaskSequence_FileConditionExpression\">" \
    "<variable name=\"Path\">" path "</variable></expression>"

static bool only_etc_passwd(void *ctx, const char *path, bool is_folder)
{
    (void)ctx;
    return !is_folder && strcmp(path, "/etc/passwd") == 0;
}

static enum ts_truth evaluate(const char *condition)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(8192);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    const struct ts_facts facts = {.path_exists = only_etc_passwd};
    size_t n;

    buf_addf(
        &xml, SEQUENCE("<step type=\"x\" name=\"s\"><condition>%s</condition></step>"), condition);

    OWN(ts_document_freep) struct ts_document *doc = parse_ok(buf_str(&xml));
    const struct ts_step *step = ts_document_steps(doc, &n);

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "A", "Ten", TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_vars_set(vars, "N", "10", TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_vars_set(vars, "D", "/etc", TS_BY_SEQUENCE), 0);

    enum ts_truth t = ts_condition_evaluate(step->item.condition, vars, &facts, &why);

    assert_int_equal(t == TS_UNKNOWN, why.len > 0);
    return t;
}

#define AND(inside) "<operator type=\"and\">" inside "</operator>"
#define OR(inside)  "<operator type=\"or\">" inside "</operator>"
#define NOT(inside) "<operator type=\"not\">" inside "</operator>"
#define YES         VARIABLE_IS("A", "exists", "")
#define NO          VARIABLE_IS("A", "notExists", "")

static void conditions_mean_what_is_documented(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        enum ts_truth truth;
    } cases[] = {
        {"", TS_TRUE},
        {VARIABLE_IS("a", "equals", "TEN"), TS_TRUE},
        {VARIABLE_IS("A", "notEquals", "ten"), TS_FALSE},
        {VARIABLE_IS("Z", "equals", ""), TS_TRUE},
        {VARIABLE_IS("Z", "exists", ""), TS_FALSE},
        {VARIABLE_IS("Z", "notExists", ""), TS_TRUE},
        {VARIABLE_IS("N", "greater", "9"), TS_TRUE},
        {VARIABLE_IS("N", "greaterEqual", "10"), TS_TRUE},
        {VARIABLE_IS("N", "less", "9"), TS_FALSE},
        {VARIABLE_IS("N", "lessEqual", "-1"), TS_FALSE},
        {VARIABLE_IS("A", "less", "u"), TS_TRUE},
        {VARIABLE_IS("A", "like", "t*"), TS_TRUE},
        {VARIABLE_IS("A", "like", "*e?"), TS_TRUE},
        {VARIABLE_IS("A", "like", "?en?"), TS_FALSE},
        {VARIABLE_IS("A", "notLike", "x*"), TS_TRUE},
        {VARIABLE_IS("A", "equals", "%A%"), TS_TRUE},
        {VARIABLE_IS("A", "resembles", "x"), TS_UNKNOWN},
        {YES NO, TS_FALSE},
        {OR(NO YES), TS_TRUE},
        {OR(NO NO), TS_FALSE},
        {NOT(NO NO), TS_TRUE},
        {NOT(NO YES), TS_FALSE},
        {AND(YES OR(NO NOT(NO))), TS_TRUE},
        {FILE_EXISTS("%D%/passwd"), TS_TRUE},
        {FILE_EXISTS("/nothing"), TS_FALSE},
        {FILE_EXISTS("C:\\\\Windows"), TS_UNKNOWN},
        {WMI, TS_UNKNOWN},
        {AND(WMI NO), TS_FALSE},
        {AND(WMI YES), TS_UNKNOWN},
        {OR(WMI YES), TS_TRUE},
        {NOT(WMI), TS_UNKNOWN},
        {NOT(WMI YES), TS_FALSE},
        {"<osConditionGroup type=\"or\"><osExpressionGroup name=\"x\" type=\"and\">" WMI
         "</osExpressionGroup></osConditionGroup>",
         TS_UNKNOWN},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (evaluate(cases[i].condition) != cases[i].truth)
            fail_msg("%s", cases[i].condition);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_mean_what_is_documented),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
