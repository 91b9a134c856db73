/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/when.h"
#include "plat/clock.h"

enum {
    LINE_MAX_BYTES = 2048,
    NAME_CELLS = 16,
    BAR_CELLS = 16,
    STEP_CELLS = 32,
    OTHER_LINES = 4, /* heading, "and n more", summary, cursor */
};

static bool is_state(const json_t *device, const char *state)
{
    return strcmp(output_text(device, "state"), state) == 0;
}

static bool is_done(const json_t *device)
{
    return is_state(device, "succeeded") || is_state(device, "failed") ||
           is_state(device, "cancelled");
}

static bool is_begun(const json_t *device)
{
    return output_u64(device, "n_steps") > 0;
}

static void put_text(struct buf *dst, const json_t *value, const char *key)
{
    const char *text = output_text(value, key);

    output_put_safe(dst, text, strlen(text));
}

/* Bytes of the first @cells characters of UTF-8 text. */
static size_t cells_len(const char *text, unsigned cells)
{
    size_t n = 0;

    while (text[n]) {
        if (((unsigned char)text[n] & 0xc0) != 0x80 && cells-- == 0)
            break;
        n++;
    }
    return n;
}

static unsigned cells_of(const char *text, size_t len)
{
    unsigned cells = 0;

    for (size_t i = 0; i < len; i++)
        cells += ((unsigned char)text[i] & 0xc0) != 0x80;
    return cells;
}

/* Text in a column: cut or filled up. */
static void put_column(struct buf *dst, const char *text, unsigned cells)
{
    size_t len = cells_len(text, cells);

    buf_add(dst, (struct bytes){(const uint8_t *)text, len});
    buf_addf(dst, "%*s  ", (int)(cells - cells_of(text, len)), "");
}

static void put_text_column(struct buf *dst, const json_t *value, const char *key, unsigned cells)
{
    OWN(buf_fini) struct buf safe = BUF_INIT(LINE_MAX_BYTES);

    put_text(&safe, value, key);
    put_column(dst, buf_str(&safe), cells);
}

/* Since its start, until its end. */
static void put_elapsed(struct buf *dst, const json_t *device, uint64_t now_us)
{
    uint64_t start_us;
    uint64_t end_us;

    if (!when_parse(bytes_of(output_text(device, "started_at")), &start_us))
        return;
    if (!when_parse(bytes_of(output_text(device, "finished_at")), &end_us))
        end_us = now_us;
    when_put_span(dst, end_us > start_us ? end_us - start_us : 0);
}

static void put_step_number(struct buf *dst, const json_t *device)
{
    if (is_begun(device))
        buf_addf(dst,
                 "%" PRIu64 "/%" PRIu64,
                 output_step(device, "step"),
                 output_u64(device, "n_steps"));
}

static void put_running(struct buf *dst, const json_t *device)
{
    uint64_t rate = output_u64(device, "rate_bytes_per_s");
    uint64_t percent = output_u64(device, "percent");

    progress_put_bar(dst, percent < 100 ? (unsigned)percent : 100, BAR_CELLS);
    if (rate > 0) {
        buf_adds(dst, "  ");
        when_put_bytes(dst, rate);
        buf_adds(dst, "/s");
    }
    buf_adds(dst, "  ");
}

static void put_cause(struct buf *dst, const json_t *device)
{
    put_text(dst, device, "error_id");
    if (output_text(device, "error_id")[0])
        buf_adds(dst, ": ");
    put_text(dst, device, "cause");
}

static void put_device(struct buf *dst, const json_t *device, const struct watch_view *view)
{
    OWN(buf_fini) struct buf step = BUF_INIT(LINE_MAX_BYTES);

    put_step_number(&step, device);
    put_text_column(dst, device, "device_name", NAME_CELLS);
    put_text_column(dst, device, "state", (unsigned)strlen("in-progress"));
    put_column(dst, buf_str(&step), (unsigned)strlen("99/99"));
    if (!is_begun(device) && !is_done(device))
        return;
    put_text_column(dst, device, "step_name", STEP_CELLS);
    if (is_state(device, "in-progress"))
        put_running(dst, device);
    put_elapsed(dst, device, view->now_us);
    if (is_state(device, "in-progress") && output_text(device, "activity")[0]) {
        buf_adds(dst, "  ");
        put_text(dst, device, "activity");
    }
    if (is_state(device, "failed") || is_state(device, "cancelled")) {
        buf_adds(dst, "  ");
        put_cause(dst, device);
    }
}

