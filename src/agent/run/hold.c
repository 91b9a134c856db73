/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What the site wants while the task sequence runs: to wait, or to end (docs/protocol/client-api.md, Cancel and pause)
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/run/journal.h"
#include "agent/run/mirror.h"
#include "agent/run/report.h"
#include "agent/run/runner.h"
#include "agent/run/screen.h"
#include "agent/run/target.h"
#include "agent/steps/return_code.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "ts/document.h"

enum {
    ASK_US = 2 * 1000 * 1000,
    GROUP_PATH_MAX = 4096,
};

/* "Install/Drivers": the groups and task sequences around a step, "" if there are none. */
static void name_group(struct runner *rn, size_t index, const struct ts_step *step)
{
    OWN(buf_fini) struct buf path = BUF_INIT(GROUP_PATH_MAX);
    size_t len = 0;

    if (step)
        ts_sequence_put_item_path(rn->sequence, index, &step->item, &path);
    if (step && path.len > strlen(step->item.name))
        len = path.len - strlen(step->item.name) - 1; /* without the '/' */
    (void)snprintf(rn->group,
                   sizeof(rn->group),
                   "%.*s",
                   (int)(len < sizeof(rn->group) ? len : 0),
                   buf_str(&path));
}

void runner_fill_status(struct runner *rn,
                        const char *state,
                        size_t index,
                        struct report_status *ret)
{
    const struct ts_step *step = ts_sequence_step(rn->sequence, index);

    name_group(rn, index, step);
    *ret = (struct report_status){
        .state = state,
        .step = index,
        .n_steps = rn->n_steps,
        .step_name = step ? step->item.name : "",
        .step_type = step ? step->type : "",
        .group = rn->group,
        .is_full_os = rn->options->is_full_os,
        .downloaded_bytes = rn->state->traffic.downloaded_bytes,
        .reused_bytes = rn->state->traffic.reused_bytes,
    };
}

static bool is_paused(const struct runner *rn)
{
    const struct report_wish *wish = report_wish(rn->report);

    return wish->is_paused &&
           (wish->pause_until_us == 0 || clock_wall_us() < wish->pause_until_us) &&
           !report_is_over(rn->report);
}

/* The wish outlives a restart. Best effort: the site has it too. */
static void keep(struct runner *rn, bool is_paused)
{
    rn->state->is_paused = is_paused;
    rn->state->pause_until_us = is_paused ? report_wish(rn->report)->pause_until_us : 0;
    (void)runner_save(rn);
}

void runner_tell(struct runner *rn, const char *state, const char *message)
{
    struct report_status status;

    runner_fill_status(rn, state, rn->current, &status);
    status.message = message;
    journal_write(rn->journal, CMTRACE_INFORMATION, "TSManager", "%s", message);
    screen_set(rn->screen, SCREEN_STATUS, "%s", message);
    (void)report_add(rn->report, &status);
}

void runner_mirror(struct runner *rn)
{
    OWN(json_decrefp) json_t *mirror = NULL;
    OWN(json_decrefp) json_t *answer = NULL;
    const struct state *s = rn->state;

    if (mirror_make(s, rn->n_steps, ts_sequence_step(rn->sequence, s->next_step), &mirror) == 0)
        (void)report_call(rn->report, "PUT", "state", mirror, &answer);
}

static void begin(struct runner *rn)
{
    char until[CLOCK_TEXT_MAX];
    char message[PROBLEM_MAX];
    uint64_t until_us = report_wish(rn->report)->pause_until_us;

    clock_put_rfc3339(until, until_us);
    (void)snprintf(message,
                   sizeof(message),
                   "Paused by an administrator%s%s. It goes on with slipway deployment resume",
                   until_us > 0 ? ", until " : "",
                   until_us > 0 ? until : "");
    keep(rn, true);
    runner_tell(rn, "paused", message);
}

static void end(struct runner *rn)
{
    keep(rn, false);
    if (!report_is_over(rn->report))
        runner_tell(rn, "resumed", "Running, after a pause");
}

static uint64_t ask_interval_us(const struct runner *rn)
{
    return rn->platform->poll_us < ASK_US ? rn->platform->poll_us : ASK_US;
}

enum step_wish runner_wish(struct runner *rn)
{
    if (is_paused(rn) && !rn->is_holding) {
        rn->is_holding = true;
        begin(rn);
        rn->asked_us = clock_monotonic_us();
    } else if (is_paused(rn) && clock_monotonic_us() >= rn->asked_us + ask_interval_us(rn)) {
        rn->asked_us = clock_monotonic_us();
        (void)report_poll(rn->report);
    }
    if (is_paused(rn))
        return STEP_WAIT;
    if (rn->is_holding) {
        rn->is_holding = false;
        end(rn);
    }
    return report_is_over(rn->report) ? STEP_END : STEP_GO_ON;
}

void runner_hold(struct runner *rn)
{
    while (runner_wish(rn) == STEP_WAIT)
        clock_sleep_us(ask_interval_us(rn));
}

void runner_remember_wish(struct runner *rn)
{
    const struct report_wish wish = {
        .is_paused = rn->state->is_paused,
        .pause_until_us = rn->state->pause_until_us,
    };

    if (wish.is_paused)
        report_set_wish(rn->report, &wish);
    if (rn->state->next_step > 0 || rn->state->is_running || rn->state->is_continued)
        (void)report_poll(rn->report);
}

/* In words, what has become of the disk. */
static const char *what_is_left(const struct runner *rn)
{
    if (rn->options->is_full_os)
        return "the installed operating system stays as the steps so far have left it";
    if (rn->state->is_running && runner_is_format(ts_sequence_step(rn->sequence, rn->current)))
        return "formatting a disk had begun: what was on it may be gone, and no operating system is on it yet";
    if (rn->state->target.root_device[0] == '\0')
        return "nothing on a disk of this computer is kept by the steps so far; look at smsts.log for what they did";
    if (rn->state->has_applied_os)
        return "the disk holds an operating system that is not finished and may not start";
    return "the disk was changed and holds no operating system";
}

/* The key and the secrets go with the state; the log stays. */
static void remove_state(struct runner *rn)
{
    OWN(buf_fini) struct buf path = BUF_INIT(4096);

    if (rn->options->is_full_os || !rn->state->target.is_mounted)
        return;
    (void)runner_leave_boot_image(rn);
    buf_addf(&path, "%s/%s", rn->platform->target_root, TARGET_STATE_FILE);
    (void)unlink(buf_str(&path));
}

int runner_end_cancelled(struct runner *rn)
{
    char message[PROBLEM_MAX];
    struct report_status status;
    int r;

    (void)snprintf(message,
                   sizeof(message),
                   "An administrator cancelled the deployment: %s",
                   what_is_left(rn));
    runner_fill_status(rn, "cancelled", rn->current, &status);
    status.exit_code = return_code_of("SLW-0406");
    status.error_id = "SLW-0406";
    status.message = message;
    r = report_cancelled(rn->report, &status, rn->platform->patience_us);
    remove_state(rn);
    (void)runner_problem(
        rn, "SLW-0406", "deploy the task sequence again to run it again", "%s", message);
    return TRACE(r);
}
