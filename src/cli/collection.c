/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/collection.h"

#include "base/bytes.h"
#include "base/own.h"
#include "cli/commands.h"
#include "cli/session.h"

enum {
    PATH_MAX_BYTES = 1024,
    VARIABLE_PRIORITY_MAX = 9,
};

static const struct output_column fields[] = {
    {"ID", "id", OUTPUT_TEXT},
    {"Name", "name", OUTPUT_TEXT},
    {"Comment", "comment", OUTPUT_TEXT},
    {"Built in", "is_builtin", OUTPUT_TEXT},
    {"Members", "n_members", OUTPUT_TEXT},
    {"Limited by", "limiting_name", OUTPUT_TEXT},
    {"ID of that", "limiting_id", OUTPUT_TEXT},
    {"Being evaluated", "is_evaluating", OUTPUT_TEXT},
    {"Priority of its variables", "variable_priority", OUTPUT_TEXT},
    {"Created (UTC)", "created_at", OUTPUT_TIME},
    {0},
};

static const struct output_column members[] = {
    {"NAME", "name", OUTPUT_TEXT},
    {"MAC", "mac", OUTPUT_TEXT},
    {"ID", "device_id", OUTPUT_TEXT},
    {0},
};

bool collection_print_reach(struct session *s, const json_t *collection)
{
    static const struct output_column columns[] = {
        {"DEPLOYMENT", "deployment_id", OUTPUT_TEXT},
        {"TASK SEQUENCE", "task_sequence_name", OUTPUT_TEXT},
        {"COLLECTION", "collection_name", OUTPUT_TEXT},
        {"DEVICES BEFORE", "n_devices_before", OUTPUT_TEXT},
        {"DEVICES", "n_devices", OUTPUT_TEXT},
        {"WIPES DISKS", "is_high_risk", OUTPUT_TEXT},
        {"NOT CONFIRMED", "is_not_confirmed", OUTPUT_TEXT},
        {0},
    };
    const json_t *list = output_at(collection, "reaching_more");

    return json_array_size(list) == 0 ||
           session_print_part(s, "Required deployments that reach more devices now", list, columns);
}

bool collection_list(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"MEMBERS", "n_members", OUTPUT_TEXT},
        {"BUILT IN", "is_builtin", OUTPUT_TEXT},
        {"COMMENT", "comment", OUTPUT_TEXT},
        {0},
    };

    (void)args;
    return session_show_list(s, "/collections", columns);
}

bool collection_create(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *collection = NULL;
    json_t *body;

    if (!session_open(s))
        return false;
    body = json_pack("{s:s, s:s*, s:s*}",
                     "name",
                     args->operands[0],
                     "comment",
                     args_get(args, "comment"),
                     "limiting",
                     args_get(args, "limiting"));
    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "the name is not UTF-8");
    return session_call(s, "POST", "/collections", body, &collection) &&
           session_print_fields(s, collection, fields);
}

bool collection_show(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *collection = NULL;
    OWN(buf_fini) struct buf id = BUF_INIT(PATH_MAX_BYTES);

    session_escape(&id, args->operands[0]);
    return session_open(s) && session_get(s, &collection, "/collections/%s", buf_str(&id)) &&
           session_print_fields(s, collection, fields) &&
           session_print_part(s, "Members", output_at(collection, "members"), members);
}

static void put_path(struct buf *path, const struct args *args, const char *part)
{
    buf_adds(path, "/collections/");
    session_escape(path, args->operands[0]);
    buf_adds(path, part);
}

bool collection_set(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *collection = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    const char *priority = args_get(args, "variable-priority");
    uint64_t n = 0;
    json_t *body;

    if (priority && !bytes_parse_u64(bytes_of(priority), 1, VARIABLE_PRIORITY_MAX, &n))
        return session_fail(
            s, ARGS_EXIT_USAGE, NULL, "--variable-priority wants a number from 1 to 9");
    body = json_pack("{s:s*, s:s*, s:s*, s:o*}",
                     "name",
                     args_get(args, "name"),
                     "comment",
                     args_get(args, "comment"),
                     "limiting",
                     args_get(args, "limiting"),
                     "variable_priority",
                     priority ? json_integer((json_int_t)n) : NULL);
    if (json_object_size(body) == 0) {
        json_decref(body);
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "say what is to be changed");
    }
    put_path(&path, args, "");
    return session_open(s) && session_call(s, "PATCH", buf_str(&path), body, &collection) &&
           session_print_fields(s, collection, fields) && collection_print_reach(s, collection);
}

bool collection_delete(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args, "");
    return session_open(s) && session_delete(s, buf_str(&path), "");
}

bool collection_update(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *collection = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args, "/evaluation");
    return session_open(s) && session_call(s, "POST", buf_str(&path), json_object(), &collection) &&
           session_print_fields(s, collection, fields);
}

bool collection_add_member(struct session *s, const struct args *args)
{
    static const struct output_column member[] = {
        {"Name", "name", OUTPUT_TEXT},
        {"MAC", "mac", OUTPUT_TEXT},
        {"ID", "device_id", OUTPUT_TEXT},
        {"Member", "is_member", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *added = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    json_t *body;

    if (!session_open(s))
        return false;
    body = json_pack("{s:s}", "device", args->operands[1]);
    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "the name is not UTF-8");
    put_path(&path, args, "/members");
    return session_call(s, "POST", buf_str(&path), body, &added) &&
           session_print_fields(s, added, member);
}
