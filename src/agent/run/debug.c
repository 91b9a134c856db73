/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/debug.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "agent/run/journal.h"
#include "agent/run/report.h"
#include "agent/run/runner.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/process.h"
#include "ts/debugger.h"
#include "ts/document.h"
#include "ts/sequence.h"
#include "ts/vars.h"

#define US_PER_S UINT64_C(1000000)

enum {
    PATH_MAX_BYTES = 16 * 1024,
    LIST_PIECE_MAX = 32 * 1024, /* bytes of names and values in one message */
    OUTPUT_MAX_BYTES = 32 * 1024,
    COMMAND_TIMEOUT_S = 600,
    SHELL_NAP_US = 100 * 1000,
    BUSY_NAP_US = 250 * 1000,
    IDLE_NAP_US = 1000 * 1000,
    BUSY_US = 15 * 1000 * 1000,
    ERROR_PATIENCE_US = 60 * 1000 * 1000,
};

void debug_fini(struct debug *debug)
{
    debug_shell_close(&debug->shell);
    json_decref(debug->outbox);
}

static void say(struct runner *rn, json_t *message)
{
    struct debug *debug = &rn->debug;
    uint64_t now = clock_wall_us();

    debug->number = debug->number < now ? now : debug->number + 1;
    (void)json_object_set_new(message, "number", json_integer((json_int_t)debug->number));
    if (!debug->outbox)
        debug->outbox = json_array();
    (void)json_array_append_new(debug->outbox, message);
}

static json_t *answer(const struct ts_debug_command *command, bool is_ok, const char *message)
{
    return json_pack("{s:I, s:b, s:s}",
                     "of",
                     (json_int_t)command->number,
                     "is_ok",
                     (int)is_ok,
                     "message",
                     message);
}

static void refuse(struct runner *rn, const struct ts_debug_command *command, const char *why)
{
    say(rn, answer(command, false, why));
}

static void put_path(const struct runner *rn, size_t index, struct buf *ret)
{
    const struct ts_step *step = ts_sequence_step(rn->sequence, index);

    if (step)
        ts_sequence_put_item_path(rn->sequence, index, &step->item, ret);
}

/* Where it is, as members of a message. */
static void put_place(struct runner *rn, json_t *message)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    const struct ts_debugger *d = &rn->state->debugger;
    const struct ts_step *step = ts_sequence_step(rn->sequence, rn->current);
    json_t *kept = ts_debugger_to_json(d);

    put_path(rn, rn->current, &path);
    (void)json_object_update_new(message,
                                 json_pack("{s:I, s:I, s:s, s:s, s:s, s:b, s:O?, s:O?}",
                                           "step",
                                           (json_int_t)rn->current,
                                           "n_steps",
                                           (json_int_t)rn->n_steps,
                                           "step_name",
                                           step ? step->item.name : "",
                                           "path",
                                           buf_str(&path),
                                           "environment",
                                           rn->options->is_full_os ? "full-os" : "boot-image",
                                           "is_stopped",
                                           (int)rn->debug.stands,
                                           "breaks",
                                           json_object_get(kept, "breaks"),
                                           "mode",
                                           json_object_get(kept, "mode")));
    json_decref(kept);
}

static void say_place(struct runner *rn, const struct ts_debug_command *command)
{
    json_t *message = answer(command, true, "");

    put_place(rn, message);
    say(rn, message);
}

/* "3" is the third; otherwise a path, or a name that only one has. Return: whether there is one. */
static bool find_step(struct runner *rn, const char *text, size_t *ret)
{
    uint64_t number;
    size_t n_named = 0;

    if (bytes_parse_u64(bytes_of(text), 1, rn->n_steps, &number)) {
        *ret = (size_t)number - 1;
        return true;
    }
    for (size_t i = 0; i < rn->n_steps; i++) {
        OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

        put_path(rn, i, &path);
        if (strcasecmp(buf_str(&path), text) == 0) {
            *ret = i;
            return true;
        }
        if (strcasecmp(ts_sequence_step(rn->sequence, i)->item.name, text) != 0)
            continue;
        n_named++;
        *ret = i;
    }
    return n_named == 1;
}

/* A list in pieces that fit a message; all but the last say that there is more. */
struct pieces {
    struct runner *rn;
    const struct ts_debug_command *command;
    const char *member;
    json_t *list; /* owned */
    size_t n_bytes;
};

static void say_piece(struct pieces *p, bool is_more)
{
    json_t *message = answer(p->command, true, "");

    (void)json_object_set_new(message, p->member, TAKE(p->list));
    (void)json_object_set_new(message, "is_more", json_boolean(is_more));
    say(p->rn, message);
    p->list = json_array();
    p->n_bytes = 0;
}

