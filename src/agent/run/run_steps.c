/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/run/journal.h"
#include "agent/run/order.h"
#include "agent/run/report.h"
#include "agent/run/runner.h"
#include "agent/run/screen.h"
#include "agent/run/target.h"
#include "agent/steps/notice.h"
#include "agent/steps/return_code.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "ts/document.h"
#include "ts/sequence.h"
#include "ts/vars.h"

enum {
    LOG_PATH_MAX = 4096,
    FOLDER_MODE = 0700,
    RESTART_DRAIN_US = 60 * 1000 * 1000,
    US_PER_S = 1000 * 1000,
};

const char *runner_root(const struct runner *rn)
{
    if (rn->options->is_full_os)
        return rn->platform->full_os_root;
    return rn->state->target.is_mounted ? rn->platform->target_root : NULL;
}

/* Where steps find downloaded packages: as agent/steps/package.c chooses. */
static void name_cache(struct runner *rn, const char *root)
{
    OWN(buf_fini) struct buf path = BUF_INIT(LOG_PATH_MAX);

    if (rn->options->is_full_os)
        buf_addf(&path, "%s/var/cache/slipway/packages", root);
    else if (root)
        buf_addf(&path, "%s/" TARGET_STATE_FOLDER "/packages", root);
    else
        buf_adds(&path, "/run/slipway/packages");
    (void)ts_vars_set(rn->state->vars, "_SMSTSClientCache", buf_str(&path), TS_BY_ENGINE);
}

/* The log follows the volume. Best effort: the one in memory stays. */
void runner_place_journal(struct runner *rn)
{
    OWN(buf_fini) struct buf path = BUF_INIT(LOG_PATH_MAX);
    const char *root = runner_root(rn);

    name_cache(rn, root);
    if (!root) {
        (void)journal_attach(rn->journal, NULL);
        return;
    }
    buf_addf(&path, "%s/%s", root, TARGET_STATE_FOLDER);
    (void)ts_vars_set(rn->state->vars, "_SMSTSMDataPath", buf_str(&path), TS_BY_ENGINE);
    buf_adds(&path, "/Logs");
    if (dir_make(buf_str(&path), FOLDER_MODE) < 0)
        return;
    (void)ts_vars_set(rn->state->vars, "_SMSTSLogPath", buf_str(&path), TS_BY_ENGINE);
    buf_adds(&path, "/smsts.log");
    (void)journal_attach(rn->journal, buf_str(&path));
}

/* Durable if there is a volume to write to; before that nothing needs to be kept. */
int runner_save(struct runner *rn)
{
    const char *root = runner_root(rn);
    int r;

    rn->state->seq = rn->report ? report_seq(rn->report) : rn->state->seq;
    if (!root)
        return 0;
    r = state_write(rn->state, root);
    if (r < 0)
        return TRACE(r);
    if (rn->platform->state_is_written)
        rn->platform->state_is_written(rn->platform->ctx);
    return 0;
}

static int report_skip(struct runner *rn, const struct ts_next *next)
{
    struct report_status status;

    journal_write(rn->journal,
                  CMTRACE_INFORMATION,
                  "TSManager",
                  "The %s (%s) has been skipped: %s",
                  next->step ? "action" : "group",
                  next->item->name,
                  next->why);
    if (!next->step)
        return 0;
    runner_fill_status(rn, "step-skipped", next->index, &status);
    status.message = next->why;
    return TRACE(report_add(rn->report, &status));
}

void runner_remember_failure(struct runner *rn, const char *error_id, const char *message)
{
    struct state *s = rn->state;

    (void)snprintf(s->error_id, sizeof(s->error_id), "%s", error_id);
    (void)snprintf(s->message, sizeof(s->message), "%s", message);
    text_make_utf8(s->message);
    s->exit_code = return_code_of(error_id);
}

void runner_remember_result(struct runner *rn, const struct step_result *result)
{
    runner_remember_failure(rn, result->error_id, result->message);
    rn->state->exit_code = result->exit_code;
}

