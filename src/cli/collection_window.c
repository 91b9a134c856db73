/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Maintenance windows of collections (docs/deployments.md)
 */

#include "cli/commands.h"

#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "cli/due.h"
#include "cli/session.h"

enum {
    PATH_MAX_BYTES = 2048,
    WHY_MAX_BYTES = 512,
    MINUTES_MAX = 24 * 60 - 1,
};

static void put_path(struct buf *path, const struct args *args)
{
    buf_adds(path, "/collections/");
    session_escape(path, args->operands[1]);
    buf_adds(path, "/windows");
}

/* As --start takes it. */
static bool put_text(json_t *item)
{
    OWN(buf_fini) struct buf text = BUF_INIT(WHY_MAX_BYTES);

    due_put(output_at(item, "schedule"), &text);
    return json_object_set_new(item, "when", json_string(buf_str(&text))) == 0;
}

static bool show(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"NAME", "name", OUTPUT_TEXT},
        {"FOR", "applies_to", OUTPUT_TEXT},
        {"WHEN", "when", OUTPUT_TEXT},
        {"MINUTES", "schedule.duration_min", OUTPUT_TEXT},
        {"OPEN", "is_open", OUTPUT_TEXT},
        {"NEXT (UTC)", "next_at", OUTPUT_TIME},
        {0},
    };
    OWN(session_json_freep) json_t *answer = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    json_t *items;

    put_path(&path, args);
    if (!session_call(s, "GET", buf_str(&path), NULL, &answer))
        return false;
    items = json_object_get(answer, "items");
    for (size_t i = 0; i < json_array_size(items); i++)
        (void)put_text(json_array_get(items, i));
    return session_print_list(s, items, columns);
}

/* @ret: what --start and --minutes say; owned by the caller */
static bool read_schedule(struct session *s, const struct args *args, json_t **ret)
{
    OWN(session_json_freep) json_t *schedule = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    const char *start = args_get(args, "start");
    const char *minutes = args_get(args, "minutes");
    uint64_t n = 0;

    if (!start || !minutes)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "say --start and --minutes");
    if (!due_parse(start, &schedule, &why) || !json_is_object(schedule))
        return session_fail(s,
                            ARGS_EXIT_USAGE,
                            NULL,
                            "--start: %s",
                            why.len > 0 ? buf_str(&why) : "a window begins at a time");
    if (!bytes_parse_u64(bytes_of(minutes), 1, MINUTES_MAX, &n))
        return session_fail(
            s, ARGS_EXIT_USAGE, NULL, "--minutes must be a number from 1 to %d", MINUTES_MAX);
    (void)json_object_set_new(schedule, "duration_min", json_integer((json_int_t)n));
    *ret = TAKE(schedule);
    return true;
}

static bool add(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *schedule = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    const char *applies_to = args_get(args, "for");
    json_t *body;

    if (!read_schedule(s, args, &schedule) || !session_open(s))
        return false;
    body = json_pack("{s:s, s:s, s:O}",
                     "name",
                     args_get(args, "name"),
                     "applies_to",
                     applies_to ? applies_to : "all",
                     "schedule",
                     schedule);
    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "the name is not UTF-8");
    put_path(&path, args);
    return session_call(s, "POST", buf_str(&path), body, NULL);
}

static bool remove_one(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args);
    buf_adds(&path, "/");
    session_escape(&path, args_get(args, "name"));
    return session_open(s) && session_call(s, "DELETE", buf_str(&path), NULL, NULL);
}

bool collection_window(struct session *s, const struct args *args)
{
    const char *operation = args->operands[0];
    bool is_add = strcmp(operation, "add") == 0;
    bool is_list = strcmp(operation, "list") == 0;

    if (!is_add && !is_list && strcmp(operation, "remove") != 0)
        return session_fail(s,
                            ARGS_EXIT_USAGE,
                            NULL,
                            "\"%s\" cannot be done with a window; add, list and remove can",
                            operation);
    if (is_list)
        return session_open(s) && show(s, args);
    if (!args_get(args, "name"))
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "%s wants --name", operation);
    return (is_add ? add(s, args) : remove_one(s, args)) && show(s, args);
}