static void add_to_piece(struct pieces *p, json_t *item, size_t n_bytes)
{
    if (p->n_bytes + n_bytes > LIST_PIECE_MAX)
        say_piece(p, true);
    (void)json_array_append_new(p->list, item);
    p->n_bytes += n_bytes;
}

static void say_variables(struct runner *rn, const struct ts_debug_command *command)
{
    struct pieces p = {rn, command, "variables", json_array(), 0};
    size_t prefix = strlen(command->name);
    const char *name;
    const char *value;
    bool is_secret;

    for (size_t i = 0; ts_vars_at(rn->state->vars, i, &name, &value, &is_secret); i++) {
        if (value[0] == '\0' || strncasecmp(name, command->name, prefix) != 0)
            continue;
        add_to_piece(&p,
                     json_pack("{s:s, s:s?, s:b}",
                               "name",
                               name,
                               "value",
                               is_secret ? NULL : value,
                               "is_secret",
                               (int)is_secret),
                     strlen(name) + 2 * strlen(value) + 64);
    }
    say_piece(&p, false);
    json_decref(p.list);
}

static void say_steps(struct runner *rn, const struct ts_debug_command *command)
{
    struct pieces p = {rn, command, "steps", json_array(), 0};

    for (size_t i = 0; i < rn->n_steps; i++) {
        OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

        put_path(rn, i, &path);
        add_to_piece(&p,
                     json_pack("{s:I, s:s}", "step", (json_int_t)i, "path", buf_str(&path)),
                     path.len + 64);
    }
    say_piece(&p, false);
    json_decref(p.list);
}

static void set_variable(struct runner *rn, const struct ts_debug_command *command)
{
    int r = ts_vars_set_heard(rn->state->vars, command->name, command->value);

    if (r != 0) {
        refuse(rn,
               command,
               r == TS_VARS_E_READ_ONLY ? "variables that begin with _ are read-only"
                                        : "not a name and value that a variable may have");
        return;
    }
    journal_write(rn->journal,
                  CMTRACE_INFORMATION,
                  "TSManager",
                  "The debugger has set the variable %s",
                  command->name);
    say(rn, answer(command, true, ""));
}

static enum process_tick tell_it_runs(void *ctx)
{
    struct runner *rn = ctx;

    (void)report_poll(rn->report);
    return report_is_over(rn->report) ? PROCESS_END : PROCESS_GO_ON;
}

/* One line for a shell, and what it printed. */
static void run_line(struct runner *rn, const struct ts_debug_command *command)
{
    OWN(buf_fini) struct buf output = BUF_INIT(OUTPUT_MAX_BYTES);
    OWN(buf_fini) struct buf text = BUF_INIT((size_t)2 * OUTPUT_MAX_BYTES);
    const char *const argv[] = {"/bin/sh", "-c", command->data, NULL};
    struct process_result result = {0};
    json_t *message;
    int r = process_run(&(struct process_options){.argv = argv,
                                                  .folder = "/",
                                                  .output = &output,
                                                  .timeout_us = COMMAND_TIMEOUT_S * US_PER_S,
                                                  .on_tick = tell_it_runs,
                                                  .ctx = rn},
                        &result);

    if (r < 0) {
        refuse(rn, command, strerrordesc_np(-r));
        return;
    }
    base64_put(&text, buf_bytes(&output));
    message = answer(command, true, result.is_timed_out ? "it took too long and was ended" : "");
    (void)json_object_set_new(message, "data", json_string(buf_str(&text)));
    (void)json_object_set_new(
        message,
        "exit_code",
        json_integer(result.signal != 0 ? 128 + result.signal : result.exit_code));
    say(rn, message);
}

static void use_shell(struct runner *rn, const struct ts_debug_command *command)
{
    OWN(buf_fini) struct buf typed = BUF_INIT(TS_DEBUG_TEXT_MAX);
    int r = 0;

    if (command->kind == TS_DEBUG_DO_SHELL)
        run_line(rn, command);
    if (command->kind == TS_DEBUG_DO_SHELL_OPEN) {
        r = debug_shell_open(&rn->debug.shell);
        say(rn, answer(command, r == 0, r == 0 ? "" : "no shell can be started"));
    }
    if (command->kind == TS_DEBUG_DO_SHELL_INPUT && base64_parse(bytes_of(command->data), &typed))
        (void)debug_shell_type(&rn->debug.shell, buf_bytes(&typed));
    if (command->kind == TS_DEBUG_DO_SHELL_CLOSE)
        debug_shell_close(&rn->debug.shell);
}

