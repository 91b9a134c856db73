/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What computers that start from the network are asked (docs/deployments.md)
 */

#include "cli/commands.h"

#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "cli/password.h"
#include "cli/session.h"

enum {
    PATH_MAX_BYTES = 1024,
    NUMBER_MAX = 1000000,
};

static bool is_inherited(const char *text)
{
    return strcmp(text, "inherit") == 0;
}

static bool put_number(struct session *s, json_t *body, const char *member, const char *text)
{
    uint64_t n = 0;

    if (!text)
        return true;
    if (!is_inherited(text) && !bytes_parse_u64(bytes_of(text), 0, NUMBER_MAX, &n))
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "\"%s\" is no number", text);
    (void)json_object_set_new(
        body, member, is_inherited(text) ? json_null() : json_integer((json_int_t)n));
    return true;
}

/* What is to be changed, as the options say. @ret: owned by the caller */
static bool read_rule(struct session *s, const struct args *args, json_t **ret)
{
    OWN(session_json_freep) json_t *body = json_object();
    const char *asked = args_get(args, "ask-password");

    if (asked)
        (void)json_object_set_new(body,
                                  "is_password_asked",
                                  is_inherited(asked) ? json_null()
                                                      : json_boolean(strcmp(asked, "yes") == 0));
    if (!put_number(s, body, "menu_s", args_get(args, "menu-seconds")) ||
        !put_number(s, body, "choice_s", args_get(args, "choice-seconds")))
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
        {"Password is set", "is_password_set", OUTPUT_TEXT},
        {"Password is asked for", "is_password_asked", OUTPUT_TEXT},
        {"Firmware's menu, seconds", "menu_s", OUTPUT_TEXT},
        {"List of deployments, seconds", "choice_s", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column columns[] = {
        {"PASSWORD", "is_password_needed", OUTPUT_TEXT},
        {"OF", "password_of", OUTPUT_TEXT},
        {"MENU S", "menu_s", OUTPUT_TEXT},
        {"LIST S", "choice_s", OUTPUT_TEXT},
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
        {"PASSWORD", "is_password_set", OUTPUT_TEXT},
        {"ASKED", "is_password_asked", OUTPUT_TEXT},
        {"MENU S", "menu_s", OUTPUT_TEXT},
        {"LIST S", "choice_s", OUTPUT_TEXT},
        {0},
    };

    return session_show_list(s, "/boot-rules", columns);
}

static void put_path(struct buf *dst, const char *id, const char *below)
{
    buf_adds(dst, "/boot-rules/");
    session_escape(dst, id);
    buf_adds(dst, below);
}

/* show, set or remove */
static bool work_on_rule(struct session *s, const struct args *args, const char *operation)
{
    OWN(session_json_freep) json_t *body = NULL;
    OWN(session_json_freep) json_t *rule = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    bool is_set = strcmp(operation, "set") == 0;

    put_path(&path, args->operands[1], "");
    if (is_set && !read_rule(s, args, &body))
        return false;
    if (!session_open(s))
        return false;
    if (strcmp(operation, "remove") == 0)
        return session_call(s, "DELETE", buf_str(&path), NULL, NULL);
    return session_call(s, is_set ? "PATCH" : "GET", buf_str(&path), TAKE(body), &rule) &&
           print_rule(s, rule);
}

bool pxe_rule(struct session *s, const struct args *args)
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
                                    : "say whose rule: site, or the id of a distribution point");
    return is_list ? list_rules(s) : work_on_rule(s, args, operation);
}

static bool set_password(struct session *s, const char *id, const char *from)
{
    OWN(password_wipe) struct buf password = BUF_INIT(PASSWORD_ASK_MAX_BYTES);
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    json_t *body;

    if (!password_read(s, from, "Password for starts from the network: ", true, &password))
        return false;
    body = json_pack("{s:s}", "password", buf_str(&password));
    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "this is not UTF-8");
    put_path(&path, id, "/password");
    return session_call(s, "PUT", buf_str(&path), body, NULL);
}

bool pxe_password(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    const char *operation = args->operands[0];

    if (strcmp(operation, "set") == 0)
        return session_open(s) && set_password(s, args->operands[1], args_get(args, "password"));
    if (strcmp(operation, "remove") != 0)
        return session_fail(
            s, ARGS_EXIT_USAGE, NULL, "\"%s\" is neither set nor remove", operation);
    put_path(&path, args->operands[1], "/password");
    return session_open(s) && session_call(s, "DELETE", buf_str(&path), NULL, NULL);
}
