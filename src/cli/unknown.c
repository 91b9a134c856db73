/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Unknown computers: what they may, what they are called, and which of them wait (docs/unknown-computers.md)
 */

#include "cli/commands.h"

#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/own.h"
#include "cli/session.h"

enum {
    PATH_MAX_BYTES = 1024,
    NUMBER_MAX = 1000000,
};

static const struct output_column requests[] = {
    {"CODE", "code", OUTPUT_TEXT},
    {"STATE", "state", OUTPUT_TEXT},
    {"NAME", "name", OUTPUT_TEXT},
    {"PROPOSED", "suggested_name", OUTPUT_TEXT},
    {"MAC ADDRESSES", "macs", OUTPUT_TEXT},
    {"MODEL", "model", OUTPUT_TEXT},
    {"SERIAL", "serial", OUTPUT_TEXT},
    {"DEPLOYMENT", "deployment_id", OUTPUT_TEXT},
    {"EXPIRES (UTC)", "expires_at", OUTPUT_TIME},
    {0},
};

static const struct output_column request[] = {
    {"Device", "id", OUTPUT_TEXT},
    {"Name", "name", OUTPUT_TEXT},
    {"State", "state", OUTPUT_TEXT},
    {"MAC addresses", "macs", OUTPUT_TEXT},
    {"Serial number", "serial", OUTPUT_TEXT},
    {"Deployment", "deployment_id", OUTPUT_TEXT},
    {"Task sequence", "task_sequence_name", OUTPUT_TEXT},
    {"Because", "reason", OUTPUT_TEXT},
    {0},
};

bool unknown_list(struct session *s, const struct args *args)
{
    (void)args;
    return session_show_list(s, "/unknown-computers", requests);
}

/* The device whose request has this code. @ret: its path, with @what behind it */
static bool find(struct session *s, const char *code, const char *what, struct buf *ret)
{
    OWN(session_json_freep) json_t *items = NULL;
    const json_t *item;
    size_t i;

    if (!session_open(s) || !session_list(s, "/unknown-computers", &items))
        return false;
    json_array_foreach(items, i, item)
    {
        const char *one = json_string_value(json_object_get(item, "code"));
        const char *id = json_string_value(json_object_get(item, "id"));

        if (!one || !id || strcasecmp(one, code) != 0)
            continue;
        buf_adds(ret, "/unknown-computers/");
        session_escape(ret, id);
        buf_adds(ret, what);
        return true;
    }
    return session_fail(s,
                        ARGS_EXIT_NOT_FOUND,
                        NULL,
                        "no unknown computer has the code \"%s\"; \"slipway unknown list\" shows "
                        "those that wait",
                        code);
}

/* @body: taken over; NULL: it is not UTF-8 */
static bool decide(struct session *s, const struct args *args, const char *what, json_t *body)
{
    OWN(session_json_freep) json_t *mine = body;
    OWN(session_json_freep) json_t *answer = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    if (!mine)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "this is not UTF-8");
    return find(s, args->operands[0], what, &path) &&
           session_call(s, "POST", buf_str(&path), TAKE(mine), &answer) &&
           session_print_fields(s, answer, request);
}

bool unknown_approve(struct session *s, const struct args *args)
{
    return decide(
        s,
        args,
        "/approval",
        json_pack("{s:s, s:s*}", "code", args->operands[0], "name", args_get(args, "name")));
}

bool unknown_deny(struct session *s, const struct args *args)
{
    return decide(
        s,
        args,
        "/denial",
        json_pack("{s:s, s:s*}", "code", args->operands[0], "reason", args_get(args, "reason")));
}

bool unknown_forget(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    buf_adds(&path, "/unknown-computers/");
    session_escape(&path, args->operands[0]);
    return session_open(s) && session_call(s, "DELETE", buf_str(&path), NULL, NULL);
}

static bool is_inherited(const char *text)
{
    return strcmp(text, "inherit") == 0;
}

static void put_choice(json_t *body, const char *member, const char *text)
{
    if (text)
        (void)json_object_set_new(body,
                                  member,
                                  is_inherited(text) ? json_null()
                                                     : json_boolean(strcmp(text, "yes") == 0));
}

static bool put_number(struct session *s, json_t *body, const char *member, const char *text)
{
    uint64_t n = 0;

    if (!text)
        return true;
    if (!is_inherited(text) && !bytes_parse_u64(bytes_of(text), 1, NUMBER_MAX, &n))
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "\"%s\" is no number", text);
    (void)json_object_set_new(
        body, member, is_inherited(text) ? json_null() : json_integer((json_int_t)n));
    return true;
}

static bool put_text(struct session *s, json_t *body, const char *member, const char *text)
{
    json_t *value;

    if (!text)
        return true;
    value = json_string(text);
    if (!value)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "this is not UTF-8");
    return json_object_set_new(body, member, value) == 0 ||
           session_fail(s, ARGS_EXIT_FAILURE, NULL, "there is no memory");
}

