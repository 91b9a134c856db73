/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/step_value.h"

#include "ts/test_ts.h"
#include "ts/vars.h"

#define ONE(type, action, variables) \
    SEQUENCE("<step type=\"SMS_TaskSequence_" type "Action\" name=\"s\"><action>" action \
             "</action><defaultVarList>" variables "</defaultVarList></step>")
#define MDT_TARGET(text)    "<variable name=\"Target\" property=\"Target\">" text "</variable>"
#define TARGET(extra, text) "<variable name=\"SMSRebootTarget\"" extra ">" text "</variable>"

static void target_is(const char *xml, const char *set, const char *wanted)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(buf_fini) struct buf target = BUF_INIT(256);
    size_t n;

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "Where", "HD", TS_BY_SITE), 0);
    assert_int_equal(ts_vars_set(vars, "SMSRebootTarget", set, TS_BY_SITE), 0);
    ts_step_put_target(ts_document_steps(doc, &n), vars, &target);
    assert_string_equal(buf_str(&target), wanted);
}

static void a_target_that_stands_in_the_action_only_is_the_target(void **state)
{
    (void)state;
    target_is(ONE("Reboot", "smsboot.exe /target:HD", MDT_TARGET("")), "", "HD");
    target_is(ONE("Reboot", "SMSBOOT.EXE /Target:WinPE ", ""), "", "WinPE");
    target_is(ONE("Reboot", "smsboot.exe /target:%Where%", MDT_TARGET("")), "", "HD");
    target_is(ONE("Reboot", "smsboot.exe /target:", MDT_TARGET("")), "", "");
    target_is(ONE("Reboot", "shutdown.exe -r", MDT_TARGET("")), "", "");
    target_is(ONE("Reboot", "", ""), "", "");
    target_is(ONE("RunCommandLine", "smsboot.exe /target:HD", ""), "", "");
}

static void a_variable_comes_before_the_action(void **state)
{
    (void)state;
    target_is(ONE("Reboot", "smsboot.exe /target:HD", MDT_TARGET("WinPE")), "", "WinPE");
    target_is(ONE("Reboot", "smsboot.exe /target:HD", TARGET("", "WinPE")), "", "WinPE");
    target_is(ONE("Reboot", "smsboot.exe /target:WinPE", MDT_TARGET("")), "HD", "HD");
    target_is(ONE("Reboot", "smsboot.exe /target:WinPE", TARGET("", "WinPE")), "HD", "HD");
}

static void an_argument_is_overridden_by_nothing(void **state)
{
    (void)state;
    target_is(ONE("Reboot", "", TARGET(" hidden=\"true\"", "WinPE")), "HD", "WinPE");
}

static void without_variables_nothing_is_expanded(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(ONE("Reboot", "smsboot.exe /target:%Where%", ""));
    OWN(buf_fini) struct buf target = BUF_INIT(256);
    size_t n;

    ts_step_put_target(ts_document_steps(doc, &n), NULL, &target);
    assert_string_equal(buf_str(&target), "%Where%");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_that_stands_in_the_action_only_is_the_target),
        cmocka_unit_test(a_variable_comes_before_the_action),
        cmocka_unit_test(an_argument_is_overridden_by_nothing),
        cmocka_unit_test(without_variables_nothing_is_expanded),
    };

    return cmocka_run_group_tests_name("ts/step_value", tests, NULL, NULL);
}