static const char *colour_of(const json_t *device)
{
    if (is_state(device, "succeeded"))
        return "\x1b[32m";
    if (is_state(device, "failed"))
        return "\x1b[31m";
    return is_done(device) || is_state(device, "waiting") ? "" : "\x1b[33m";
}

/* One line, never wider than the terminal: a wrapped line would spoil the redrawing. */
static void
put_line(struct buf *dst, const char *text, const char *colour, const struct watch_view *view)
{
    const char *used = view->has_colour ? colour : "";

    buf_adds(dst, used);
    buf_add(dst, (struct bytes){(const uint8_t *)text, cells_len(text, view->width)});
    buf_adds(dst, used[0] ? "\x1b[0m\n" : "\n");
}

static void put_heading(struct buf *dst, const json_t *deployment)
{
    put_text(dst, deployment, "id");
    buf_adds(dst, ": ");
    put_text(dst, deployment, "task_sequence_name");
    buf_adds(dst, " to ");
    put_text(dst, deployment, "collection_name");
    buf_adds(dst, " (");
    put_text(dst, deployment, "purpose");
    buf_adds(dst, ")");
}

static void put_counts(struct buf *dst, const json_t *deployment)
{
    static const char *const counts[][2] = {
        {"counts.failed", "failed"},
        {"counts.cancelled", "cancelled"},
        {"counts.paused", "paused"},
        {"counts.restarting", "restarting"},
        {"counts.in_progress", "in progress"},
        {"counts.waiting", "waiting"},
    };

    if (json_array_size(output_at(deployment, "devices")) == 0) {
        buf_adds(dst, "no device yet");
        return;
    }
    buf_addf(dst,
             "%" PRIu64 " of %zu succeeded",
             output_u64(deployment, "counts.succeeded"),
             json_array_size(output_at(deployment, "devices")));
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        uint64_t n = output_u64(deployment, counts[i][0]);

        if (n > 0)
            buf_addf(dst, ", %" PRIu64 " %s", n, counts[i][1]);
    }
}

static void put_device_line(struct buf *dst, const json_t *device, const struct watch_view *view)
{
    OWN(buf_fini) struct buf line = BUF_INIT(LINE_MAX_BYTES);

    put_device(&line, device, view);
    put_line(dst, buf_str(&line), colour_of(device), view);
}

/* Those that wait are the least interesting: they come last, and are left out first. */
static unsigned put_devices(struct buf *dst, const json_t *devices, const struct watch_view *view)
{
    unsigned room = view->height > OTHER_LINES ? view->height - OTHER_LINES : 1;
    unsigned n = 0;

    for (unsigned pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < json_array_size(devices) && n < room; i++) {
            const json_t *device = json_array_get(devices, i);

            if (is_state(device, "waiting") != (pass == 1))
                continue;
            put_device_line(dst, device, view);
            n++;
        }
    }
    return n;
}

unsigned watch_put_screen(struct buf *dst, const json_t *deployment, const struct watch_view *view)
{
    OWN(buf_fini) struct buf heading = BUF_INIT(LINE_MAX_BYTES);
    OWN(buf_fini) struct buf counts = BUF_INIT(LINE_MAX_BYTES);
    const json_t *devices = output_at(deployment, "devices");
    unsigned n;
    unsigned n_lines = 2;

    put_heading(&heading, deployment);
    put_line(dst, buf_str(&heading), "\x1b[1m", view);
    n = put_devices(dst, devices, view);
    if (n < json_array_size(devices)) {
        buf_addf(dst, "and %zu more\n", json_array_size(devices) - n);
        n_lines++;
    }
    put_counts(&counts, deployment);
    put_line(dst, buf_str(&counts), "", view);
    return n + n_lines;
}

