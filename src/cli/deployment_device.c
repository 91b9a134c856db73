/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A deployment on one device: its state and its log
 */

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "cli/commands.h"
#include "cli/debug.h"
#include "cli/session.h"
#include "cli/watch.h"
#include "plat/clock.h"

enum {
    PATH_MAX_BYTES = 1024,
    POLL_US = 500 * 1000,
    PATIENCE_US = 10 * 1000 * 1000,
};

static void put_path(const struct args *args, const char *what, struct buf *ret)
{
    buf_adds(ret, "/deployments/");
    session_escape(ret, args->operands[0]);
    buf_adds(ret, "/devices/");
    session_escape(ret, args_get(args, "device"));
    buf_addf(ret, "/%s", what);
}

/* As rows: the site keeps them as members of an object, secret ones in a list. */
static json_t *variables_of(const json_t *state)
{
    json_t *rows = json_array();
    json_t *variables = json_object_get(state, "variables");
    const json_t *secrets = json_object_get(state, "secrets");
    const char *name;
    json_t *value;

    json_object_foreach(variables, name, value)
    {
        (void)json_array_append_new(rows, json_pack("{s:s, s:O}", "name", name, "value", value));
    }
    for (size_t i = 0; i < json_array_size(secrets); i++)
        (void)json_array_append_new(
            rows, json_pack("{s:O, s:s}", "name", json_array_get(secrets, i), "value", "***"));
    return rows;
}

bool deployment_state(struct session *s, const struct args *args)
{
    static const struct output_column fields[] = {
        {"Told (UTC)", "received_at", OUTPUT_TIME},
        {"Environment", "state.phase", OUTPUT_TEXT},
        {"Step", "state.next.step", OUTPUT_STEP},
        {"Steps", "state.n_steps", OUTPUT_TEXT},
        {"Name", "state.step_name", OUTPUT_TEXT},
        {"Runs", "state.next.is_running", OUTPUT_TEXT},
        {"Begun", "state.next.n_starts", OUTPUT_TEXT},
        {"Volume", "state.volume", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column columns[] = {
        {"VARIABLE", "name", OUTPUT_TEXT},
        {"VALUE", "value", OUTPUT_TEXT},
        {0},
    };
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(session_json_freep) json_t *state = NULL;
    OWN(session_json_freep) json_t *variables = NULL;

    put_path(args, "state", &path);
    if (!session_open(s) || !session_get(s, &state, "%s", buf_str(&path)))
        return false;
    variables = variables_of(json_object_get(state, "state"));
    return session_print_fields(s, state, fields) &&
           session_print_part(s, "Variables", variables, columns);
}

static bool print_log(struct session *s, const json_t *log)
{
    const char *text = output_text(log, "text");

    if (text[0] == '\0')
        return session_fail(s, ARGS_EXIT_NOT_FOUND, NULL, "the device has sent no log yet");
    return fputs(text, stdout) >= 0 && fflush(stdout) == 0;
}

bool device_log_print(struct session *s, const char *path, bool is_kept)
{
    OWN(session_json_freep) json_t *asked = NULL;
    uint64_t since_us = clock_monotonic_us();
    bool is_told = false;

    if (!is_kept && !session_call(s, "POST", path, NULL, &asked))
        return false;
    for (;;) {
        OWN(session_json_freep) json_t *log = NULL;

        if (!session_get(s, &log, "%s", path))
            return false;
        if (!asked || !json_is_true(json_object_get(log, "is_wanted")))
            return print_log(s, log);
        if (!is_told && clock_monotonic_us() - since_us > PATIENCE_US) {
            is_told = true;
            (void)fputs("slipway: waiting for the device; --kept prints what it has sent before\n",
                        stderr);
        }
        clock_sleep_us(POLL_US);
    }
}

bool deployment_log(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(args, "log", &path);
    return session_open(s) && device_log_print(s, buf_str(&path), args_get(args, "kept") != NULL);
}

bool deployment_steps(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"STEP", "step", OUTPUT_STEP},
        {"GROUP", "step_group", OUTPUT_TEXT},
        {"NAME", "step_name", OUTPUT_TEXT},
        {"STATE", "state", OUTPUT_TEXT},
        {"CODE", "exit_code", OUTPUT_CODE},
        {"ERROR", "error_id", OUTPUT_TEXT},
        {"TIME", "duration_ms", OUTPUT_SPAN},
        {"OUTPUT", "output", OUTPUT_TEXT},
        {0},
    };
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(session_json_freep) json_t *list = NULL;

    put_path(args, "steps", &path);
    return session_open(s) && session_get(s, &list, "%s?limit=1000", buf_str(&path)) &&
           session_print_list(s, json_object_get(list, "items"), columns);
}

static bool print_categories(struct session *s, const char *id)
{
    static const struct output_column fields[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"Task sequence", "task_sequence_name", OUTPUT_TEXT},
        {"Collection", "collection_name", OUTPUT_TEXT},
        {"Devices", "counts.total", OUTPUT_TEXT},
        {"Success", "categories.success", OUTPUT_TEXT},
        {"In progress", "categories.in_progress", OUTPUT_TEXT},
        {"Error", "categories.error", OUTPUT_TEXT},
        {"Requirements not met", "categories.requirements_not_met", OUTPUT_TEXT},
        {"Unknown", "categories.unknown", OUTPUT_TEXT},
        {0},
    };
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(session_json_freep) json_t *deployment = NULL;

    session_escape(&path, id);
    return session_get(s, &deployment, "/deployments/%s", buf_str(&path)) &&
           session_print_fields(s, deployment, fields);
}

bool deployment_is_over(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(session_json_freep) json_t *deployment = NULL;

    buf_adds(&path, "/deployments/");
    session_escape(&path, args->operands[0]);
    return !session_get(s, &deployment, "%s", buf_str(&path)) ||
           watch_result(deployment) != WATCH_GOING;
}

bool deployment_status(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"DEVICE", "device_name", OUTPUT_TEXT},
        {"CATEGORY", "category", OUTPUT_TEXT},
        {"STATE", "state", OUTPUT_TEXT},
        {"OF ALL", "position", OUTPUT_TEXT},
        {"GROUP", "step_group", OUTPUT_TEXT},
        {"LAST STEP", "step_name", OUTPUT_TEXT},
        {"%", "percent", OUTPUT_TEXT},
        {"RATE", "rate_bytes_per_s", OUTPUT_BYTES},
        {"ACTIVITY", "activity", OUTPUT_TEXT},
        {"EXIT CODE", "exit_code", OUTPUT_TEXT},
        {"ERROR", "error_id", OUTPUT_TEXT},
        {"REASON", "cause", OUTPUT_TEXT},
        {"LAST STATUS (UTC)", "last_status_at", OUTPUT_TIME},
        {0},
    };
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(session_json_freep) json_t *rows = NULL;
    const char *category = args_get(args, "category");

    buf_adds(&path, "/deployments/");
    session_escape(&path, args->operands[0]);
    buf_adds(&path, "/devices");
    if (category)
        buf_addf(&path, "?category=%s", category);
    if (!session_open(s) ||
        (s->format == ARGS_FORMAT_TABLE && !print_categories(s, args->operands[0])))
        return false;
    if (s->format != ARGS_FORMAT_TABLE)
        return session_show_list(s, buf_str(&path), columns);
    return session_list(s, buf_str(&path), &rows) &&
           session_print_part(s, "Devices", rows, columns);
}
