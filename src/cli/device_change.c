/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include <errno.h>
#include <string.h>

#include "base/own.h"
#include "cli/session.h"
#include "plat/file.h"

enum {
    PATH_MAX_BYTES = 1024,
};

static const struct output_column fields[] = {
    {"ID", "id", OUTPUT_TEXT},
    {"Name", "name", OUTPUT_TEXT},
    {"MAC addresses", "macs", OUTPUT_TEXT},
    {"SMBIOS UUID", "smbios_uuid", OUTPUT_TEXT},
    {"Blocked", "is_blocked", OUTPUT_TEXT},
    {"Because", "block_reason", OUTPUT_TEXT},
    {"Protected", "is_protected", OUTPUT_TEXT},
    {0},
};

static void put_path(struct buf *path, const struct args *args)
{
    buf_adds(path, "/devices/");
    session_escape(path, args->operands[0]);
}

/* @body: taken over; NULL: it is not UTF-8 */
static bool change(struct session *s, const struct args *args, json_t *body)
{
    OWN(session_json_freep) json_t *device = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "this is not UTF-8");
    put_path(&path, args);
    return session_open(s) && session_call(s, "PATCH", buf_str(&path), body, &device) &&
           session_print_fields(s, device, fields);
}

bool device_rename(struct session *s, const struct args *args)
{
    return change(s, args, json_pack("{s:s}", "name", args->operands[1]));
}

bool device_block(struct session *s, const struct args *args)
{
    return change(
        s,
        args,
        json_pack("{s:b, s:s*}", "is_blocked", 1, "block_reason", args_get(args, "reason")));
}

/* "M,M" as a list; NULL: nothing was said of it */
static json_t *split_macs(const char *text)
{
    json_t *list = text ? json_array() : NULL;

    while (text && *text) {
        size_t n = strcspn(text, ",");

        (void)json_array_append_new(list, json_stringn(text, n));
        text += n + (text[n] == ',');
    }
    return list;
}

bool device_set(struct session *s, const struct args *args)
{
    const char *mac = args_get(args, "mac");
    const char *uuid = args_get(args, "uuid");
    bool is_none = uuid && strcmp(uuid, "none") == 0;

    if (!mac && !uuid)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "say what is to change: --mac, --uuid");
    return change(s,
                  args,
                  json_pack("{s:o*, s:o*}",
                            "macs",
                            split_macs(mac),
                            "smbios_uuid",
                            is_none ? json_null()
                            : uuid  ? json_string(uuid)
                                    : NULL));
}

bool device_unblock(struct session *s, const struct args *args)
{
    return change(s, args, json_pack("{s:b}", "is_blocked", 0));
}

bool device_protect(struct session *s, const struct args *args)
{
    return change(s, args, json_pack("{s:b}", "is_protected", 1));
}

bool device_unprotect(struct session *s, const struct args *args)
{
    return change(s, args, json_pack("{s:b}", "is_protected", 0));
}

bool device_forget_tpm_key(struct session *s, const struct args *args)
{
    return change(s, args, json_pack("{s:b}", "forget_tpm_key", 1));
}

bool device_wake(struct session *s, const struct args *args)
{
    static const struct output_column sent[] = {
        {"Device", "device_id", OUTPUT_TEXT},
        {"Sent by", "distribution_point_id", OUTPUT_TEXT},
        {"MAC addresses", "macs", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *answer = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args);
    buf_adds(&path, "/wake-up");
    return session_open(s) && session_call(s, "POST", buf_str(&path), NULL, &answer) &&
           session_print_fields(s, answer, sent);
}

bool device_delete(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args);
    return session_open(s) && session_delete(s, buf_str(&path), "");
}

bool device_history(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"TIME (UTC)", "time", OUTPUT_TIME},
        {"WHO", "who", OUTPUT_TEXT},
        {"WHAT", "action", OUTPUT_TEXT},
        {"DETAIL", "detail", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *answer = NULL;
    OWN(buf_fini) struct buf id = BUF_INIT(PATH_MAX_BYTES);

    session_escape(&id, args->operands[0]);
    return session_open(s) &&
           session_get(s, &answer, "/devices/%s/history?limit=1000", buf_str(&id)) &&
           session_print_list(s, output_at(answer, "items"), columns);
}

static bool list_duplicates(struct session *s)
{
    static const struct output_column columns[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"COMMENT", "comment", OUTPUT_TEXT},
        {"SINCE (UTC)", "created_at", OUTPUT_TIME},
        {0},
    };

    return session_show_list(s, "/duplicate-hardware-ids", columns);
}

static bool add_duplicate(struct session *s, const char *id, const char *comment)
{
    static const struct output_column added[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"Comment", "comment", OUTPUT_TEXT},
        {"Taken from the device", "taken_from", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *answer = NULL;
    json_t *body = json_pack("{s:s, s:s*}", "id", id, "comment", comment);

    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "this is not UTF-8");
    return session_open(s) && session_call(s, "POST", "/duplicate-hardware-ids", body, &answer) &&
           session_print_fields(s, answer, added);
}

static bool remove_duplicate(struct session *s, const char *id)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    buf_adds(&path, "/duplicate-hardware-ids/");
    session_escape(&path, id);
    return session_open(s) && session_call(s, "DELETE", buf_str(&path), NULL, NULL);
}

bool device_duplicate_id(struct session *s, const struct args *args)
{
    const char *operation = args->operands[0];
    bool is_add = strcmp(operation, "add") == 0;
    bool is_list = strcmp(operation, "list") == 0;

    if (!is_add && !is_list && strcmp(operation, "remove") != 0)
        return session_fail(s,
                            ARGS_EXIT_USAGE,
                            NULL,
                            "\"%s\" cannot be done with the list; add, list and remove can",
                            operation);
    if (args->n_operands != (is_list ? 1U : 2U))
        return session_fail(
            s, ARGS_EXIT_USAGE, NULL, is_list ? "list wants nothing" : "say which address or UUID");
    if (is_add)
        return add_duplicate(s, args->operands[1], args_get(args, "comment"));
    if (!is_list && !remove_duplicate(s, args->operands[1]))
        return false;
    return list_duplicates(s);
}
