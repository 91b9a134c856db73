/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The time-out of a step, rule by rule: real programs, and the sequencer that judges how they ended */

#include <errno.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/steps/return_code.h"
#include "agent/steps/step.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/sequence.h"
#include "ts/vars.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);
DEFINE_FREEP(struct ts_sequence *, ts_sequence_free);
DEFINE_FREEP(struct ts_vars *, ts_vars_free);

#define COMMAND(name, attributes, text) \
    "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"" name "\" " attributes \
    "><action/><defaultVarList><variable name=\"CommandLine\" hidden=\"true\">" text \
    "</variable></defaultVarList></step>"

/* Two processes: one that the command has started, and one of a session of its own that takes no signal. */
#define OFFSPRING \
    "sleep 1000 &amp; echo $! &gt; %Folder%/child; " \
    "setsid sh -c 'trap : TERM INT HUP; echo $$ &gt; %Folder%/session; sleep 1000; sleep 1000' &amp; " \
    "until test -s %Folder%/session; do :; done; sleep 1000"

enum {
    XML_MAX = 16384,
    LOG_MAX = 65536,
    STEPS_MAX = 20,
};

static char folder[64];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-test-time-outs-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static bool go_on(void *ctx, unsigned percent, uint64_t rate, const char *what)
{
    (void)ctx;
    (void)percent;
    (void)rate;
    (void)what;
    return true;
}

__attribute__((format(printf, 2, 3))) static void to_log(void *ctx, const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    buf_addf(ctx, "%s\n", line);
}

static void run_step(const struct ts_step *step, struct ts_vars *vars, struct step_result *ret)
{
    OWN(buf_fini) struct buf log = BUF_INIT(LOG_MAX);
    struct step_target target = {0};
    struct step_context c = {.step = step,
                             .vars = vars,
                             .target = &target,
                             .environment = STEP_IN_BOOT_IMAGE,
                             .step_name = step->item.name,
                             .progress = go_on,
                             .log = to_log,
                             .ctx = &log};

    assert_int_equal(step_run_command_run(&c, ret), 0);
    step_context_fini(&c);
}

/* @ran: the names of the steps that ran, one that failed with its id. Return: whether the task sequence succeeded. */
static bool play(const char *steps, struct ts_vars *vars, struct buf *ran)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(XML_MAX);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(ts_sequence_freep) struct ts_sequence *s = NULL;

    buf_addf(&xml, "<sequence version=\"3.10\">%s</sequence>", steps);
    assert_int_equal(ts_document_parse(buf_bytes(&xml), &doc, &diags), 0);
    assert_int_equal(ts_vars_set(vars, "Folder", folder, TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_sequence_new(&(struct ts_start){.document = doc, .vars = vars}, &s), 0);
    for (unsigned i = 0; i < STEPS_MAX; i++) {
        struct step_result result = {0};
        struct ts_next next;
        struct ts_after after;

        assert_int_equal(ts_sequence_next(s, TS_RUN_IN_BOOT_IMAGE, &next), 0);
        if (next.kind == TS_NEXT_SUCCEEDED || next.kind == TS_NEXT_FAILED)
            return next.kind == TS_NEXT_SUCCEEDED;
        if (next.kind != TS_NEXT_RUN)
            continue;
        run_step(next.step, vars, &result);
        buf_addf(ran,
                 "%s%s%s ",
                 next.step->item.name,
                 result.error_id ? "!" : "",
                 result.error_id ? result.error_id : "");
        assert_int_equal(
            ts_sequence_step_done(
                s,
                &(struct ts_result){.outcome = result.error_id ? TS_STEP_FAILED : TS_STEP_SUCCEEDED,
                                    .code = result.exit_code,
                                    .environment = TS_RUN_IN_BOOT_IMAGE,
                                    .has_place = true},
                &after),
            0);
    }
    fail_msg("it has no end");
    return false;
}

static void expect(const char *steps, const char *wanted, bool succeeds)
{
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(buf_fini) struct buf ran = BUF_INIT(LOG_MAX);
    bool has_succeeded;

    assert_int_equal(ts_vars_new(&vars), 0);
    has_succeeded = play(steps, vars, &ran);
    assert_string_equal(buf_str(&ran), wanted);
    assert_int_equal(has_succeeded, succeeds);
}

static void a_time_out_is_off_unless_the_step_has_one(void **state)
{
    (void)state;
    expect(COMMAND("a", "", "sleep 1.5"), "a ", true);
    expect(COMMAND("a", "timeout=\"0\"", "sleep 1.5"), "a ", true);
    expect(COMMAND("a", "timeout=\"1\"", "sleep 1000"), "a!SLW-0431 ", false);
}