static int report_failure(struct runner *rn, size_t index, const struct step_result *result)
{
    const char *name = ts_sequence_step(rn->sequence, index)->item.name;
    char code[RETURN_CODE_TEXT_MAX];
    struct report_status status;

    return_code_put(code, result->exit_code);
    journal_write(rn->journal,
                  CMTRACE_ERROR,
                  "TSManager",
                  "Failed to run the action: %s. %s: %s (Error: %s)",
                  name,
                  result->error_id,
                  result->message,
                  code);
    runner_fill_status(rn, "step-failed", index, &status);
    status.exit_code = result->exit_code;
    status.error_id = result->error_id;
    status.message = result->message;
    status.output = buf_str(&rn->output);
    return TRACE(report_add(rn->report, &status));
}

/* What the step before left behind, as the state is to say it. */
static int save_position(struct runner *rn, size_t position, bool is_running, bool is_continued)
{
    struct state *s = rn->state;
    int r;

    if (position != s->next_step)
        s->n_starts = s->n_cuts = 0;
    s->next_step = position;
    s->is_running = is_running;
    s->is_continued = is_continued;
    if (is_running)
        s->n_starts++;
    r = runner_save(rn);
    if (r == 0)
        runner_mirror(rn);
    return TRACE(r);
}

int runner_leave_boot_image(struct runner *rn)
{
    int r;

    if (rn->options->is_full_os || !rn->state->target.is_mounted)
        return 0;
    r = rn->platform->boot_image_is_back(&rn->state->target);
    return r < 0 ? TRACE(r) : 0;
}

int runner_restart_into_disk(struct runner *rn)
{
    const struct report_status status = {.state = "restarting",
                                         .step = rn->state->next_step,
                                         .n_steps = rn->n_steps,
                                         .step_name = "",
                                         .step_type = "",
                                         .restart_to = "full-os"};
    int r = runner_leave_boot_image(rn);

    if (r == 0)
        r = runner_save(rn);
    journal_write(
        rn->journal,
        CMTRACE_WARNING,
        "TSManager",
        "The boot image started although the disk should have; trying the disk once more");
    if (r == 0)
        r = report_add(rn->report, &status);
    if (r < 0)
        return TRACE(r);
    (void)report_drain(rn->report, rn->platform->patience_us);
    return report_is_over(rn->report) ? RUNNER_E_OVER : RUNNER_E_RESTART;
}

/* Whoever sits there is told, unless the step has done so. */
static void give_notice(struct runner *rn, const struct ts_after *after)
{
    const char *message = after->message[0] != '\0' ? after->message : "The computer restarts soon";
    struct step_context c;

    if (after->notice_s > 0) {
        runner_fill_context(rn, ts_sequence_step(rn->sequence, rn->current), &c);
        notice_give(&c, message, after->notice_s);
        step_context_fini(&c);
    }
    for (unsigned i = 0; i < after->notice_s; i++) {
        if (!runner_progress(rn, i * 100 / after->notice_s, 0, message))
            return;
        clock_sleep_us(US_PER_S);
    }
}

/* What a step of the restarting kind does itself. Return: whether the restart can be. */
static bool prepare_restart(struct runner *rn, const struct ts_after *after)
{
    OWN(buf_fini) struct buf why = BUF_INIT(STEP_MESSAGE_MAX);
    struct step_context c;
    int r;

    if (!after->is_by_engine || after->restart != TS_RESTART_TO_BOOT_IMAGE ||
        !rn->platform->prepare_boot_image)
        return true;
    runner_fill_context(rn, ts_sequence_step(rn->sequence, rn->current), &c);
    r = rn->platform->prepare_boot_image(&c, &why);
    step_context_fini(&c);
    if (r == 0)
        return true;
    journal_write(rn->journal,
                  CMTRACE_ERROR,
                  "TSManager",
                  "SLW-0415: the restart into the boot image cannot be prepared: %s",
                  r > 0 ? buf_str(&why) : strerrordesc_np(-r));
    runner_remember_failure(rn, "SLW-0415", r > 0 ? buf_str(&why) : "the log has more");
    return false;
}

