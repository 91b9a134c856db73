/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/run.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/run/journal.h"
#include "agent/run/mirror.h"
#include "agent/run/order.h"
#include "agent/run/report.h"
#include "agent/run/runner.h"
#include "agent/run/screen.h"
#include "agent/run/target.h"
#include "agent/run/wizard.h"
#include "agent/steps/capture_parts.h"
#include "agent/steps/return_code.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "plat/tpm.h"
#include "ts/sequence.h"
#include "ts/vars.h"

#define US_PER_S UINT64_C(1000000)

enum {
    AVAILABLE_WAIT_S = 60,
    LOG_FOLDER_MODE = 0755,
};

int runner_problem(
    struct runner *rn, const char *error_id, const char *remedy, const char *format, ...)
{
    char text[PROBLEM_MAX];
    OWN(buf_fini) struct buf shown = BUF_INIT(2 * (size_t)PROBLEM_MAX);
    va_list args;

    va_start(args, format);
    if (vsnprintf(text, sizeof(text), format, args) < 0)
        text[0] = '\0';
    va_end(args);
    journal_write(rn->journal, CMTRACE_ERROR, "TSManager", "%s: %s; %s", error_id, text, remedy);
    journal_mask(rn->journal, text, &shown);
    screen_set(rn->screen, SCREEN_PROBLEM, "%s: %s", error_id, buf_str(&shown));
    screen_set(rn->screen, SCREEN_REMEDY, "%s", remedy);
    return RUNNER_E_FAILED;
}

static void runner_fini(struct runner *rn)
{
    debug_fini(&rn->debug);
    wizard_free(rn->wizard);
    ts_sequence_free(rn->sequence);
    runner_forget_answers(rn);
    runner_forget_documents(rn);
    report_free(rn->report);
    journal_free(rn->journal);
    link_free(rn->link);
    tpm_free(rn->tpm);
    state_free(rn->state);
    buf_fini(&rn->output);
    buf_fini(&rn->package_version);
}

static void show_machine(struct runner *rn, const char *name)
{
    const struct machine *m = &rn->machine;
    char mac[MAC_TEXT_MAX] = "";

    if (m->has_boot_mac)
        mac_put(mac, m->boot_mac);
    else if (m->n_nics > 0)
        mac_put(mac, m->nics[0].mac);
    screen_set(rn->screen,
               SCREEN_MACHINE,
               "%s %s %s %s serial number %s",
               name,
               mac,
               m->manufacturer,
               m->model,
               m->serial[0] != '\0' ? m->serial : "unknown");
}

static int fresh_state(struct runner *rn)
{
    struct state *s = rn->state;
    const char *name;
    json_t *value;
    int r = ts_vars_new(&s->vars);

    if (r < 0)
        return TRACE(r);
    json_object_foreach(s->order->variables, name, value)
    {
        r = ts_vars_set(s->vars, name, json_string_value(value), TS_BY_ENGINE);
        if (r < 0)
            return TRACE(r);
        if (r > 0)
            journal_write(rn->journal,
                          CMTRACE_WARNING,
                          "TSManager",
                          "The variable \"%s\" of the order is left out: bad name or too long",
                          name);
    }
    for (size_t i = 0; i < s->order->n_secrets; i++) {
        r = ts_vars_set_secret(s->vars, s->order->secrets[i]);
        if (r < 0)
            return TRACE(r);
    }
    s->seq = 1; /* the site knows no status yet: its last number is 0 */
    s->started_us = clock_wall_us();
    return 0;
}

int runner_begin_fresh(struct runner *rn)
{
    const json_t *mirror = rn->state->order->mirror;
    bool is_resumed = false;
    int r = fresh_state(rn);

    if (r == 0 && mirror)
        r = mirror_resume(mirror, rn->state, &is_resumed);
    if (r < 0)
        return TRACE(r);
    if (mirror)
        journal_write(
            rn->journal,
            CMTRACE_WARNING,
            "TSManager",
            "The computer went down before a volume had the state. By what the site was told, the "
            "task sequence %s",
            is_resumed ? "goes on with the step that it was in, Format and Partition Disk"
                       : "starts over");
    return 0;
}

