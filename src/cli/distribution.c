/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/distribution.h"

#include <string.h>

#include "base/own.h"
#include "cli/commands.h"
#include "cli/names.h"

enum {
    PATH_MAX_BYTES = 2048,
};

bool distribution_print(struct session *s, json_t *status)
{
    static const struct output_column counts[] = {
        {"Targeted", "counts.targeted", OUTPUT_TEXT},
        {"Success", "counts.success", OUTPUT_TEXT},
        {"In progress", "counts.in_progress", OUTPUT_TEXT},
        {"Failed", "counts.failed", OUTPUT_TEXT},
        {"Unknown", "counts.unknown", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column items[] = {
        {"CONTENT", "package_id", OUTPUT_TEXT},
        {"DP", "distribution_point_name", OUTPUT_TEXT},
        {"VERSION", "version", OUTPUT_TEXT},
        {"STATE", "state", OUTPUT_TEXT},
        {"WORK", "work", OUTPUT_TEXT},
        {"%", "percent", OUTPUT_TEXT},
        {"PER SECOND", "rate_bytes_per_s", OUTPUT_BYTES},
        {"ERROR", "error_id", OUTPUT_TEXT},
        {"MESSAGE", "message", OUTPUT_TEXT},
        {"NEXT TRY (UTC)", "next_try_at", OUTPUT_TIME},
        {0},
    };

    return session_print_fields(s, status, counts) &&
           session_print_part(s, "Distribution points", output_at(status, "items"), items);
}

/* "/content/ID/distribution" and perhaps "/DP" and "/what". */
static void put_path(struct buf *dst, const struct args *args, const char *dp, const char *what)
{
    buf_adds(dst, "/content/");
    session_escape(dst, args->operands[0]);
    buf_adds(dst, "/distribution");
    if (dp) {
        buf_adds(dst, "/");
        session_escape(dst, dp);
    }
    if (what)
        buf_addf(dst, "/%s", what);
}

bool distribution_distribute(struct session *s, const struct args *args)
{
    static const char *const targets[][2] = {{"dp", "distribution_points"}, {"group", "groups"}};
    OWN(session_json_freep) json_t *status = NULL;
    OWN(session_json_freep) json_t *body = json_object();
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        const char *names = args_get(args, targets[i][0]);

        if (names)
            (void)json_object_set_new(body, targets[i][1], names_split(names));
    }
    if (json_object_size(body) == 0)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "say where to: --dp or --group is missing");
    put_path(&path, args, NULL, NULL);
    return session_open(s) && session_call(s, "POST", buf_str(&path), json_incref(body), &status) &&
           distribution_print(s, status);
}

bool distribution_status(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *status = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args, NULL, NULL);
    return session_open(s) && session_call(s, "GET", buf_str(&path), NULL, &status) &&
           distribution_print(s, status);
}

/* Those of --dp, or all that have the content; for a cancellation all that are at work. @ret: ["DP00002", …] */
static bool find_targets(
    struct session *s, const struct args *args, bool is_at_work, json_t **ret_status, json_t **ret)
{
    const char *names = args_get(args, "dp");
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    const json_t *items;

    if (names) {
        *ret = names_split(names);
        return true;
    }
    put_path(&path, args, NULL, NULL);
    if (!session_call(s, "GET", buf_str(&path), NULL, ret_status))
        return false;
    *ret = json_array();
    items = output_at(*ret_status, "items");
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);

        if (!is_at_work || output_text(item, "work")[0] != '\0')
            (void)json_array_append_new(*ret,
                                        json_string(output_text(item, "distribution_point_id")));
    }
    return true;
}

/* Every answer is how the content stands everywhere; the last one is shown. */
static bool post(struct session *s, const struct args *args, const char *what, bool is_at_work)
{
    OWN(session_json_freep) json_t *status = NULL;
    OWN(session_json_freep) json_t *targets = NULL;

    if (!session_open(s) || !find_targets(s, args, is_at_work, &status, &targets))
        return false;
    for (size_t i = 0; i < json_array_size(targets); i++) {
        OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

        json_decref(status);
        status = NULL;
        put_path(&path, args, json_string_value(json_array_get(targets, i)), what);
        if (!session_call(s, "POST", buf_str(&path), json_object(), &status)) {
            if (i > 0 && !s->is_dry)
                s->exit_code = ARGS_EXIT_PARTIAL; /* the others do it */
            return false;
        }
    }
    return distribution_print(s, status);
}

bool distribution_redistribute(struct session *s, const struct args *args)
{
    return post(s, args, "redistribution", false);
}

bool distribution_validate(struct session *s, const struct args *args)
{
    return post(s, args, "validation", false);
}

bool distribution_cancel(struct session *s, const struct args *args)
{
    return post(s, args, "cancellation", true);
}

bool distribution_remove(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *status = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    const char *dp = args_get(args, "dp");
    const char *group = args_get(args, "group");

    if ((dp != NULL) == (group != NULL))
        return session_fail(
            s, ARGS_EXIT_USAGE, NULL, "say where from: either --dp or --group is wanted");
    if (dp) {
        put_path(&path, args, dp, NULL);
    } else {
        buf_adds(&path, "/distribution-point-groups/");
        session_escape(&path, group);
        buf_adds(&path, "/content/");
        session_escape(&path, args->operands[0]);
    }
    return session_open(s) && session_call(s, "DELETE", buf_str(&path), NULL, &status) &&
           distribution_print(s, status);
}

/* Where it belongs among those before it, which are in order. */
static void insert_by_time(json_t *all, json_t *event)
{
    size_t at = json_array_size(all);

    while (at > 0 &&
           strcmp(output_text(json_array_get(all, at - 1), "time"), output_text(event, "time")) > 0)
        at--;
    (void)json_array_insert(all, at, event);
}

static bool add_history(struct session *s, const struct args *args, const char *dp, json_t *all)
{
    OWN(session_json_freep) json_t *history = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    const json_t *items;

    put_path(&path, args, dp, "history");
    if (!session_call(s, "GET", buf_str(&path), NULL, &history))
        return false;
    items = output_at(history, "items");
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *event = json_array_get(items, i);

        (void)json_object_set_new(event, "distribution_point", json_string(dp));
        insert_by_time(all, event);
    }
    return true;
}

bool distribution_history(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"TIME (UTC)", "time", OUTPUT_TIME},
        {"DP", "distribution_point", OUTPUT_TEXT},
        {"VERSION", "version", OUTPUT_TEXT},
        {"EVENT", "event", OUTPUT_TEXT},
        {"ERROR", "error_id", OUTPUT_TEXT},
        {"MESSAGE", "message", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *status = NULL;
    OWN(session_json_freep) json_t *targets = NULL;
    OWN(session_json_freep) json_t *all = json_array();

    if (!session_open(s) || !find_targets(s, args, false, &status, &targets))
        return false;
    for (size_t i = 0; i < json_array_size(targets); i++)
        if (!add_history(s, args, json_string_value(json_array_get(targets, i)), all))
            return false;
    return session_print_list(s, all, columns);
}