/* With the position in one write: whoever begins the next step after a power cut does so where it is to run. */
static int save_end(struct runner *rn, const struct ts_after *after)
{
    if (after->restart != TS_NO_RESTART) {
        rn->state->phase =
            after->restart == TS_RESTART_TO_FULL_OS ? STEP_IN_FULL_OS : STEP_IN_BOOT_IMAGE;
        rn->state->n_missed_boots = 0;
    }
    return TRACE(
        save_position(rn, ts_sequence_position(rn->sequence), false, after->is_same_step_again));
}

static int restart(struct runner *rn, const struct ts_after *after)
{
    bool is_to_os = after->restart == TS_RESTART_TO_FULL_OS;
    struct report_status status;
    int r;

    give_notice(rn, after);
    r = is_to_os ? runner_leave_boot_image(rn) : 0;
    if (r == 0)
        r = save_end(rn, after);
    if (r < 0)
        return TRACE(r);
    journal_write(rn->journal,
                  CMTRACE_INFORMATION,
                  "TSManager",
                  rn->goes_off ? "Switching off. When somebody switches it on it starts %s"
                               : "Restarting into %s",
                  is_to_os ? "the installed operating system" : "the boot image");
    screen_set(rn->screen, SCREEN_STATUS, "%s", rn->goes_off ? "Switching off" : "Restarting");
    runner_fill_status(rn, "restarting", rn->current, &status);
    status.restart_to = is_to_os ? "full-os" : "boot-image";
    r = report_add(rn->report, &status);
    if (r < 0)
        return TRACE(r);
    (void)report_drain(rn->report, RESTART_DRAIN_US);
    return report_is_over(rn->report) ? RUNNER_E_OVER : RUNNER_E_RESTART;
}

static int announce(struct runner *rn, const struct ts_step *step)
{
    struct report_status status;

    buf_clear(&rn->output);
    runner_fill_status(rn, "step-started", rn->current, &status);
    runner_show_step(rn, step);
    journal_write(rn->journal,
                  CMTRACE_INFORMATION,
                  "TSManager",
                  "Start executing step %zu of %zu: %s (%s)",
                  rn->current + 1,
                  rn->n_steps,
                  step->item.name,
                  step->type);
    return TRACE(report_add(rn->report, &status));
}

/* What the sequencer is to know of how it went. */
static struct ts_result to_result(const struct runner *rn, const struct step_result *result)
{
    static const enum ts_restart restarts[] = {
        [STEP_THEN_GO_ON] = TS_NO_RESTART,
        [STEP_THEN_RESTART_TO_OS] = TS_RESTART_TO_FULL_OS,
        [STEP_THEN_RESTART_TO_BOOT_IMAGE] = TS_RESTART_TO_BOOT_IMAGE,
    };

    return (struct ts_result){
        .outcome = result->error_id ? TS_STEP_FAILED : TS_STEP_SUCCEEDED,
        .code = result->exit_code,
        .restart = restarts[result->then],
        .is_same_step_again = result->is_same_step_again,
        .environment = rn->options->is_full_os ? TS_RUN_IN_FULL_OS : TS_RUN_IN_BOOT_IMAGE,
        .n_starts = rn->state->n_starts,
        .has_place = runner_root(rn) != NULL,
    };
}

static int report_success(struct runner *rn, const char *name, int exit_code)
{
    struct report_status status;

    journal_write(rn->journal,
                  CMTRACE_INFORMATION,
                  "TSManager",
                  "Successfully completed the action (%s) with exit code %d",
                  name,
                  exit_code);
    runner_fill_status(rn, "step-succeeded", rn->current, &status);
    status.exit_code = exit_code;
    status.percent = 100;
    status.output = buf_str(&rn->output);
    return TRACE(report_add(rn->report, &status));
}

/* The step is done: the state says so first, then the site is told, and then comes the restart, if any. */
static int conclude_step(struct runner *rn,
                         const struct ts_step *step,
                         const struct ts_after *after,
                         const struct step_result *result)
{
    bool is_prepared;
    int r;

    if (result->error_id)
        runner_remember_result(rn, result);
    is_prepared = prepare_restart(rn, after);
    if (ts_sequence_has_failed(rn->sequence) || !is_prepared) /* in the same write */
        rn->state->result = STATE_FAILED;
    r = save_end(rn, after);
    /* the last word is said even if the disk takes nothing any more */
    if (r < 0 && rn->state->result != STATE_FAILED)
        return TRACE(r);
    r = result->error_id ? report_failure(rn, rn->current, result)
                         : report_success(rn, step->item.name, result->exit_code);
    if (r < 0)
        return TRACE(r);
    if (!is_prepared)
        return RUNNER_E_FAILED;
    return after->restart == TS_NO_RESTART ? 0 : restart(rn, after);
}