/* What is to be changed, as the options say. @ret: owned by the caller */
static bool read_rule(struct session *s, const struct args *args, json_t **ret)
{
    OWN(session_json_freep) json_t *body = json_object();
    const char *pattern = args_get(args, "name-pattern");

    put_choice(body, "is_allowed", args_get(args, "allow"));
    put_choice(body, "is_name_asked", args_get(args, "ask-name"));
    put_choice(body, "is_approval_needed", args_get(args, "approval"));
    if (pattern && is_inherited(pattern))
        (void)json_object_set_new(body, "name_pattern", json_null());
    else if (!put_text(s, body, "name_pattern", pattern))
        return false;
    if (!put_number(s, body, "name_max", args_get(args, "name-max")) ||
        !put_number(s, body, "approval_hours", args_get(args, "approval-hours")))
        return false;
    if (json_object_size(body) == 0)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "say what is to be set");
    *ret = TAKE(body);
    return true;
}

static bool print_rule(struct session *s, json_t *rule)
{
    static const struct output_column fields[] = {
        {"Rule of", "id", OUTPUT_TEXT},
        {"Allowed", "is_allowed", OUTPUT_TEXT},
        {"Pattern of names", "name_pattern", OUTPUT_TEXT},
        {"Longest name", "name_max", OUTPUT_TEXT},
        {"Screen asks for the name", "is_name_asked", OUTPUT_TEXT},
        {"Approval needed", "is_approval_needed", OUTPUT_TEXT},
        {"Hours to wait", "approval_hours", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column columns[] = {
        {"ALLOWED", "is_allowed", OUTPUT_TEXT},
        {"PATTERN", "name_pattern", OUTPUT_TEXT},
        {"LONGEST", "name_max", OUTPUT_TEXT},
        {"ASKED", "is_name_asked", OUTPUT_TEXT},
        {"APPROVAL", "is_approval_needed", OUTPUT_TEXT},
        {"HOURS", "approval_hours", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep)
    json_t *effective = json_pack("[O]", json_object_get(rule, "effective"));

    return session_print_fields(s, rule, fields) &&
           session_print_part(s, "What counts", effective, columns);
}

static bool list_rules(struct session *s)
{
    static const struct output_column columns[] = {
        {"RULE OF", "id", OUTPUT_TEXT},
        {"ALLOWED", "is_allowed", OUTPUT_TEXT},
        {"PATTERN", "name_pattern", OUTPUT_TEXT},
        {"LONGEST", "name_max", OUTPUT_TEXT},
        {"ASKED", "is_name_asked", OUTPUT_TEXT},
        {"APPROVAL", "is_approval_needed", OUTPUT_TEXT},
        {"HOURS", "approval_hours", OUTPUT_TEXT},
        {0},
    };

    return session_show_list(s, "/unknown-computer-rules", columns);
}

/* show, set or remove */
static bool work_on_rule(struct session *s, const struct args *args, const char *operation)
{
    OWN(session_json_freep) json_t *body = NULL;
    OWN(session_json_freep) json_t *rule = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    bool is_set = strcmp(operation, "set") == 0;

    buf_adds(&path, "/unknown-computer-rules/");
    session_escape(&path, args->operands[1]);
    if (is_set && !read_rule(s, args, &body))
        return false;
    if (!session_open(s))
        return false;
    if (strcmp(operation, "remove") == 0)
        return session_call(s, "DELETE", buf_str(&path), NULL, NULL);
    return session_call(s, is_set ? "PATCH" : "GET", buf_str(&path), TAKE(body), &rule) &&
           print_rule(s, rule);
}

bool unknown_rule(struct session *s, const struct args *args)
{
    const char *operation = args->operands[0];
    bool is_list = strcmp(operation, "list") == 0;

    if (!is_list && strcmp(operation, "show") != 0 && strcmp(operation, "set") != 0 &&
        strcmp(operation, "remove") != 0)
        return session_fail(s,
                            ARGS_EXIT_USAGE,
                            NULL,
                            "\"%s\" cannot be done with rules; list, show, set and remove can",
                            operation);
    if (args->n_operands != (is_list ? 1U : 2U))
        return session_fail(s,
                            ARGS_EXIT_USAGE,
                            NULL,
                            is_list ? "list wants nothing"
                                    : "say whose rule: site, or the id of a distribution point or "
                                      "of a deployment");
    return is_list ? list_rules(s) : work_on_rule(s, args, operation);
}

bool unknown_preview_name(struct session *s, const struct args *args)
{
    static const char *const texts[] = {
        "device", "serial", "asset", "model", "manufacturer", "mac", "arch"};
    static const struct output_column fields[] = {
        {"Name", "name", OUTPUT_TEXT},
        {"Pattern", "pattern", OUTPUT_TEXT},
        {"Longest name", "name_max", OUTPUT_TEXT},
        {"Problem", "problem", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *body = json_object();
    OWN(session_json_freep) json_t *answer = NULL;

    if (!put_text(s, body, "pattern", args->n_operands > 0 ? args->operands[0] : NULL) ||
        !put_number(s, body, "name_max", args_get(args, "name-max")))
        return false;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (!put_text(s, body, texts[i], args_get(args, texts[i])))
            return false;
    return session_open(s) &&
           session_call(s, "POST", "/unknown-computer-names:preview", TAKE(body), &answer) &&
           session_print_fields(s, answer, fields);
}
