/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Primary users of devices (docs/user-device-affinity.md)
 */

#include "cli/commands.h"

#include <string.h>

#include "base/own.h"
#include "cli/session.h"
#include "plat/file.h"

enum {
    PATH_MAX_BYTES = 1024,
    FILE_MAX_BYTES = 4 * 1024 * 1024,
};

static const struct output_column users[] = {
    {"USER", "user", OUTPUT_TEXT},
    {"SOURCE", "source", OUTPUT_TEXT},
    {"SINCE (UTC)", "created_at", OUTPUT_TIME},
    {0},
};

/* /devices/DEVICE/@part[/USER][@end] */
static void put_path(
    struct buf *path, const struct args *args, const char *part, bool has_user, const char *end)
{
    buf_adds(path, "/devices/");
    session_escape(path, args->operands[0]);
    buf_adds(path, part);
    if (has_user) {
        buf_adds(path, "/");
        session_escape(path, args->operands[1]);
    }
    buf_adds(path, end);
}

static bool show(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *answer = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args, "/users", false, "");
    return session_call(s, "GET", buf_str(&path), NULL, &answer) &&
           session_print_list(s, output_at(answer, "items"), users);
}

bool affinity_list(struct session *s, const struct args *args)
{
    return session_open(s) && show(s, args);
}

bool affinity_add(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    json_t *body = json_pack("{s:s}", "user", args->operands[1]);

    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "this is not UTF-8");
    put_path(&path, args, "/users", false, "");
    return session_open(s) && session_call(s, "POST", buf_str(&path), body, NULL) && show(s, args);
}

bool affinity_remove(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args, "/users", true, "");
    return session_open(s) && session_call(s, "DELETE", buf_str(&path), NULL, NULL) &&
           show(s, args);
}

bool affinity_requests(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"DEVICE", "device_name", OUTPUT_TEXT},
        {"USER", "user", OUTPUT_TEXT},
        {"DEPLOYMENT", "deployment_id", OUTPUT_TEXT},
        {"SINCE (UTC)", "created_at", OUTPUT_TIME},
        {0},
    };

    (void)args;
    return session_show_list(s, "/user-affinity-requests", columns);
}

static bool decide(struct session *s, const struct args *args, const char *what)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args, "/user-requests", true, what);
    return session_open(s) && session_call(s, "POST", buf_str(&path), json_object(), NULL) &&
           show(s, args);
}

bool affinity_approve(struct session *s, const struct args *args)
{
    return decide(s, args, "/approval");
}

bool affinity_deny(struct session *s, const struct args *args)
{
    return decide(s, args, "/denial");
}

bool affinity_import(struct session *s, const struct args *args)
{
    static const struct output_column result[] = {
        {"Users", "n_users", OUTPUT_TEXT},
        {"Imported", "is_imported", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column columns[] = {
        {"LINE", "line", OUTPUT_TEXT},
        {"ERROR", "error_id", OUTPUT_TEXT},
        {"WHAT IS WRONG", "detail", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *answer = NULL;
    OWN(buf_fini) struct buf csv = BUF_INIT(FILE_MAX_BYTES);
    const char *file = args->operands[0];
    int r = file_read(strcmp(file, "-") == 0 ? "/dev/stdin" : file, &csv);
    json_t *body;

    if (r > 0)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "there is no file \"%s\"", file);
    if (r < 0)
        return session_fail_errno(s, file, r);
    body =
        json_pack("{s:s%,s:b}", "csv", buf_str(&csv), csv.len, "validate_only", (int)args->is_dry);
    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "the file is not UTF-8");
    if (!session_open(s) || !session_call(s, "POST", "/user-affinities:import", body, &answer) ||
        !session_print_fields(s, answer, result) ||
        !session_print_part(s, "Errors", output_at(answer, "errors"), columns))
        return false;
    return json_array_size(output_at(answer, "errors")) == 0 ||
           session_fail(s, ARGS_EXIT_FAILURE, NULL, "nothing is imported: the file has errors");
}

bool affinity_mode(struct session *s, const struct args *args)
{
    static const struct output_column fields[] = {
        {"Deployments may assign", "mode", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *answer = NULL;
    bool is_set = args->n_operands > 0;
    json_t *body = is_set ? json_pack("{s:s}", "mode", args->operands[0]) : NULL;

    if (is_set && !body)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "this is not UTF-8");
    return session_open(s) &&
           session_call(s, is_set ? "PATCH" : "GET", "/user-affinity-mode", body, &answer) &&
           session_print_fields(s, answer, fields);
}