/* What its programs have left in memory is on the disk before the state says that it is done. */
static void settle(struct runner *rn)
{
    const char *root = runner_root(rn);
    int r = root && rn->platform->settle ? rn->platform->settle(root) : 0;

    if (r < 0)
        journal_write(rn->journal,
                      CMTRACE_WARNING,
                      "TSManager",
                      "What the action has written may not live through a power cut: %s",
                      strerrordesc_np(-r));
}

static int finish_step(struct runner *rn, const struct ts_step *step, struct step_result *result)
{
    struct ts_result how = to_result(rn, result);
    struct ts_after after;
    int r;

    settle(rn);
    rn->goes_off = result->is_off && !result->error_id && rn->options->is_full_os;
    if (!result->error_id)
        state_note_success(rn->state, step->type);
    r = ts_sequence_step_done(rn->sequence, &how, &after);
    if (r < 0)
        return TRACE(r);
    if (how.is_same_step_again && after.is_same_step_again) /* it is not done yet */
        return restart(rn, &after);
    if (after.error_id) {
        int code = result->exit_code;

        (void)step_fail(result, after.error_id, "%s", after.why);
        step_result_mask(result, rn->state->vars);
        result->exit_code = code;
    }
    return TRACE(conclude_step(rn, step, &after, result));
}

static int run_step(struct runner *rn, const struct ts_step *step)
{
    char old_volume[sizeof(rn->state->target.root_uuid)];
    struct step_result result;
    int r;

    memcpy(old_volume, rn->state->target.root_uuid, sizeof(old_volume));
    rn->current = ts_sequence_position(rn->sequence);
    r = save_position(rn, rn->current, true, rn->state->is_continued);
    if (r == 0)
        r = announce(rn, step);
    if (r < 0)
        return TRACE(r);
    if (report_is_over(rn->report))
        return RUNNER_E_OVER;
    runner_run_type(rn, step, &result);
    runner_forget_answers(rn);
    if (report_is_over(rn->report))
        return RUNNER_E_OVER;
    if (strcmp(old_volume, rn->state->target.root_uuid) != 0)
        (void)journal_attach(rn->journal, NULL); /* the log on the old volume went with it */
    r = runner_follow_target(rn);
    if (r < 0)
        return TRACE(r);
    if (result.error_id && !step->item.continues_on_error) {
        bool has_moved = false;

        r = runner_debug(rn, &result, &has_moved);
        if (r != 0)
            return r < 0 ? TRACE(r) : r;
        if (has_moved) /* the failure is as if it had been caught */
            return TRACE(save_position(rn, ts_sequence_position(rn->sequence), false, false));
    }
    r = finish_step(rn, step, &result);
    return r < 0 ? TRACE(r) : r;
}

static int fail_unrun(struct runner *rn, const struct ts_next *next)
{
    struct step_result result;

    (void)step_fail(&result, next->error_id, "%s", next->why);
    step_result_mask(&result, rn->state->vars);
    runner_remember_result(rn, &result);
    return TRACE(report_failure(rn, next->index, &result));
}

/* A step that was interrupted by a power cut and must not be run twice. */
static int fail_interrupted(struct runner *rn, const struct ts_step *step, bool is_repeatable)
{
    struct step_result result;

    if (is_repeatable)
        (void)step_fail(&result,
                        "SLW-0412",
                        "the machine went down %u times while \"%s\" was running; find out why, or "
                        "give the step a higher retry count",
                        rn->state->n_cuts,
                        step->item.name);
    else
        (void)step_fail(&result,
                        "SLW-0412",
                        "the machine went down while \"%s\" was running, and steps of its kind are "
                        "not run twice; deploy again, or give the step a retry count",
                        step->item.name);
    rn->current = ts_sequence_position(rn->sequence);
    return TRACE(finish_step(rn, step, &result));
}