/* What is for the rules: where it goes from here. */
static void steer(struct runner *rn, const struct ts_debug_command *command)
{
    size_t index = SIZE_MAX;

    if (command->step[0] != '\0' && !find_step(rn, command->step, &index)) {
        refuse(rn,
               command,
               "there is no such step, or several have this name: give its number or path");
        return;
    }
    if (command->kind == TS_DEBUG_DO_SET_CURRENT && !rn->debug.stands) {
        refuse(rn, command, "a step runs; stop it first with step, or a break point");
        return;
    }
    switch (ts_debugger_apply(&rn->state->debugger, command, index)) {
    case TS_DEBUG_FULL:
        refuse(rn, command, "there are too many break points");
        return;
    case TS_DEBUG_MOVES:
        ts_sequence_set_position(rn->sequence, index);
        rn->current = index;
        rn->debug.has_moved = true;
        break;
    case TS_DEBUG_LEAVES:
        rn->debug.leaves = true;
        break;
    case TS_DEBUG_ENDS:
        rn->debug.ends = true;
        break;
    case TS_DEBUG_STAYS:
        break;
    }
    say_place(rn, command);
}

static void obey(struct runner *rn, const json_t *body)
{
    struct ts_debug_command command;

    if (ts_debug_command_parse(body, &command) != 0) {
        say(rn,
            json_pack("{s:O?, s:b, s:s}",
                      "of",
                      json_object_get(body, "number"),
                      "is_ok",
                      0,
                      "message",
                      "not a command, or something is missing in it"));
        return;
    }
    if (command.kind != TS_DEBUG_DO_SHELL_INPUT)
        journal_write(rn->journal,
                      CMTRACE_INFORMATION,
                      "TSManager",
                      "Debugger: %s",
                      json_string_value(json_object_get(body, "command")));
    if (command.kind >= TS_DEBUG_DO_SHELL && command.kind <= TS_DEBUG_DO_SHELL_CLOSE) {
        if (rn->debug.stands)
            use_shell(rn, &command);
        else
            refuse(
                rn, &command, "a step runs; a shell is there while the task sequence is stopped");
    } else if (command.kind == TS_DEBUG_DO_VARIABLES) {
        say_variables(rn, &command);
    } else if (command.kind == TS_DEBUG_DO_STEPS) {
        say_steps(rn, &command);
    } else if (command.kind == TS_DEBUG_DO_SET_VARIABLE) {
        set_variable(rn, &command);
    } else {
        steer(rn, &command);
    }
}

/* Send what is there, and obey what comes. Return: whether something came. */
static bool exchange(struct runner *rn)
{
    struct ts_debugger *d = &rn->state->debugger;
    struct debug *debug = &rn->debug;
    OWN(json_decrefp)
    json_t *body = json_pack("{s:I, s:O}",
                             "after",
                             (json_int_t)d->after,
                             "messages",
                             debug->outbox ? debug->outbox : (debug->outbox = json_array()));
    OWN(json_decrefp) json_t *reply = NULL;
    const json_t *messages;

    if (!report_call(rn->report, "POST", "debug", body, &reply))
        return false;
    (void)json_array_clear(debug->outbox);
    messages = json_object_get(reply, "messages");
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const json_t *message = json_array_get(messages, i);
        json_int_t id = json_integer_value(json_object_get(message, "id"));

        if (id <= 0 || (uint64_t)id <= d->after)
            continue;
        d->after = (uint64_t)id;
        obey(rn, json_object_get(message, "body"));
    }
    if (json_array_size(messages) == 0)
        return false;
    (void)runner_save(rn);
    runner_mirror(rn);
    return true;
}

/* What the shell printed goes out. Return: whether there was something. */
static bool pump(struct runner *rn)
{
    OWN(buf_fini) struct buf raw = BUF_INIT(DEBUG_SHELL_PIECE_MAX);
    OWN(buf_fini) struct buf text = BUF_INIT((size_t)2 * DEBUG_SHELL_PIECE_MAX);
    bool has_ended = debug_shell_read(&rn->debug.shell, &raw);

    base64_put(&text, buf_bytes(&raw));
    if (raw.len > 0)
        say(rn, json_pack("{s:s, s:s}", "event", "shell-output", "data", buf_str(&text)));
    if (has_ended)
        say(rn,
            json_pack("{s:s, s:i}", "event", "shell-closed", "exit_code", rn->debug.shell.status));
    return raw.len > 0 || has_ended;
}

static uint64_t nap_us(const struct runner *rn, uint64_t busy_us)
{
    uint64_t nap = clock_monotonic_us() - busy_us < BUSY_US ? BUSY_NAP_US : IDLE_NAP_US;

    if (rn->debug.shell.pid > 0)
        nap = SHELL_NAP_US;
    return nap < rn->platform->poll_us ? nap : rn->platform->poll_us;
}

