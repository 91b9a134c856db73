/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/own.h"
#include "cli/deployment_terms.h"
#include "cli/due.h"
#include "cli/patience.h"
#include "cli/session.h"
#include "cli/watch.h"
#include "plat/clock.h"

enum {
    PATH_MAX_BYTES = 1024,
    DUE_MAX_BYTES = 256,
    POLL_US = 1000 * 1000,
    WIDTH_USUAL = 80,
    HEIGHT_USUAL = 24,
    PAUSE_MAX_S = 365 * 24 * 3600,
};

static const struct output_column fields[] = {
    {"ID", "id", OUTPUT_TEXT},
    {"Task sequence", "task_sequence_name", OUTPUT_TEXT},
    {"Its ID", "task_sequence_id", OUTPUT_TEXT},
    {"Collection", "collection_name", OUTPUT_TEXT},
    {"Purpose", "purpose", OUTPUT_TEXT},
    {"Content", "content_option", OUTPUT_TEXT},
    {"To be debugged", "is_debug", OUTPUT_TEXT},
    {"Made available to", "make_available_to", OUTPUT_TEXT},
    {"Available from (site's clock)", "available_from", OUTPUT_TEXT},
    {"Expires (site's clock)", "expires", OUTPUT_TEXT},
    {"Due (site's clock)", "due", OUTPUT_TEXT},
    {"Rerun", "rerun", OUTPUT_TEXT},
    {"Priority", "priority", OUTPUT_TEXT},
    {"Lost contact after (s)", "lost_contact_s", OUTPUT_TEXT},
    {"Alert below (%)", "alert_success_percent", OUTPUT_TEXT},
    {"Alert after (s)", "alert_after_s", OUTPUT_TEXT},
    {"Runs outside windows", "is_run_outside_windows", OUTPUT_TEXT},
    {"Restarts outside windows", "is_restart_outside_windows", OUTPUT_TEXT},
    {"May take (min)", "max_run_min", OUTPUT_TEXT},
    {"Wakes devices", "is_wake_on_lan", OUTPUT_TEXT},
    {"Shows progress", "is_progress_shown", OUTPUT_TEXT},
    {"Uses neighbour groups", "is_neighbour_allowed", OUTPUT_TEXT},
    {"Uses the default group", "is_default_group_allowed", OUTPUT_TEXT},
    {"Available over (days)", "available_over_days", OUTPUT_TEXT},
    {"Disabled", "is_disabled", OUTPUT_TEXT},
    {"Held", "is_held", OUTPUT_TEXT},
    {"May begin on (devices)", "confirmed_devices", OUTPUT_TEXT},
    {"Not confirmed", "is_not_confirmed", OUTPUT_TEXT},
    {"Comment", "comment", OUTPUT_TEXT},
    {"Cancelled", "is_cancelled", OUTPUT_TEXT},
    {"Created (UTC)", "created_at", OUTPUT_TIME},
    {"Devices", "counts.total", OUTPUT_TEXT},
    {"Waiting", "counts.waiting", OUTPUT_TEXT},
    {"In progress", "counts.in_progress", OUTPUT_TEXT},
    {"Restarting", "counts.restarting", OUTPUT_TEXT},
    {"Paused", "counts.paused", OUTPUT_TEXT},
    {"Succeeded", "counts.succeeded", OUTPUT_TEXT},
    {"Failed", "counts.failed", OUTPUT_TEXT},
    {"Cancelled there", "counts.cancelled", OUTPUT_TEXT},
    {0},
};

/* For people, what it is due at is one line more. */
static bool print_terms(struct session *s, json_t *deployment)
{
    OWN(session_json_freep) json_t *shown = NULL;
    json_t *due = json_array();
    const json_t *assignments = json_object_get(deployment, "assignments");

    for (size_t i = 0; i < json_array_size(assignments); i++) {
        OWN(buf_fini) struct buf line = BUF_INIT(DUE_MAX_BYTES);

        due_put(json_array_get(assignments, i), &line);
        (void)json_array_append_new(due, json_string(buf_str(&line)));
    }
    shown = s->format == ARGS_FORMAT_TABLE ? json_copy(deployment) : json_incref(deployment);
    if (s->format != ARGS_FORMAT_TABLE)
        json_decref(due);
    else
        (void)json_object_set_new(shown, "due", due);
    return session_print_fields(s, shown, fields);
}