static int resume_first(struct runner *rn, const struct ts_step *step, bool *ret_is_done)
{
    const struct step_type *type = rn->platform->find_type(ts_step_runs_as(step));
    enum step_environment here = rn->options->is_full_os ? STEP_IN_FULL_OS : STEP_IN_BOOT_IMAGE;

    bool is_repeatable = type && type->is_repeatable;

    rn->state->n_cuts++;
    *ret_is_done =
        state_resume(rn->state, here, is_repeatable, step->retry_count) == STATE_FAIL_STEP ||
        (is_repeatable && rn->state->n_cuts > state_cuts_max(step->type, step->retry_count));
    return *ret_is_done ? fail_interrupted(rn, step, is_repeatable) : 0;
}

/* Before the first step: with nothing but systems that it cannot run, no disk of this computer is touched. */
static bool refuse_processor(struct runner *rn)
{
    if (rn->options->is_full_os || rn->machine.is_64_bit || rn->state->next_step > 0 ||
        rn->state->is_running || order_has_32_bits(rn->state->order))
        return false;
    runner_remember_failure(
        rn,
        "SLW-0458",
        "this computer's processor has 32 bits, and each operating system image of the "
        "order is of a 64-bit system; nothing was touched");
    return true;
}

/* Between two instructions: whoever wants it to wait, to end, or to go elsewhere. Return: 0, RUNNER_E_OVER, RUNNER_E_FAILED or
   -errno. */
static int pass(struct runner *rn, bool *was_running)
{
    bool has_moved = false;
    int r;

    rn->current = ts_sequence_position(rn->sequence);
    report_set_retry(rn->report, !ts_vars_is_true(rn->state->vars, "SMSTSDisableStatusRetry"));
    runner_set_log(rn);
    runner_hold(rn);
    if (report_is_over(rn->report))
        return RUNNER_E_OVER;
    r = runner_debug(rn, NULL, &has_moved);
    *was_running = *was_running && !has_moved; /* what had been begun is not at hand any more */
    return r < 0 ? TRACE(r) : r;
}

static void warn(struct runner *rn, const struct ts_next *next)
{
    if (next->warnings[0] != '\0')
        journal_write(rn->journal,
                      CMTRACE_WARNING,
                      "TSManager",
                      "SLW-0404: a condition of %s could not be answered and counts as false: %s",
                      next->item->name,
                      next->warnings);
}

/* After each start, before the first step of it. Return: 0, RUNNER_E_FAILED, RUNNER_E_OVER or -errno. */
static int begin(struct runner *rn)
{
    if (refuse_processor(rn))
        return RUNNER_E_FAILED;
    if (runner_wait_for_second_restart(rn) != 0)
        return RUNNER_E_OVER;
    return TRACE(runner_connect_folders(rn));
}

int runner_run_steps(struct runner *rn)
{
    unsigned here = rn->options->is_full_os ? TS_RUN_IN_FULL_OS : TS_RUN_IN_BOOT_IMAGE;
    bool was_running = rn->state->is_running;

    int begun = begin(rn);

    if (begun != 0)
        return TRACE(begun);
    for (;;) {
        struct ts_next next;
        bool is_done = false;
        int r = pass(rn, &was_running);

        if (r == 0)
            r = ts_sequence_next(rn->sequence, here, &next);
        if (r != 0)
            return r < 0 ? TRACE(r) : r;
        warn(rn, &next);
        switch (next.kind) {
        case TS_NEXT_SUCCEEDED:
            return 0;
        case TS_NEXT_FAILED:
            return RUNNER_E_FAILED;
        case TS_NEXT_SKIP:
            r = report_skip(rn, &next);
            break;
        case TS_NEXT_FAIL:
            r = fail_unrun(rn, &next);
            break;
        case TS_NEXT_RUN:
            if (was_running)
                r = resume_first(rn, next.step, &is_done);
            if (r == 0 && !is_done)
                r = run_step(rn, next.step);
            break;
        }
        was_running = false;
        if (r != 0)
            return r < 0 ? TRACE(r) : r;
    }
}
