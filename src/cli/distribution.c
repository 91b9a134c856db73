/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/distribution.h"

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

static bool post(struct session *s, const struct args *args, const char *what)
{
    OWN(session_json_freep) json_t *status = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args, args_get(args, "dp"), what);
    return session_open(s) && session_call(s, "POST", buf_str(&path), json_object(), &status) &&
           distribution_print(s, status);
}

bool distribution_redistribute(struct session *s, const struct args *args)
{
    return post(s, args, "redistribution");
}

bool distribution_validate(struct session *s, const struct args *args)
{
    return post(s, args, "validation");
}

bool distribution_cancel(struct session *s, const struct args *args)
{
    return post(s, args, "cancellation");
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

bool distribution_history(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"TIME (UTC)", "time", OUTPUT_TIME},
        {"VERSION", "version", OUTPUT_TEXT},
        {"EVENT", "event", OUTPUT_TEXT},
        {"ERROR", "error_id", OUTPUT_TEXT},
        {"MESSAGE", "message", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *history = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args, args_get(args, "dp"), "history");
    return session_open(s) && session_call(s, "GET", buf_str(&path), NULL, &history) &&
           session_print_list(s, output_at(history, "items"), columns);
}