bool deployment_create(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *deployment = NULL;
    const char *purpose = args_get(args, "purpose");
    const char *content = args_get(args, "content-option");
    json_t *body;

    if (!session_open(s))
        return false;
    body = json_pack("{s:s, s:s, s:s, s:s, s:b}",
                     "task_sequence_id",
                     args_get(args, "task-sequence"),
                     "collection",
                     args_get(args, "collection"),
                     "purpose",
                     purpose ? purpose : "required",
                     "content_option",
                     content ? content : "stream",
                     "is_debug",
                     (int)(args_get(args, "debug") != NULL));
    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "a name is not UTF-8");
    if (!deployment_terms_put(s, args, body) || !deployment_put_confirmation(s, args, body)) {
        json_decref(body);
        return false;
    }
    return session_call(s, "POST", "/deployments", body, &deployment) && print_terms(s, deployment);
}

bool deployment_list(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"TASK SEQUENCE", "task_sequence_name", OUTPUT_TEXT},
        {"COLLECTION", "collection_name", OUTPUT_TEXT},
        {"PURPOSE", "purpose", OUTPUT_TEXT},
        {"DEVICES", "counts.total", OUTPUT_TEXT},
        {"WAITING", "counts.waiting", OUTPUT_TEXT},
        {"RUNNING", "counts.in_progress", OUTPUT_TEXT},
        {"RESTARTING", "counts.restarting", OUTPUT_TEXT},
        {"PAUSED", "counts.paused", OUTPUT_TEXT},
        {"SUCCEEDED", "counts.succeeded", OUTPUT_TEXT},
        {"FAILED", "counts.failed", OUTPUT_TEXT},
        {"CANCELLED", "counts.cancelled", OUTPUT_TEXT},
        {0},
    };

    (void)args;
    return session_show_list(s, "/deployments", columns);
}

static bool print_phases(struct session *s, const json_t *deployment)
{
    static const struct output_column columns[] = {
        {"STEP", "step", OUTPUT_STEP},
        {"NAME", "name", OUTPUT_TEXT},
        {"STATE", "state", OUTPUT_TEXT},
        {"TIME", "duration_ms", OUTPUT_SPAN},
        {0},
    };
    const json_t *devices = output_at(deployment, "devices");
    bool is_printed = true;

    for (size_t i = 0; is_printed && i < json_array_size(devices); i++) {
        const json_t *device = json_array_get(devices, i);
        OWN(buf_fini) struct buf heading = BUF_INIT(PATH_MAX_BYTES);

        buf_adds(&heading, "Steps of ");
        output_put_cell(&heading, device, &(struct output_column){"", "device_name", OUTPUT_TEXT});
        is_printed = session_print_part(s, buf_str(&heading), output_at(device, "phases"), columns);
    }
    return is_printed;
}

static bool print_deployment(struct session *s, json_t *deployment)
{
    static const struct output_column devices[] = {
        {"DEVICE", "device_name", OUTPUT_TEXT},
        {"MAC", "mac", OUTPUT_TEXT},
        {"STATE", "state", OUTPUT_TEXT},
        {"WANTED", "wish", OUTPUT_TEXT},
        {"OF ALL", "position", OUTPUT_TEXT},
        {"GROUP", "step_group", OUTPUT_TEXT},
        {"STEP", "step_name", OUTPUT_TEXT},
        {"%", "percent", OUTPUT_TEXT},
        {"RATE", "rate_bytes_per_s", OUTPUT_BYTES},
        {"ACTIVITY", "activity", OUTPUT_TEXT},
        {"NETWORK", "downloaded_bytes", OUTPUT_BYTES},
        {"OLD DISK", "reused_bytes", OUTPUT_BYTES},
        {"STARTED (UTC)", "started_at", OUTPUT_TIME},
        {"FINISHED (UTC)", "finished_at", OUTPUT_TIME},
        {"ERROR", "error_id", OUTPUT_TEXT},
        {"CAUSE", "cause", OUTPUT_TEXT},
        {0},
    };

    return print_terms(s, deployment) &&
           session_print_part(s, "Devices", output_at(deployment, "devices"), devices) &&
           print_phases(s, deployment);
}