static const json_t *device_find(const json_t *deployment, const char *id)
{
    const json_t *devices = output_at(deployment, "devices");

    for (size_t i = 0; i < json_array_size(devices); i++) {
        const json_t *device = json_array_get(devices, i);

        if (strcmp(output_text(device, "device_id"), id) == 0)
            return device;
    }
    return NULL;
}

static bool is_changed(const json_t *before, const json_t *now)
{
    if (!before)
        return true;
    return strcmp(output_text(before, "state"), output_text(now, "state")) != 0 ||
           strcmp(output_text(before, "step_name"), output_text(now, "step_name")) != 0 ||
           output_u64(before, "step") != output_u64(now, "step") ||
           output_u64(before, "attempt") != output_u64(now, "attempt");
}

/* Of a refresh: what it has saved. */
static void put_traffic(struct buf *dst, const json_t *device)
{
    uint64_t reused = output_u64(device, "reused_bytes");

    if (reused == 0)
        return;
    buf_adds(dst, ", ");
    when_put_bytes(dst, output_u64(device, "downloaded_bytes"));
    buf_adds(dst, " from the network and ");
    when_put_bytes(dst, reused);
    buf_adds(dst, " from the old disk");
}

static void put_change(struct buf *dst, const json_t *device, uint64_t now_us)
{
    char time[CLOCK_TEXT_MAX];

    clock_put_rfc3339(time, now_us);
    buf_addf(dst, "%s ", time);
    put_text(dst, device, "device_name");
    buf_adds(dst, " ");
    put_text(dst, device, "state");
    if (is_begun(device)) {
        buf_adds(dst, " ");
        put_step_number(dst, device);
        buf_adds(dst, " ");
        put_text(dst, device, "step_name");
        buf_adds(dst, " after ");
        put_elapsed(dst, device, now_us);
        put_traffic(dst, device);
    }
    if (is_state(device, "failed") || is_state(device, "cancelled")) {
        buf_adds(dst, " ");
        put_cause(dst, device);
    }
    buf_adds(dst, "\n");
}

void watch_put_changes(struct buf *dst, const json_t *before, const json_t *now, uint64_t now_us)
{
    const json_t *devices = output_at(now, "devices");

    for (size_t i = 0; i < json_array_size(devices); i++) {
        const json_t *device = json_array_get(devices, i);

        if (is_changed(device_find(before, output_text(device, "device_id")), device))
            put_change(dst, device, now_us);
    }
}

void watch_put_summary(struct buf *dst, const json_t *deployment)
{
    const json_t *devices = output_at(deployment, "devices");

    put_counts(dst, deployment);
    buf_adds(dst, "\n");
    for (size_t i = 0; i < json_array_size(devices); i++) {
        const json_t *device = json_array_get(devices, i);

        if (!is_state(device, "failed") && !is_state(device, "cancelled"))
            continue;
        put_text(dst, device, "device_name");
        buf_addf(dst, " %s in step ", is_state(device, "failed") ? "failed" : "was cancelled");
        put_step_number(dst, device);
        buf_adds(dst, " ");
        put_text(dst, device, "step_name");
        buf_adds(dst, ": ");
        put_cause(dst, device);
        buf_adds(dst, "\n");
    }
}

enum watch_result watch_result(const json_t *deployment)
{
    const json_t *devices = output_at(deployment, "devices");
    size_t n_succeeded = 0;

    for (size_t i = 0; i < json_array_size(devices); i++) {
        const json_t *device = json_array_get(devices, i);

        if (!is_done(device))
            return WATCH_GOING;
        n_succeeded += is_state(device, "succeeded");
    }
    if (json_array_size(devices) == 0 && json_is_true(output_at(deployment, "is_cancelled")))
        return WATCH_PARTIAL; /* and none will come */
    if (json_array_size(devices) == 0)
        return WATCH_GOING;
    return n_succeeded == json_array_size(devices) ? WATCH_SUCCEEDED : WATCH_PARTIAL;
}