/* The order's own state if there is one on a disk; it goes on with what the site says now. */
static int find_state(struct runner *rn, struct order **order)
{
    OWN(buf_fini) struct buf text = BUF_INIT(STATE_MAX_BYTES);
    OWN(buf_fini) struct buf why = BUF_INIT(PROBLEM_MAX);
    struct step_target target = {0};
    int r = rn->platform->find_state(&rn->machine, (*order)->order_id, &target, &text);

    if (r < 0)
        return TRACE(r);
    if (r == 0) {
        r = state_parse(buf_bytes(&text), &rn->state, &why);
        if (r < 0)
            return TRACE(r);
        if (r == STATE_E_MALFORMED)
            return runner_problem(rn,
                                  "SLW-0411",
                                  "deploy the task sequence again; the disk is then made anew",
                                  "the state on %s cannot be used: %s",
                                  target.root_device,
                                  buf_str(&why));
        order_free(rn->state->order);
        target.is_old = rn->state->target.is_old; /* the device does not say it */
        rn->state->target = target;
        rn->state->seq += STATE_SEQ_GAP;
    } else {
        r = state_new(&rn->state);
        if (r < 0)
            return TRACE(r);
    }
    rn->state->order = TAKE(*order);
    state_set_site(rn->state, rn->link);
    return rn->state->vars ? 0 : TRACE(runner_begin_fresh(rn));
}

static bool is_disabled_by_person(struct runner *rn)
{
    if (rn->state->order->is_required || rn->has_chosen || rn->state->next_step > 0 ||
        rn->state->is_running)
        return false;
    screen_set(rn->screen,
               SCREEN_STATUS,
               "\"%s\" is available: press Enter within %d seconds to install it",
               rn->state->order->task_sequence_name,
               (int)AVAILABLE_WAIT_S);
    return !screen_wait_key(rn->screen, AVAILABLE_WAIT_S * US_PER_S);
}

static bool is_new_run(const struct state *s)
{
    return s->next_step == 0 && !s->is_running && !s->is_continued;
}

static int prepare(struct runner *rn)
{
    int r;

    if (!rn->options->is_full_os && rn->state->target.root_device[0] != '\0') {
        r = rn->platform->mount(&rn->state->target);
        if (r < 0)
            return TRACE(r);
    }
    r = runner_prepare(rn);
    if (r == 0)
        r = runner_set_facts(rn);
    if (r == 0 && is_new_run(rn->state))
        r = runner_set_globals(rn);
    return r < 0 ? TRACE(r) : r;
}

static int report_end(struct runner *rn, bool is_succeeded)
{
    struct state *s = rn->state;
    const struct report_status status = {
        .state = is_succeeded ? "succeeded" : "failed",
        .step = s->next_step,
        .n_steps = rn->n_steps,
        .step_name = "",
        .step_type = "",
        .is_full_os = rn->options->is_full_os,
        .percent = is_succeeded ? 100 : 0,
        .exit_code = is_succeeded ? 0 : s->exit_code,
        .error_id = is_succeeded ? NULL : s->error_id,
        .message = s->message,
        .downloaded_bytes = s->traffic.downloaded_bytes,
        .reused_bytes = s->traffic.reused_bytes,
    };
    int r;

    if (is_succeeded)
        s->error_id[0] = s->message[0] = '\0';
    s->result = is_succeeded ? STATE_SUCCEEDED : STATE_FAILED;
    r = runner_save(rn);
    if (r < 0 && is_succeeded)
        return TRACE(r);
    journal_write(rn->journal,
                  is_succeeded ? CMTRACE_INFORMATION : CMTRACE_ERROR,
                  "TSManager",
                  "The task sequence has %s",
                  is_succeeded ? "succeeded" : "failed");
    return TRACE(report_add(rn->report, &status));
}

/* Whoever cancelled meanwhile, and a deadline that has passed, count before the first write to a disk. */
static int report_start(struct runner *rn)
{
    const struct report_status started = {.state = "started", .n_steps = rn->n_steps};
    int r = report_add(rn->report, &started);

    if (r < 0)
        return TRACE(r);
    if (report_drain(rn->report, rn->platform->patience_us))
        return 0;
    return runner_problem(rn,
                          "SLW-0421",
                          "check that the site server runs and can be reached from here",
                          "the site at %s does not answer; nothing was touched",
                          link_get_options(rn->link)->urls[0]);
}

/* A system that was captured is as general as its image: it comes up without us. Best effort. */
static void leave_captured(struct runner *rn)
{
    if (rn->options->is_full_os || !rn->state->target.is_mounted || rn->state->has_applied_os ||
        ts_vars_get(rn->state->vars, CAPTURE_DONE_VARIABLE)[0] == '\0')
        return;
    if (runner_clean_up(rn) < 0)
        journal_write(rn->journal,
                      CMTRACE_WARNING,
                      "TSManager",
                      "The task sequence's folder could not be removed from the volume");
}

