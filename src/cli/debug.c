/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/debug.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/own.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/session.h"
#include "plat/clock.h"

enum {
    PATH_MAX_BYTES = 1024,
    POLL_US = 300 * 1000,
    PATIENCE_US = 5 * 1000 * 1000,
};

static void debugging_fini(struct debugging *d)
{
    json_decref(d->place);
    json_decref(d->answer);
}

/* The rest of a long list belongs to what came before. */
static void take_answer(struct debugging *d, const json_t *body)
{
    static const char *const lists[] = {"variables", "steps"};

    if ((uint64_t)json_integer_value(json_object_get(body, "of")) != d->number)
        return;
    if (!d->answer) {
        d->answer = json_deep_copy(body);
        return;
    }
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        json_t *more = json_deep_copy(json_object_get(body, lists[i]));

        if (more)
            (void)json_array_extend(json_object_get(d->answer, lists[i]), more);
        json_decref(more);
    }
    (void)json_object_set(d->answer, "is_more", json_object_get(body, "is_more"));
}

static void take_event(struct debugging *d, const json_t *body)
{
    const char *event = output_text(body, "event");

    if (strcmp(event, "stopped") == 0) {
        d->is_stopped = true;
        json_decref(d->place);
        d->place = json_deep_copy(body);
    } else if (strcmp(event, "running") == 0) {
        d->is_stopped = false;
    } else if (strcmp(event, "shell-closed") == 0) {
        d->is_shell_over = true;
    } else if (strcmp(event, "shell-output") == 0) {
        OWN(buf_fini) struct buf text = BUF_INIT(OUTPUT_MAX_BYTES);

        if (base64_parse(bytes_of(output_text(body, "data")), &text) && text.len > 0 &&
            isatty(STDOUT_FILENO))
            (void)!write(STDOUT_FILENO, text.ptr, text.len);
    }
}

bool debug_exchange(struct debugging *d, json_t *message)
{
    OWN(session_json_freep) json_t *reply = NULL;
    json_t *messages = json_array();
    const json_t *got;

    if (message) {
        uint64_t now = clock_wall_us();

        d->number = d->number < now ? now : d->number + 1;
        (void)json_object_set_new(message, "number", json_integer((json_int_t)d->number));
        (void)json_array_append_new(messages, message);
    }
    if (!session_call(d->s,
                      "POST",
                      d->path,
                      json_pack("{s:I, s:o}", "after", d->after, "messages", messages),
                      &reply))
        return false;
    d->is_over = json_is_true(json_object_get(reply, "is_over"));
    got = json_object_get(reply, "messages");
    for (size_t i = 0; i < json_array_size(got); i++) {
        const json_t *item = json_array_get(got, i);
        const json_t *body = json_object_get(item, "body");

        d->after = json_integer_value(json_object_get(item, "id"));
        if (json_object_get(body, "of"))
            take_answer(d, body);
        else
            take_event(d, body);
    }
    return true;
}

/* Somebody who looks on is told once what is waited for. */
static bool wait_a_little(struct debugging *d, uint64_t since_us)
{
    if (clock_monotonic_us() - since_us > PATIENCE_US && d->told_us < since_us) {
        d->told_us = clock_monotonic_us();
        (void)fputs("slipway: waiting for the device\n", stderr);
    }
    clock_sleep_us(POLL_US);
    return debug_exchange(d, NULL);
}

static bool wait_stopped(struct debugging *d)
{
    uint64_t since_us = clock_monotonic_us();

    while (!d->is_stopped && !d->is_over)
        if (!wait_a_little(d, since_us))
            return false;
    return true;
}

static bool has_answer(const struct debugging *d)
{
    return d->answer && !json_is_true(json_object_get(d->answer, "is_more"));
}

static bool send_and_wait(struct debugging *d, json_t *message)
{
    uint64_t since_us = clock_monotonic_us();

    json_decref(d->answer);
    d->answer = NULL;
    if (!debug_exchange(d, message))
        return false;
    while (!has_answer(d) && !d->is_over)
        if (!wait_a_little(d, since_us))
            return false;
    return true;
}

static bool print(struct debugging *d, const json_t *value, bool is_place)
{
    OWN(buf_fini) struct buf text = BUF_INIT(OUTPUT_MAX_BYTES);

    if (d->s->format == ARGS_FORMAT_TABLE) {
        if (is_place)
            debug_put_place(&text, value);
        else
            debug_put_answer(&text, value);
    } else {
        OWN(freep) char *line = json_dumps(value, JSON_COMPACT);

        buf_addf(&text, "%s\n", line ? line : "{}");
    }
    return session_write(d->s, &text);
}

