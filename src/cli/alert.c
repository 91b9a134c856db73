/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "base/own.h"
#include "cli/commands.h"
#include "cli/session.h"

enum {
    PATH_MAX_BYTES = 1024,
};

static const struct output_column columns[] = {
    {"NUMBER", "number", OUTPUT_TEXT},
    {"RAISED (UTC)", "raised_at", OUTPUT_TIME},
    {"SEVERITY", "severity", OUTPUT_TEXT},
    {"STATE", "state", OUTPUT_TEXT},
    {"KIND", "kind", OUTPUT_TEXT},
    {"OBJECT", "object", OUTPUT_TEXT},
    {"BY", "changed_by", OUTPUT_TEXT},
    {"TEXT", "text", OUTPUT_TEXT},
    {0},
};

bool alert_list(struct session *s, const struct args *args)
{
    const char *state = args_get(args, "state");
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(session_json_freep) json_t *list = NULL;

    buf_adds(&path, "/alerts?limit=1000");
    if (state)
        buf_addf(&path, "&state=%s", state);
    return session_open(s) && session_get(s, &list, "%s", buf_str(&path)) &&
           session_print_list(s, json_object_get(list, "items"), columns);
}

static bool change(struct session *s, const struct args *args, const char *state)
{
    static const struct output_column fields[] = {
        {"Number", "number", OUTPUT_TEXT},
        {"Kind", "kind", OUTPUT_TEXT},
        {"Object", "object", OUTPUT_TEXT},
        {"State", "state", OUTPUT_TEXT},
        {"By", "changed_by", OUTPUT_TEXT},
        {"Text", "text", OUTPUT_TEXT},
        {0},
    };
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(session_json_freep) json_t *alert = NULL;

    buf_adds(&path, "/alerts/");
    session_escape(&path, args->operands[0]);
    return session_open(s) &&
           session_call(s, "PATCH", buf_str(&path), json_pack("{s:s}", "state", state), &alert) &&
           session_print_fields(s, alert, fields);
}

bool alert_acknowledge(struct session *s, const struct args *args)
{
    return change(s, args, "acknowledged");
}

bool alert_close(struct session *s, const struct args *args)
{
    return change(s, args, "closed");
}
