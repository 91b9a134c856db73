/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What a step sees of the runner, and how its type is run
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/run/journal.h"
#include "agent/run/link.h"
#include "agent/run/order.h"
#include "agent/run/report.h"
#include "agent/run/runner.h"
#include "agent/run/screen.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/document.h"
#include "ts/progress.h"
#include "ts/sequence.h"
#include "ts/vars.h"

enum {
    LOG_LINE_MAX = CMTRACE_TEXT_MAX + 1, /* the journal cuts, and knows what secrets are */
    COUNTER_MAX = 128,
};

static const char restart_type[] = "SMS_TaskSequence_RebootAction";

bool runner_progress(void *ctx, unsigned percent, uint64_t rate_bytes_per_s, const char *what)
{
    struct runner *rn = ctx;
    OWN(buf_fini) struct buf shown = BUF_INIT(LOG_LINE_MAX);
    struct report_status status;

    runner_hold(rn);
    if (report_is_over(rn->report))
        return false;
    runner_fill_status(rn, "step-progress", rn->current, &status);
    status.percent = percent;
    status.rate_bytes_per_s = rate_bytes_per_s;
    status.message = what;
    journal_mask(rn->journal, what ? what : "", &shown);
    screen_progress(rn->screen, percent, rate_bytes_per_s, buf_str(&shown));
    (void)report_progress(rn->report, &status);
    return !report_is_over(rn->report);
}

/* Who works at the computer may not be disturbed; before there is a system that anybody works with, nobody is. */
static bool is_progress_shown(const struct runner *rn)
{
    const struct state *s = rn->state;

    if (ts_vars_is_true(s->vars, "TSDisableProgressUI"))
        return false;
    return s->order->is_progress_shown || s->has_applied_os || s->phase != STEP_IN_FULL_OS;
}

void runner_show_step(struct runner *rn, const struct ts_step *step)
{
    OWN(buf_fini) struct buf counter = BUF_INIT(COUNTER_MAX);
    const struct ts_vars *vars = rn->state->vars;

    /* whoever sits there must know of a restart */
    screen_show_progress(rn->screen,
                         is_progress_shown(rn) || strcmp(step->type, restart_type) == 0);
    ts_progress_put(rn->sequence, rn->current, ts_vars_get(vars, "TSProgressInfoLevel"), &counter);
    screen_set(rn->screen, SCREEN_GROUP, "%s", rn->group);
    screen_set(rn->screen, SCREEN_STEP, "%s: %s", buf_str(&counter), step->item.name);
    screen_set(rn->screen, SCREEN_STATUS, "Running");
}

static enum step_wish wish(void *ctx)
{
    return runner_wish(ctx);
}

__attribute__((format(printf, 2, 3))) static void on_log(void *ctx, const char *format, ...)
{
    struct runner *rn = ctx;
    char text[LOG_LINE_MAX];
    va_list args;

    va_start(args, format);
    if (vsnprintf(text, sizeof(text), format, args) < 0)
        text[0] = '\0';
    va_end(args);
    journal_write(rn->journal, CMTRACE_INFORMATION, rn->component, "%s", text);
}

/* Lines that a step writes say which: "RunCommandLine" of "SMS_TaskSequence_RunCommandLineAction". */
static void name_component(struct runner *rn, const char *type)
{
    static const char prefix[] = "SMS_TaskSequence_";
    size_t len;

    if (strncmp(type, prefix, sizeof(prefix) - 1) == 0)
        type += sizeof(prefix) - 1;
    len = strlen(type);
    if (len > strlen("Action") && strcmp(type + len - strlen("Action"), "Action") == 0)
        len -= strlen("Action");
    (void)snprintf(rn->component, sizeof(rn->component), "%.*s", (int)(len < 64 ? len : 63), type);
}

int runner_follow_target(struct runner *rn)
{
    struct step_target *target = &rn->state->target;

    if (!rn->options->is_full_os && !target->is_mounted && target->root_device[0] != '\0') {
        int r = rn->platform->mount(target);

        if (r < 0)
            return TRACE(r);
        if (r > 0)
            target->is_mounted = false;
    }
    runner_place_journal(rn);
    return 0;
}

static int on_save(void *ctx)
{
    struct runner *rn = ctx;
    int r = runner_follow_target(rn);

    return r < 0 ? TRACE(r) : TRACE(runner_save(rn));
}

void runner_fill_context(struct runner *rn, const struct ts_step *step, struct step_context *ret)
{
    name_component(rn, ts_step_runs_as(step));
    *ret = (struct step_context){
        .step = step,
        .vars = rn->state->vars,
        .facts = &rn->facts,
        .order = rn->state->order,
        .machine = &rn->machine,
        .site = link_get_options(rn->link),
        .tokens = link_tokens(rn->link),
        .target = &rn->state->target,
        .connections = &rn->state->connections,
        .traffic = &rn->state->traffic,
        .output = &rn->output,
        .environment = rn->options->is_full_os ? STEP_IN_FULL_OS : STEP_IN_BOOT_IMAGE,
        .step_name = step->item.name,
        .progress = runner_progress,
        .wish = wish,
        .log = on_log,
        .save = on_save,
        .ctx = rn,
        .is_disk_kept = !runner_has_format(rn),
    };
}

static void run_type(struct runner *rn, const struct ts_step *step, struct step_result *ret)
{
    const struct step_type *type = rn->platform->find_type(ts_step_runs_as(step));
    struct step_context c;
    int r;

    runner_fill_context(rn, step, &c);
    *ret = (struct step_result){0};
    if (!type && step->type[0] == '\0') {
        (void)step_fail(
            ret,
            "SLW-0401",
            "the step has neither a type nor a command; replace it by a Run Command Line");
        return;
    }
    if (!type) {
        (void)step_fail(ret,
                        "SLW-0401",
                        "the agent cannot run steps of type \"%s\"; disable or replace the step",
                        step->type);
        return;
    }
    if ((type->environments & c.environment) == 0) {
        (void)step_fail(ret,
                        "SLW-0405",
                        "steps of type \"%s\" cannot run in %s; move the step",
                        step->type,
                        c.environment == STEP_IN_FULL_OS ? "the installed operating system"
                                                         : "the boot image");
        return;
    }
    r = type->run(&c, ret);
    step_context_fini(&c);
    if (r < 0)
        (void)step_fail(ret,
                        "SLW-0410",
                        "the step ended unexpectedly: %s; the log has more",
                        strerrordesc_np(-r) ? strerrordesc_np(-r) : "unknown error");
}

void runner_run_type(struct runner *rn, const struct ts_step *step, struct step_result *ret)
{
    run_type(rn, step, ret);
    step_result_mask(ret, rn->state->vars);
}
