/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include <errno.h>
#include <string.h>

#include "base/own.h"
#include "cli/output_columns.h"
#include "cli/patience.h"
#include "cli/session.h"
#include "plat/clock.h"

enum {
    PATH_MAX_BYTES = 4096,
    QUERY_MAX_BYTES = 2 * PATH_MAX_BYTES,
    PAGE_ITEMS = 500,
    POLL_US = 1000 * 1000,
};

static const struct output_column log_columns[] = {
    {"TIME", "time", OUTPUT_TIME},
    {"SEVERITY", "severity", OUTPUT_TEXT},
    {"COMPONENT", "component", OUTPUT_TEXT},
    {"MESSAGE", "message", OUTPUT_TEXT},
    {0},
};

static const struct output_column message_columns[] = {
    {"TIME", "time", OUTPUT_TIME},
    {"DEVICE", "device_name", OUTPUT_TEXT},
    {"DEPLOYMENT", "deployment_id", OUTPUT_TEXT},
    {"STATE", "state", OUTPUT_TEXT},
    {"ID", "message_id", OUTPUT_TEXT},
    {"STEP", "step", OUTPUT_STEP},
    {"NAME", "step_name", OUTPUT_TEXT},
    {"ERROR", "error_id", OUTPUT_TEXT},
    {"CODE", "exit_code", OUTPUT_CODE},
    {"MESSAGE", "message", OUTPUT_TEXT},
    {0},
};

static void put_query(struct buf *dst, const char *name, const char *value)
{
    if (!value)
        return;
    buf_addf(dst, "&%s=", name);
    session_escape(dst, value);
}

static void put_path(struct buf *dst, const struct args *args)
{
    if (args_get(args, "smsts")) {
        buf_adds(dst, "/devices/");
        session_escape(dst, args_get(args, "device"));
        buf_addf(dst, "/log?limit=%d", PAGE_ITEMS);
        return;
    }
    buf_addf(dst, "/status-messages?limit=%d", PAGE_ITEMS);
    put_query(dst, "device", args_get(args, "device"));
    put_query(dst, "deployment", args_get(args, "deployment"));
    put_query(dst, "severity", args_get(args, "severity"));
}

/* Lines come one by one: columns of a fixed kind, not of a common width. */
static void put_line(struct buf *dst, const json_t *item, const struct output_column *columns)
{
    const char *gap = "";

    for (const struct output_column *c = columns; c->title; c++) {
        OWN(buf_fini) struct buf cell = BUF_INIT(PATH_MAX_BYTES);

        output_put_cell(&cell, item, c);
        if (cell.len == 0)
            continue;
        buf_addf(dst, "%s%s", gap, buf_str(&cell));
        gap = "  ";
    }
    buf_adds(dst, "\n");
}

/* A JSON value on a line of its own; an item of a YAML list. */
static int put_item(struct session *s, struct buf *dst, json_t *item)
{
    OWN(session_json_freep) json_t *list = NULL;
    OWN(freep) char *text = NULL;

    if (s->format == ARGS_FORMAT_YAML) {
        list = json_pack("[O]", item);
        return list ? output_put_value(dst, list, s->format, false) : -ENOMEM;
    }
    text = json_dumps(item, JSON_COMPACT | (s->is_out_terminal ? JSON_ENSURE_ASCII : 0u));
    buf_addf(dst, "%s\n", text ? text : "");
    return text ? 0 : -ENOMEM;
}

static bool print_page(struct session *s, const json_t *page, const struct output_column *columns)
{
    OWN(buf_fini) struct buf text = BUF_INIT(OUTPUT_MAX_BYTES);
    const json_t *items = output_at(page, "items");
    int r = 0;

    if (s->format == ARGS_FORMAT_NAME)
        output_put_names(&text, items, columns);
    for (size_t i = 0; r == 0 && i < json_array_size(items); i++) {
        json_t *item = json_array_get(items, i);

        if (s->format == ARGS_FORMAT_TABLE)
            put_line(&text, item, columns);
        else if (s->format == ARGS_FORMAT_CSV)
            output_put_csv_row(&text, item, columns);
        else if (s->format != ARGS_FORMAT_NAME)
            r = put_item(s, &text, item);
    }
    if (r < 0)
        return session_fail_errno(s, "the result", r);
    return session_write(s, &text);
}

/* Whether there may be more at once. @cursor: for the next question. */
static bool advance(struct buf *cursor, const json_t *page)
{
    const char *next = output_text(page, "next");

    if (next[0]) {
        buf_clear(cursor);
        buf_adds(cursor, next);
    }
    return json_array_size(output_at(page, "items")) >= PAGE_ITEMS;
}

static bool print_all(struct session *s,
                      const char *path,
                      bool is_following,
                      const struct output_column *columns)
{
    OWN(buf_fini) struct buf cursor = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf head = BUF_INIT(PATH_MAX_BYTES);
    struct patience patience = {0};
    bool has_more = true;

    if (s->format == ARGS_FORMAT_CSV)
        output_put_csv_head(&head, columns);
    if (!session_write(s, &head))
        return false;
    while (has_more || is_following) {
        OWN(session_json_freep) json_t *page = NULL;
        OWN(buf_fini) struct buf full = BUF_INIT(QUERY_MAX_BYTES);

        buf_adds(&full, path);
        put_query(&full, "after", cursor.len > 0 ? buf_str(&cursor) : NULL);
        if (!patience_get(&patience, s, buf_str(&full), &page))
            return false;
        if (page && !print_page(s, page, columns))
            return false;
        if (page)
            has_more = advance(&cursor, page);
        if (!page || (!has_more && is_following))
            clock_sleep_us(POLL_US);
    }
    return true;
}

bool messages_log(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    const bool is_smsts = args_get(args, "smsts");

    if (is_smsts && (!args_get(args, "device") || args_get(args, "deployment")))
        return session_fail(
            s, ARGS_EXIT_USAGE, NULL, "--smsts is the log of one --device, and of no deployment");
    put_path(&path, args);
    return session_open(s) && print_all(s,
                                        buf_str(&path),
                                        args_get(args, "follow") != NULL,
                                        is_smsts ? log_columns : message_columns);
}