static void a_program_that_ends_before_its_time_out_is_judged_by_its_exit_code(void **state)
{
    (void)state;
    expect(COMMAND("a", "timeout=\"900\"", "true"), "a ", true);
    expect(COMMAND("a", "timeout=\"900\"", "exit 3"), "a!SLW-0430 ", false);
}

static void assert_gone(const char *name)
{
    OWN(buf_fini) struct buf text = BUF_INIT(64);
    struct bytes digits;
    char path[128];
    uint64_t pid;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(file_read(path, &text), 0);
    digits = buf_bytes(&text);
    assert_true(digits.len > 1);
    digits.len--; /* the end of the line */
    assert_true(bytes_parse_u64(digits, 2, INT32_MAX, &pid));
    assert_int_equal(kill((pid_t)pid, 0), -1);
    assert_int_equal(errno, ESRCH);
}

static void all_that_the_program_has_started_is_killed_with_it(void **state)
{
    (void)state;
    expect(COMMAND("a", "timeout=\"3\"", OFFSPRING), "a!SLW-0431 ", false);
    assert_gone("child");
    assert_gone("session");
}

static void a_program_that_takes_no_signal_is_killed_all_the_same(void **state)
{
    (void)state;
    expect(COMMAND("a", "timeout=\"1\"", "trap : TERM INT HUP; sleep 1000; sleep 1000; exit 0"),
           "a!SLW-0431 ",
           false);
}

static void no_success_code_makes_a_time_out_a_success(void **state)
{
    (void)state;
    expect(COMMAND("a",
                   "timeout=\"1\" successCodeList=\"0 1 9 137 1460 -2147023436 2147943860\"",
                   "trap 'exit 0' TERM; sleep 1000"),
           "a!SLW-0431 ",
           false);
}

static void the_last_action_has_the_code_of_a_time_out(void **state)
{
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(buf_fini) struct buf ran = BUF_INIT(LOG_MAX);
    char code[32];

    (void)state;
    (void)snprintf(code, sizeof(code), "%d", return_code_of("SLW-0431"));
    assert_int_equal(ts_vars_new(&vars), 0);
    assert_true(
        play(COMMAND("a", "timeout=\"1\" continueOnError=\"true\"", "sleep 1000"), vars, &ran));
    assert_string_equal(ts_vars_get(vars, "_SMSTSLastActionRetCode"), code);
    assert_string_equal(ts_vars_get(vars, "_SMSTSLastActionSucceeded"), "false");
    assert_string_equal(ts_vars_get(vars, "_SMSTSLastActionName"), "a");
}

static void continue_on_error_goes_on_behind_a_time_out(void **state)
{
    (void)state;
    expect(COMMAND("a", "timeout=\"1\" continueOnError=\"true\"", "sleep 1000")
               COMMAND("b", "", "true"),
           "a!SLW-0431 b ",
           true);
}

static void a_time_out_climbs_to_the_group_that_continues_on_error(void **state)
{
    (void)state;
    expect("<group name=\"g\" continueOnError=\"true\">" COMMAND("a", "timeout=\"1\"", "sleep 1000")
               COMMAND("b", "", "true") "</group>" COMMAND("c", "", "true"),
           "a!SLW-0431 c ",
           true);
}

static void a_time_out_that_nothing_catches_ends_the_task_sequence(void **state)
{
    (void)state;
    expect(
        COMMAND("a", "timeout=\"1\"", "sleep 1000") COMMAND("b", "", "true"), "a!SLW-0431 ", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_out_is_off_unless_the_step_has_one),
        cmocka_unit_test(a_program_that_ends_before_its_time_out_is_judged_by_its_exit_code),
        cmocka_unit_test(all_that_the_program_has_started_is_killed_with_it),
        cmocka_unit_test(a_program_that_takes_no_signal_is_killed_all_the_same),
        cmocka_unit_test(no_success_code_makes_a_time_out_a_success),
        cmocka_unit_test(the_last_action_has_the_code_of_a_time_out),
        cmocka_unit_test(continue_on_error_goes_on_behind_a_time_out),
        cmocka_unit_test(a_time_out_climbs_to_the_group_that_continues_on_error),
        cmocka_unit_test(a_time_out_that_nothing_catches_ends_the_task_sequence),
    };

    return cmocka_run_group_tests_name("scenario/time_outs", tests, set_up, tear_down);
}
