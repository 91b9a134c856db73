/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/restart.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdint.h>

#include <cmocka.h>

#include "agent/steps/test_bench.h"

#define MDT_TARGET STEP_VARIABLE("Target", "")

static void the_target_may_stand_in_the_action_only(void **state)
{
    (void)state;
    static const struct {
        const char *action;
        const char *variables;
        enum step_then then;
        const char *error_id; /* there is no volume */
    } cases[] = {
        {"smsboot.exe /target:HD", MDT_TARGET, STEP_THEN_RESTART_TO_OS, NULL},
        {"smsboot.exe /target:WinPE", MDT_TARGET, STEP_THEN_GO_ON, "SLW-0415"},
        {"smsboot.exe /target:Moon", MDT_TARGET, STEP_THEN_GO_ON, "SLW-0408"},
        {"smsboot.exe /target:WinPE",
         STEP_VARIABLE("SMSRebootTarget", "HD"),
         STEP_THEN_RESTART_TO_OS,
         NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(step_bench_freep)
        struct step_bench *b =
            step_bench_new_action("RebootAction", cases[i].action, cases[i].variables);
        const char *error_id;

        b->c.environment = STEP_IN_BOOT_IMAGE;
        error_id = step_bench_run(b);
        if (cases[i].error_id)
            assert_string_equal(error_id, cases[i].error_id);
        else
            assert_null(error_id);
        assert_int_equal(b->result.then, cases[i].then);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_target_may_stand_in_the_action_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
