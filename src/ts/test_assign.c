/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/assign.h"

#include "ts/test_ts.h"

#define SET(name, value, hidden) \
    "<step type=\"SMS_TaskSequence_SetVariableAction\" name=\"s\"><action/><defaultVarList>" \
    "<variable name=\"VariableName\" property=\"VariableName\" hidden=\"true\">" name \
    "</variable>" \
    "<variable name=\"VariableValue\" property=\"VariableValue\" hidden=\"true\">" value \
    "</variable>" \
    "<variable name=\"DoNotShowVariableValue\" property=\"DoNotShowVariableValue\" hidden=\"true\">" hidden \
    "</variable></defaultVarList></step>"
#define RULES(text) \
    "<step type=\"SMS_TaskSequence_SetDynamicVariablesAction\" name=\"s\"><action/>" \
    "<defaultVarList><variable name=\"OSDSetDynamicVariablesRules\" property=\"Rules\">" \
    "<![CDATA[" text "]]></variable></defaultVarList></step>"
#define RULE(condition, variables) \
    "<Rule><condition>" condition "</condition><Variables>" variables "</Variables></Rule>"
#define MAKE(make) \
    "<expression type=\"SMS_TaskSequence_MakeModelConditionExpression\">" \
    "<variable name=\"Make\">" make \
    "</variable><variable name=\"Model\">*</variable></expression>"

static void collect(void *ctx, const char *name, const char *value)
{
    buf_addf(ctx, "%s=%s;", name, value);
}

/* Return: the outcome; @told: what was set. */
static int run(const char *xml, struct ts_vars *vars, struct buf *told)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(buf_fini) struct buf why = BUF_INIT(TS_ASSIGN_TEXT_MAX);
    size_t n;
    const struct ts_step *steps = ts_document_steps(doc, &n);
    int r;

    assert_true(ts_is_assignment(&steps[0]));
    r = ts_assign(&steps[0], vars, NULL, collect, told, &why);
    assert_int_equal(r > 0, why.len > 0);
    return r;
}

static struct ts_vars *new_vars(void)
{
    struct ts_vars *vars = NULL;

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "_SMSTSMake", "VMware, Inc.", TS_BY_ENGINE), 0);
    assert_int_equal(ts_vars_set(vars, "A", "x", TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_vars_set_secret(vars, "Key"), 0);
    assert_int_equal(ts_vars_set(vars, "Key", "hunter22", TS_BY_SEQUENCE), 0);
    return vars;
}

static void a_variable_is_set_and_what_comes_of_a_secret_is_one(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf told = BUF_INIT(1024);

    assert_int_equal(run(SEQUENCE(SET("B%A%", "1%a%", "false")), vars, &told), 0);
    assert_int_equal(run(SEQUENCE(SET("C", "shh", "True")), vars, &told), 0);
    assert_int_equal(run(SEQUENCE(SET("D", "-%Key%-", "false")), vars, &told), 0);
    assert_string_equal(buf_str(&told), "Bx=1x;C=***;D=***;");
    assert_string_equal(ts_vars_get(vars, "C"), "shh");
    assert_true(ts_vars_is_secret(vars, "D"));
}

static void only_a_simulation_takes_an_empty_secret_for_one_that_is_not_told(void **state)
{
    (void)state;
    static const char *const xml[] = {
        SEQUENCE(SET("S", "", "true")),
        SEQUENCE(RULES("<Rules>" RULE("",
                                      "<Variable Name=\"S\" IsSecret=\"true\"/>"
                                      "<Variable Name=\"T\"/>") "</Rules>")),
    };

    for (size_t i = 0; i < sizeof(xml) / sizeof(xml[0]); i++) {
        OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
        OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml[i]);
        OWN(buf_fini) struct buf text = BUF_INIT(TS_ASSIGN_TEXT_MAX);
        size_t n;

        assert_int_equal(run(xml[i], vars, &text), 0);
        assert_string_equal(ts_vars_get(vars, "S"), "");
        assert_int_equal(ts_assign_simulated(ts_document_steps(doc, &n), vars, NULL, &text), 0);
        assert_string_equal(ts_vars_get(vars, "S"), "***");
        assert_true(ts_vars_is_secret(vars, "S"));
        assert_string_equal(ts_vars_get(vars, "T"), "");
    }
}

static void names_values_and_read_only_ones_are_refused(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf told = BUF_INIT(1024);
    OWN(buf_fini) struct buf xml = BUF_INIT((size_t)64 * 1024);
    OWN(buf_fini) struct buf value = BUF_INIT(8192);

    assert_int_equal(run(SEQUENCE(SET("_B", "1", "false")), vars, &told), TS_ASSIGN_E_READ_ONLY);
    assert_int_equal(run(SEQUENCE(SET("B C", "1", "false")), vars, &told), TS_ASSIGN_E_NAME);
    for (int i = 0; i <= TS_VAR_SEQUENCE_VALUE_MAX; i++)
        buf_adds(&value, "x");
    buf_addf(&xml, SEQUENCE(SET("B", "%s", "false")), buf_str(&value));
    assert_int_equal(run(buf_str(&xml), vars, &told), TS_ASSIGN_E_LIMIT);
    assert_string_equal(buf_str(&told), "");
}

static void rules_apply_one_after_the_other_where_their_condition_holds(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf told = BUF_INIT(1024);

    assert_int_equal(
        run(SEQUENCE(
                RULES("<Rules><Rule><Variables><Variable Name=\"IsVM\" IsSecret=\"false\">False"
                      "</Variable></Variables></Rule>" RULE(MAKE("Dell*"),
                                                            "<Variable Name=\"Never\">1</Variable>")
                          RULE(MAKE("*vmware*"),
                               "<Variable Name=\"IsVM\" IsSecret=\"false\">True</Variable>"
                               "<Variable Name=\"Pin\" IsSecret=\"true\">1 &lt; 2</Variable>")
                              RULE(VARIABLE_IS("IsVM", "equals", "True"),
                                   "<Variable Name=\"Kind\">%IsVM% %A%</Variable>") "</Rules>")),
            vars,
            &told),
        0);
    assert_string_equal(buf_str(&told), "IsVM=False;IsVM=True;Pin=***;Kind=True x;");
    assert_string_equal(ts_vars_get(vars, "Pin"), "1 < 2");
}

static void rules_that_cannot_be_read_fail(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf told = BUF_INIT(1024);

    assert_int_equal(run(SEQUENCE(RULES("")), vars, &told), 0);
    assert_int_equal(run(SEQUENCE(RULES("<Rules>")), vars, &told), TS_ASSIGN_E_RULES);
    assert_int_equal(run(SEQUENCE(RULES("<Other/>")), vars, &told), TS_ASSIGN_E_RULES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_variable_is_set_and_what_comes_of_a_secret_is_one),
        cmocka_unit_test(only_a_simulation_takes_an_empty_secret_for_one_that_is_not_told),
        cmocka_unit_test(names_values_and_read_only_ones_are_refused),
        cmocka_unit_test(rules_apply_one_after_the_other_where_their_condition_holds),
        cmocka_unit_test(rules_that_cannot_be_read_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