static struct watch_view view_now(const struct session *s)
{
    struct winsize size = {0};
    struct watch_view view = {
        .width = WIDTH_USUAL,
        .height = HEIGHT_USUAL,
        .has_colour = s->has_colour,
        .now_us = clock_wall_us(),
    };

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
        view.width = size.ws_col;
        view.height = size.ws_row;
    }
    return view;
}

/* What is drawn and what was drawn before. */
struct watching {
    json_t *last; /* owned */
    unsigned n_lines;
};

static void watching_fini(struct watching *w)
{
    json_decref(w->last);
}

/* @now may be NULL: no answer this time; the old state is drawn again, its clocks go on. */
static bool redraw(struct session *s, struct watching *w)
{
    OWN(buf_fini) struct buf text = BUF_INIT(OUTPUT_MAX_BYTES);
    const struct watch_view view = view_now(s);

    if (w->n_lines > 0)
        buf_addf(&text, "\x1b[%uA\r\x1b[J", w->n_lines);
    w->n_lines = watch_put_screen(&text, w->last, &view);
    return session_write(s, &text);
}

static bool print_changes(struct session *s, const json_t *before, const json_t *now)
{
    OWN(buf_fini) struct buf text = BUF_INIT(OUTPUT_MAX_BYTES);

    watch_put_changes(&text, before, now, clock_wall_us());
    return session_write(s, &text);
}

static bool show_round(struct session *s, struct watching *w, json_t *now)
{
    OWN(session_json_freep) json_t *before = NULL;

    if (now) {
        before = TAKE(w->last);
        w->last = json_incref(now);
    }
    if (!w->last || s->format != ARGS_FORMAT_TABLE)
        return true;
    if (s->has_cursor)
        return redraw(s, w);
    return !now || print_changes(s, before, now);
}

static bool finish(struct session *s, struct watching *w)
{
    OWN(buf_fini) struct buf text = BUF_INIT(OUTPUT_MAX_BYTES);

    if (watch_result(w->last) == WATCH_PARTIAL)
        s->exit_code = ARGS_EXIT_PARTIAL;
    if (s->format != ARGS_FORMAT_TABLE)
        return print_terms(s, w->last);
    watch_put_summary(&text, w->last);
    return session_write(s, &text);
}

static bool watch(struct session *s, const char *path)
{
    OWN(watching_fini) struct watching w = {0};
    struct patience patience = {0};

    for (;;) {
        OWN(session_json_freep) json_t *now = NULL;

        if (!patience_get(&patience, s, path, &now) || !show_round(s, &w, now))
            return false;
        if (w.last && watch_result(w.last) != WATCH_GOING)
            return finish(s, &w);
        clock_sleep_us(POLL_US);
    }
}

bool deployment_show(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *deployment = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    buf_adds(&path, "/deployments/");
    session_escape(&path, args->operands[0]);
    if (!session_open(s))
        return false;
    if (args_get(args, "watch"))
        return watch(s, buf_str(&path));
    return session_get(s, &deployment, "%s", buf_str(&path)) && print_deployment(s, deployment);
}

/* @what of the deployment, or on one device if one is named; @body: taken over. */
static bool change(struct session *s, const struct args *args, const char *what, json_t *body)
{
    OWN(session_json_freep) json_t *owned = body;
    OWN(session_json_freep) json_t *deployment = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    const char *device = args_get(args, "device");

    buf_adds(&path, "/deployments/");
    session_escape(&path, args->operands[0]);
    if (device) {
        buf_adds(&path, "/devices/");
        session_escape(&path, device);
    }
    buf_addf(&path, "/%s", what);
    return session_open(s) && session_call(s, "POST", buf_str(&path), TAKE(owned), &deployment) &&
           print_terms(s, deployment);
}

bool deployment_cancel(struct session *s, const struct args *args)
{
    return change(s, args, "cancellation", NULL);
}

bool deployment_pause(struct session *s, const struct args *args)
{
    const char *time = args_get(args, "time");
    uint64_t seconds = 0;

    if (time && !bytes_parse_u64(bytes_of(time), 1, PAUSE_MAX_S, &seconds))
        return session_fail(
            s, ARGS_EXIT_USAGE, NULL, "--time must be seconds, from 1 to %d", (int)PAUSE_MAX_S);
    return change(s,
                  args,
                  "pause",
                  time ? json_pack("{s:I}", "timeout_s", (json_int_t)seconds) : json_object());
}

bool deployment_resume(struct session *s, const struct args *args)
{
    return change(s, args, "resumption", NULL);
}
