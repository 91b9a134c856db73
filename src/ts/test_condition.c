/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/condition.h"

#include "base/text.h"
#include "ts/test_ts.h"

#define AND(inside) "<operator type=\"and\">" inside "</operator>"
#define OR(inside)  "<operator type=\"or\">" inside "</operator>"
#define NOT(inside) "<operator type=\"not\">" inside "</operator>"
#define YES         VARIABLE_IS("A", "exists", "")
#define NO          VARIABLE_IS("A", "notExists", "")

static bool holds(const char *condition, struct ts_verdict *verdict)
{
    OWN(buf_fini) struct buf xml = BUF_INIT((size_t)64 * 1024);
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    size_t n;

    buf_addf(
        &xml, SEQUENCE("<step type=\"x\" name=\"s\"><condition>%s</condition></step>"), condition);

    OWN(ts_document_freep) struct ts_document *doc = parse_ok(buf_str(&xml));

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "A", "1", TS_BY_SEQUENCE), 0);
    return ts_condition_holds(ts_document_steps(doc, &n)->item.condition, vars, NULL, verdict);
}

static void operators_nest_to_any_depth(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        bool holds;
    } cases[] = {
        {"", true},
        {YES YES, true},
        {YES NO, false},
        {AND(""), true},
        {OR(""), true},
        {NOT(""), true},
        {OR(NO YES), true},
        {OR(NO NO), false},
        {NOT(NO NO), true},
        {NOT(NO YES), false},
        {NOT(NOT(YES)), true},
        {AND(OR(NO AND(YES NOT(NO))) NOT(AND(YES NO))), true},
        {OR(AND(YES NO) AND(YES NOT(YES))), false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(ts_verdict_fini) struct ts_verdict verdict = TS_VERDICT_INIT;

        if (holds(cases[i].condition, &verdict) != cases[i].holds)
            fail_msg("%s", cases[i].condition);
    }
}

static void a_deep_one_is_evaluated(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT((size_t)16 * 1024);
    OWN(ts_verdict_fini) struct ts_verdict verdict = TS_VERDICT_INIT;

    for (int i = 0; i < 50; i++)
        buf_adds(&text, "<operator type=\"not\">");
    buf_adds(&text, YES);
    for (int i = 0; i < 50; i++)
        buf_adds(&text, "</operator>");
    assert_true(holds(buf_str(&text), &verdict));
}

static void what_cannot_be_answered_is_false_and_warned_about_only_if_it_was_asked(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        bool holds;
        bool is_warned;
    } cases[] = {
        {WMI, false, true},
        {NOT(WMI), true, true},
        {OR(WMI YES), true, true},
        {OR(YES WMI), true, false},
        {AND(NO WMI), false, false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(ts_verdict_fini) struct ts_verdict verdict = TS_VERDICT_INIT;

        assert_int_equal(holds(cases[i].condition, &verdict), cases[i].holds);
        assert_int_equal(verdict.warnings.len > 0, cases[i].is_warned);
    }
}

#define SNOWMEN_10 \
    "\xe2\x98\x83\xe2\x98\x83\xe2\x98\x83\xe2\x98\x83\xe2\x98\x83" \
    "\xe2\x98\x83\xe2\x98\x83\xe2\x98\x83\xe2\x98\x83\xe2\x98\x83"
#define SNOWMEN \
    SNOWMEN_10 SNOWMEN_10 SNOWMEN_10 SNOWMEN_10 SNOWMEN_10 SNOWMEN_10 SNOWMEN_10 SNOWMEN_10 \
        SNOWMEN_10 SNOWMEN_10

static void what_a_verdict_cuts_is_text_all_the_same(void **state)
{
    (void)state;
    static const char *const conditions[] = {
        VARIABLE_IS("A", "equals", SNOWMEN),
        VARIABLE_IS("A", "equals", "x" SNOWMEN),
        VARIABLE_IS("A", SNOWMEN "x", "x"),
        VARIABLE_IS("A", "xx" SNOWMEN, "x"),
    };

    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        OWN(ts_verdict_fini) struct ts_verdict verdict = TS_VERDICT_INIT;

        assert_false(holds(conditions[i], &verdict));
        assert_true(verdict.why.len > 0);
        assert_int_equal(verdict.why.len, strlen(buf_str(&verdict.why)));
        assert_true(text_is_utf8(buf_bytes(&verdict.why)));
        assert_true(text_is_utf8(buf_bytes(&verdict.warnings)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_nest_to_any_depth),
        cmocka_unit_test(a_deep_one_is_evaluated),
        cmocka_unit_test(what_cannot_be_answered_is_false_and_warned_about_only_if_it_was_asked),
        cmocka_unit_test(what_a_verdict_cuts_is_text_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