static bool is_command(const json_t *message, const char *name)
{
    return strcmp(output_text(message, "command"), name) == 0;
}

static bool is_leaving(const json_t *message)
{
    return is_command(message, "step") || is_command(message, "continue") ||
           is_command(message, "run-to");
}

static bool tell_over(struct debugging *d)
{
    OWN(buf_fini) struct buf text = BUF_INIT(PATH_MAX_BYTES);

    if (d->s->format == ARGS_FORMAT_TABLE)
        buf_adds(&text, "The task sequence is over.\n");
    else
        buf_adds(&text, "{\"event\":\"over\"}\n");
    return session_write(d->s, &text);
}

/* @message: taken over */
static bool run_message(struct debugging *d, json_t *message)
{
    OWN(session_json_freep) json_t *kept = json_incref(message);
    bool is_leave;

    if (!is_command(kept, "stop") && !wait_stopped(d)) {
        json_decref(message);
        return false;
    }
    if (is_command(kept, "stop"))
        (void)json_object_set_new(message, "command", json_string("step"));
    is_leave = is_leaving(message);
    if (is_leave) /* before it is sent: where it stops next may come with the answer */
        d->is_stopped = false;
    if (!send_and_wait(d, message))
        return false;
    if (!d->answer)
        return tell_over(d);
    if (!json_is_true(json_object_get(d->answer, "is_ok"))) {
        d->is_stopped = d->is_stopped || d->place;
        return session_fail(d->s, ARGS_EXIT_FAILURE, NULL, "%s", output_text(d->answer, "message"));
    }
    if (is_leave)
        return wait_stopped(d) && (d->is_stopped ? print(d, d->place, true) : tell_over(d));
    return print(d, d->answer, false);
}

static bool run_line(struct debugging *d, const char *line)
{
    OWN(buf_fini) struct buf why = BUF_INIT(PATH_MAX_BYTES);
    json_t *message;

    line += strspn(line, " \t");
    if (line[0] == '\0' || line[0] == '#')
        return true;
    if (strcmp(line, "wait") == 0)
        return wait_stopped(d) && (d->is_stopped ? print(d, d->place, true) : tell_over(d));
    if (strcmp(line, "log") == 0)
        return device_log_print(d->s, d->log_path, false);
    message = debug_parse_line(line, &why);
    if (!message)
        return session_fail(d->s, ARGS_EXIT_USAGE, NULL, "%s", buf_str(&why));
    if (is_command(message, "shell-open")) {
        json_decref(message);
        return wait_stopped(d) && debug_run_shell(d);
    }
    return run_message(d, message);
}

/* Lines of standard input; on a terminal one that fails does not end it. */
static bool run_input(struct debugging *d)
{
    OWN(freep) char *line = NULL;
    size_t cap = 0;
    bool is_terminal = isatty(STDIN_FILENO) == 1;

    if (is_terminal && d->is_stopped && !print(d, d->place, true))
        return false;
    while (!d->is_over) {
        ssize_t n;

        if (is_terminal)
            (void)fputs("(debug) ", stderr);
        n = getline(&line, &cap, stdin);
        if (n < 0)
            break;
        if (n > 0 && line[n - 1] == '\n')
            line[n - 1] = '\0';
        if (!run_line(d, line) && !is_terminal)
            return false;
        if (strcmp(line, "quit") == 0)
            break;
    }
    return true;
}

static bool run_all(struct debugging *d, const struct args *args)
{
    json_int_t before;

    do { /* what was said before, to know where it stands */
        before = d->after;
        if (!debug_exchange(d, NULL))
            return false;
    } while (d->after != before);
    if (d->is_over)
        return tell_over(d);
    if (args->n_repeated == 0)
        return run_input(d);
    for (size_t i = 0; i < args->n_repeated && !d->is_over; i++)
        if (!run_line(d, args->repeated[i]))
            return false;
    return true;
}

bool deployment_debug(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf enable = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf log = BUF_INIT(PATH_MAX_BYTES);
    OWN(debugging_fini) struct debugging d = {.s = s};

    buf_adds(&path, "/deployments/");
    session_escape(&path, args->operands[0]);
    buf_adds(&path, "/devices/");
    session_escape(&path, args_get(args, "device"));
    buf_addf(&enable, "%s/debugging", buf_str(&path));
    buf_addf(&log, "%s/log", buf_str(&path));
    buf_adds(&path, "/debug");
    d.path = buf_str(&path);
    d.log_path = buf_str(&log);
    if (!session_wants_value(s) || !session_open(s))
        return false;
    if (args_get(args, "enable") && !session_call(s, "POST", buf_str(&enable), NULL, NULL))
        return false;
    return run_all(&d, args);
}