static void say_stopped(struct runner *rn, const char *why, const struct step_result *failed)
{
    json_t *message = json_pack("{s:s, s:s, s:s?, s:s}",
                                "event",
                                "stopped",
                                "why",
                                why,
                                "error_id",
                                failed ? failed->error_id : NULL,
                                "message",
                                failed ? failed->message : "");

    put_place(rn, message);
    say(rn, message);
}

static void wait_for_commands(struct runner *rn)
{
    struct debug *debug = &rn->debug;
    uint64_t busy_us = clock_monotonic_us();

    while (!debug->leaves && !debug->ends && !report_is_over(rn->report)) {
        bool is_busy = pump(rn);

        if (exchange(rn) || is_busy)
            busy_us = clock_monotonic_us();
        else
            clock_sleep_us(nap_us(rn, busy_us));
    }
    debug_shell_close(&debug->shell);
}

static void stand(struct runner *rn, enum ts_debug_why why, const struct step_result *failed)
{
    char message[PROBLEM_MAX];
    struct debug *debug = &rn->debug;
    const struct ts_step *step = ts_sequence_step(rn->sequence, rn->current);

    (void)snprintf(
        message,
        sizeof(message),
        "Stopped by the debugger (%s) %s step %zu of %zu, %s. It waits for slipway deployment debug",
        ts_debug_why_text(why),
        failed ? "in" : "before",
        rn->current + 1,
        rn->n_steps,
        step ? step->item.name : "the end");
    debug->stands = true;
    debug->leaves = debug->ends = false;
    say_stopped(rn, ts_debug_why_text(why), failed);
    runner_tell(rn, "paused", message);
    runner_mirror(rn);
    wait_for_commands(rn);
    debug->stands = false;
    if (report_is_over(rn->report))
        return;
    say(rn, json_pack("{s:s}", "event", "running"));
    (void)exchange(rn);
    runner_tell(rn, "resumed", "Running, let go by the debugger");
}

/* TSDebugMode, and in front of a failure TSDebugOnError: the site is told, so that it carries letters from now on. */
static void ask_for_it(struct runner *rn, bool has_failed)
{
    struct ts_debugger *d = &rn->state->debugger;
    const struct ts_vars *vars = rn->state->vars;
    bool is_from_now = ts_vars_is_true(vars, "TSDebugMode");
    OWN(json_decrefp) json_t *body = NULL;
    OWN(json_decrefp) json_t *reply = NULL;

    if (d->was_begun || (!is_from_now && !(has_failed && ts_vars_is_true(vars, "TSDebugOnError"))))
        return;
    body = json_pack(
        "{s:I, s:[], s:b}", "after", (json_int_t)d->after, "messages", "is_wanted", (int)true);
    if (has_failed) /* it is now or never */
        (void)report_drain(rn->report, ERROR_PATIENCE_US);
    if (!report_call(rn->report, "POST", "debug", body, &reply)) {
        journal_write(rn->journal,
                      CMTRACE_WARNING,
                      "TSManager",
                      "There is no debugger here, although %s wants one: the site does not answer",
                      is_from_now ? "TSDebugMode" : "TSDebugOnError");
        return;
    }
    if (is_from_now)
        ts_debugger_begin(d);
    else
        ts_debugger_begin_at_error(d);
}

int runner_debug(struct runner *rn, const struct step_result *failed, bool *ret_has_moved)
{
    struct ts_debugger *d = &rn->state->debugger;
    struct debug *debug = &rn->debug;
    enum ts_debug_why why;

    *ret_has_moved = false;
    if (!report_wish(rn->report)->is_debug)
        ask_for_it(rn, failed != NULL);
    if (!report_wish(rn->report)->is_debug)
        return 0;
    ts_debugger_begin(d);
    debug->ends = debug->has_moved = false;
    (void)exchange(rn);
    why = rn->current < rn->n_steps ? ts_debugger_stops(d, rn->current, failed != NULL)
                                    : TS_DEBUG_GOES_ON;
    if (why != TS_DEBUG_GOES_ON && !debug->ends && !report_is_over(rn->report))
        stand(rn, why, failed);
    if (report_is_over(rn->report))
        return RUNNER_E_OVER;
    *ret_has_moved = debug->has_moved;
    if (!debug->ends)
        return 0;
    runner_remember_failure(
        rn, "SLW-0418", "the debugger has ended the task sequence, as somebody at the site wanted");
    rn->state->result = STATE_FAILED;
    return RUNNER_E_FAILED;
}