/* The steps are through, one way or the other. Return: 0, RUNNER_E_FAILED or -errno. */
static int conclude(struct runner *rn, bool is_succeeded)
{
    char code[RETURN_CODE_TEXT_MAX];
    int r;

    if (is_succeeded && !rn->options->is_full_os && rn->state->has_applied_os) {
        runner_remember_failure(
            rn,
            "SLW-0414",
            "the task sequence ended in the boot image, so nobody knows whether the disk boots; "
            "add a Setup Windows and Configuration Manager step");
        is_succeeded = false;
    }
    r = report_end(rn, is_succeeded);
    if (r == 0)
        r = runner_leave_boot_image(rn);
    if (r < 0)
        return TRACE(r);
    if (!report_drain(rn->report, rn->platform->patience_us))
        journal_write(rn->journal,
                      CMTRACE_WARNING,
                      "TSManager",
                      "SLW-0421: the site does not answer and was not told the result");
    else if (is_succeeded)
        leave_captured(rn);
    if (is_succeeded) {
        screen_set(rn->screen, SCREEN_STATUS, "The task sequence has succeeded");
        return 0;
    }
    return_code_put(code, rn->state->exit_code);
    return runner_problem(
        rn,
        rn->state->error_id[0] != '\0' ? rn->state->error_id : "SLW-0400",
        "see smsts.log and the deployment's status at the site, correct the cause, and "
        "deploy again",
        "%s (error %s)",
        rn->state->message,
        code);
}

/* A start of the boot image although the disk should have booted. */
static int disk_did_not_boot(struct runner *rn)
{
    rn->state->n_missed_boots++;
    if (state_resume(rn->state, STEP_IN_BOOT_IMAGE, true, 0) == STATE_RESTART_TO_OS)
        return TRACE(runner_restart_into_disk(rn));
    runner_remember_failure(
        rn,
        "SLW-0413",
        "the disk did not boot twice; check the firmware's boot order and that the image fits the "
        "firmware (UEFI or BIOS)");
    return TRACE(conclude(rn, false));
}

static int go_on(struct runner *rn)
{
    enum step_environment here = rn->options->is_full_os ? STEP_IN_FULL_OS : STEP_IN_BOOT_IMAGE;
    int r;

    switch (state_resume(rn->state, here, true, 0)) {
    case STATE_REPORT:
        return TRACE(conclude(rn, rn->state->result == STATE_SUCCEEDED));
    case STATE_RESTART_TO_OS:
    case STATE_FAIL_NO_BOOT:
        return TRACE(disk_did_not_boot(rn));
    case STATE_GO_ON:
    case STATE_FAIL_STEP: /* decided when the step's type is known */
        break;
    }
    rn->state->phase = here;
    if (rn->options->is_full_os)
        rn->state->n_missed_boots = 0; /* the disk has booted */
    if (is_new_run(rn->state)) {
        r = report_start(rn);
        if (r != 0)
            return r < 0 ? TRACE(r) : r;
        r = runner_get_ahead(rn);
        if (r == RUNNER_E_FAILED)
            r = conclude(rn, false);
        if (r != 0)
            return r < 0 ? TRACE(r) : r;
    }
    runner_remember_wish(rn);
    r = runner_run_steps(rn);
    if (r == 0 || r == RUNNER_E_FAILED)
        r = conclude(rn, r == 0);
    return r < 0 ? TRACE(r) : r;
}

/* What nobody planned for: it is tried once more after a restart unless the site hears of it. */
static void report_unplanned(struct runner *rn, int error)
{
    if (!rn->report || report_is_over(rn->report))
        return;
    runner_remember_failure(rn, "SLW-0410", "the agent ended unexpectedly: ");
    (void)snprintf(rn->state->message + strlen(rn->state->message),
                   sizeof(rn->state->message) - strlen(rn->state->message),
                   "%s; smsts.log has more",
                   strerrordesc_np(-error) ? strerrordesc_np(-error) : "unknown error");
    (void)report_end(rn, false);
    (void)report_drain(rn->report, rn->platform->patience_us);
}

/* The site has ended the order, or somebody there has cancelled it; the screen says it. Return: RUNNER_E_OVER or -errno. */
static int acknowledge(struct runner *rn)
{
    if (rn->report && report_is_cancelled(rn->report)) {
        int r = runner_end_cancelled(rn);

        return r < 0 ? TRACE(r) : RUNNER_E_OVER;
    }
    (void)runner_problem(rn,
                         "SLW-0406",
                         "deploy the task sequence again if it was not meant to end",
                         "the site has ended this deployment; nothing more is touched");
    return RUNNER_E_OVER;
}

