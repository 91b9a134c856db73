/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/own.h"
#include "cli/follow.h"
#include "cli/output_columns.h"
#include "plat/clock.h"

enum {
    LINE_MAX_BYTES = 16 * 1024,
    US_PER_S = 1000 * 1000,
};

struct printing {
    struct session *s;
    uint64_t left;   /* events that are still wanted; 0: no limit */
    uint64_t end_us; /* monotonic; 0: none */
    bool is_failed;
};

static const struct output_column csv_columns[] = {
    {"TIME", "time", OUTPUT_TEXT},
    {"NUMBER", "event_id", OUTPUT_TEXT},
    {"EVENT", "event", OUTPUT_TEXT},
    {"ID", "id", OUTPUT_TEXT},
    {"CHANGE", "change", OUTPUT_TEXT},
    {"ACTION", "action", OUTPUT_TEXT},
    {"DEVICE", "device_id", OUTPUT_TEXT},
    {0},
};

static void put_safe(struct buf *dst, const char *text)
{
    output_put_safe(dst, text, strlen(text));
}

/* 2026-03-01T09:30:00.123456Z 4712 collection SLP10005 collection.change */
static void put_line(struct buf *dst, const struct sse_event *event, const json_t *data)
{
    static const char *const members[] = {"kind", "id", "action", "device_id"};

    put_safe(dst, output_text(data, "time"));
    buf_adds(dst, " ");
    put_safe(dst, event->id);
    if (strcmp(event->name, "reset") == 0) {
        buf_adds(dst, " reset: look at everything again (");
        put_safe(dst, output_text(data, "reason"));
        buf_adds(dst, ")");
    }
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const char *text = output_text(data, members[i]);

        if (!text[0])
            continue;
        buf_adds(dst, " ");
        put_safe(dst, text);
    }
    buf_adds(dst, "\n");
}

/* As a program reads them: one object a line, or one document each; or a line of the columns, or of the id. */
static bool
put_value(struct buf *dst, const struct sse_event *event, json_t *data, enum args_format format)
{
    OWN(session_json_freep) json_t *row = NULL;
    OWN(freep) char *text = NULL;

    (void)json_object_set_new(data, "event", json_string(event->name));
    (void)json_object_set_new(data, "event_id", json_string(event->id));
    if (format == ARGS_FORMAT_CSV) {
        output_put_csv_row(dst, data, csv_columns);
        return true;
    }
    if (format == ARGS_FORMAT_NAME) {
        row = json_pack("[O]", data);
        output_put_names(dst, row, NULL);
        return row != NULL;
    }
    if (format == ARGS_FORMAT_YAML) {
        buf_adds(dst, "---\n");
        return output_put_value(dst, data, format, false) == 0;
    }
    text = json_dumps(data, JSON_COMPACT);
    if (!text)
        return false;
    buf_addf(dst, "%s\n", text);
    return true;
}

static bool on_event(void *ctx, const struct sse_event *event)
{
    struct printing *p = ctx;
    OWN(session_json_freep) json_t *data = json_loads(event->data, JSON_REJECT_DUPLICATES, NULL);
    OWN(buf_fini) struct buf line = BUF_INIT(LINE_MAX_BYTES);

    if (!json_is_object(data)) {
        p->is_failed = !session_no_answer(p->s, -EBADMSG);
        return false;
    }
    if (p->s->format == ARGS_FORMAT_TABLE)
        put_line(&line, event, data);
    else if (!put_value(&line, event, data, p->s->format))
        return !(p->is_failed = !session_fail_errno(p->s, "an event", -ENOMEM));
    p->is_failed = !session_write(p->s, &line);
    return !p->is_failed && (p->left == 0 || --p->left > 0);
}

static bool on_second(void *ctx, bool is_begun)
{
    const struct printing *p = ctx;

    (void)is_begun;
    return p->end_us == 0 || clock_monotonic_us() < p->end_us;
}

/* @ret: unchanged if the option was not given */
static bool read_number(
    struct session *s, const struct args *args, const char *option, uint64_t max, uint64_t *ret)
{
    const char *text = args_get(args, option);

    if (!text || bytes_parse_u64(bytes_of(text), 1, max, ret))
        return true;
    return session_fail(s,
                        ARGS_EXIT_USAGE,
                        NULL,
                        "--%s wants a number from 1 to %" PRIu64 ", not \"%s\"",
                        option,
                        max,
                        text);
}

bool events_print(struct session *s, const struct args *args)
{
    struct printing p = {.s = s};
    const struct follow_options options = {
        .topics = args_get(args, "topics"),
        .since = args_get(args, "since"),
        .take = on_event,
        .idle = on_second,
        .ctx = &p,
    };
    OWN(buf_fini) struct buf head = BUF_INIT(LINE_MAX_BYTES);
    uint64_t seconds = 0;

    if (!read_number(s, args, "count", 1000000, &p.left) ||
        !read_number(s, args, "seconds", UINT64_C(366) * 24 * 3600, &seconds) || !session_open(s))
        return false;
    if (s->format == ARGS_FORMAT_CSV)
        output_put_csv_head(&head, csv_columns);
    if (!session_write(s, &head))
        return false;
    if (seconds > 0)
        p.end_us = clock_monotonic_us() + seconds * US_PER_S;
    return follow_events(s, &options) && !p.is_failed;
}