static int life_in_boot_image(struct runner *rn)
{
    struct order *order = NULL;
    int r;

    show_machine(rn, "");
    r = link_new(&rn->options->site, &rn->link);
    if (r == 0)
        r = runner_connect(rn, &order);
    if (r == 0)
        r = find_state(rn, &order);
    order_free(order);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    show_machine(rn, rn->state->order->device_name);
    if (is_disabled_by_person(rn))
        return RUNNER_E_NOT_OURS;
    r = prepare(rn);
    if (r == 0)
        r = go_on(rn);
    if (r == RUNNER_E_OVER)
        r = acknowledge(rn);
    if (r == RUNNER_E_OVER)
        return RUNNER_E_FAILED;
    return r < 0 ? TRACE(r) : r;
}

static int run_in_boot_image(struct runner *rn, enum run_end *ret)
{
    int r = life_in_boot_image(rn);

    if (r < 0) {
        (void)runner_problem(rn,
                             "SLW-0410",
                             "restart the machine; if it stays, report it with smsts.log",
                             "something unexpected went wrong: %s",
                             strerrordesc_np(-r) ? strerrordesc_np(-r) : "unknown error");
        report_unplanned(rn, r);
    }
    if (r == 0 || r == RUNNER_E_FAILED)
        runner_post_action(rn);
    if (r == RUNNER_E_FAILED || r < 0)
        runner_wait_failed(rn);
    if (r == RUNNER_E_OFF)
        runner_wait_off(rn);
    if (rn->state) {
        sync();
        (void)rn->platform->unmount(&rn->state->target);
    }
    *ret = r == RUNNER_E_NOT_OURS ? RUN_NOT_OURS : r == RUNNER_E_OFF ? RUN_OFF : RUN_RESTART;
    return 0;
}

static int life_in_full_os(struct runner *rn)
{
    int r = runner_load_state(rn);

    if (r == 0)
        r = runner_wait_for_site(rn);
    if (r == 0)
        r = prepare(rn);
    if (r == 0)
        r = go_on(rn);
    if (r == RUNNER_E_OVER)
        r = acknowledge(rn);
    return r < 0 ? TRACE(r) : r;
}

static int run_in_full_os(struct runner *rn, enum run_end *ret)
{
    int r = life_in_full_os(rn);

    *ret = RUN_FINISHED;
    if (r < 0) {
        report_unplanned(rn, r);
        return TRACE(r);
    }
    if (r == RUNNER_E_NOT_OURS ||
        !rn->state) /* none, or one that cannot be read: it stays as evidence */
        return 0;
    if (r == RUNNER_E_RESTART) {
        *ret = rn->goes_off ? RUN_OFF : RUN_RESTART;
        return 0;
    }
    if (!rn->report || !report_drain(rn->report, 0)) {
        *ret = RUN_UNREPORTED;
        return 0;
    }
    *ret = r == RUNNER_E_FAILED ? RUN_FAILED : RUN_FINISHED;
    r = runner_clean_up(rn);
    runner_post_action(rn);
    return r < 0 ? TRACE(r) : 0;
}

int run_agent(const struct run_options *options, enum run_end *ret)
{
    OWN(runner_fini)
    struct runner rn = {.output = BUF_INIT(RUNNER_OUTPUT_MAX_BYTES),
                        .package_version = BUF_INIT(RUNNER_VERSION_MAX_BYTES),
                        .options = options,
                        .platform = options->platform,
                        .screen = options->screen};
    OWN(buf_fini) struct buf folder = BUF_INIT(4096);
    const char *slash = strrchr(rn.platform->journal_path, '/');
    int r;

    buf_add(&folder,
            (struct bytes){(const uint8_t *)rn.platform->journal_path,
                           (size_t)(slash - rn.platform->journal_path)});
    r = dir_make(buf_str(&folder), LOG_FOLDER_MODE);
    if (r == 0)
        r = journal_new(rn.platform->journal_path, &rn.journal);
    if (r < 0)
        return TRACE(r);
    runner_set_log(&rn);
    journal_write(rn.journal,
                  CMTRACE_INFORMATION,
                  "TSManager",
                  "slipway-agent %s in %s",
                  options->version,
                  options->is_full_os ? "the installed operating system" : "the boot image");
    r = rn.platform->collect(&rn.machine);
    if (r < 0)
        return TRACE(r);
    return options->is_full_os ? TRACE(run_in_full_os(&rn, ret))
                               : TRACE(run_in_boot_image(&rn, ret));
}
