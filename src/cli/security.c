/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "cli/password.h"
#include "cli/session.h"
#include "plat/file.h"

enum {
    PATH_MAX_BYTES = 4096,
    ROLE_MAX_BYTES = 256 * 1024,
};

/* "/administrators/NAME/grants"; @part: NULL: none */
static void put_path(struct buf *dst, const char *place, const char *which, const char *part)
{
    buf_addf(dst, "/%s/", place);
    session_escape(dst, which);
    if (part)
        buf_addf(dst, "/%s", part);
}

static bool fail_utf8(struct session *s)
{
    return session_fail(s, ARGS_EXIT_USAGE, NULL, "what was given is not UTF-8");
}

/* One request about one thing, nothing shown. @body: taken over; NULL: none */
static bool change(struct session *s, const char *method, const struct buf *path, json_t *body)
{
    return session_call(s, method, buf_str(path), body, NULL);
}

static bool delete_one(struct session *s, const char *place, const char *which)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, place, which, NULL);
    return session_open(s) && session_delete(s, buf_str(&path), "");
}

static const struct output_column admin_fields[] = {
    {"ID", "id", OUTPUT_TEXT},
    {"Name", "name", OUTPUT_TEXT},
    {"Kind", "kind", OUTPUT_TEXT},
    {"Known outside as", "external_name", OUTPUT_TEXT},
    {"Comment", "comment", OUTPUT_TEXT},
    {"Disabled", "is_disabled", OUTPUT_TEXT},
    {"Has password", "has_password", OUTPUT_TEXT},
    {"Created (UTC)", "created_at", OUTPUT_TIME},
    {"Last seen (UTC)", "last_seen_at", OUTPUT_TIME},
    {0},
};

static bool show_admin(struct session *s, const char *which)
{
    static const struct output_column grants[] = {
        {"SECURITY ROLE", "role_name", OUTPUT_TEXT},
        {"ROLE ID", "role_id", OUTPUT_TEXT},
        {"FOR", "target_kind", OUTPUT_TEXT},
        {"NAME", "target_name", OUTPUT_TEXT},
        {"ID", "target_id", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column groups[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *admin = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, "administrators", which, NULL);
    return session_call(s, "GET", buf_str(&path), NULL, &admin) &&
           session_print_fields(s, admin, admin_fields) &&
           session_print_part(s, "Granted", output_at(admin, "grants"), grants) &&
           session_print_part(s, "Member of", output_at(admin, "groups"), groups);
}

bool admin_list(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"KIND", "kind", OUTPUT_TEXT},
        {"DISABLED", "is_disabled", OUTPUT_TEXT},
        {"LAST SEEN (UTC)", "last_seen_at", OUTPUT_TIME},
        {"COMMENT", "comment", OUTPUT_TEXT},
        {0},
    };

    (void)args;
    return session_show_list(s, "/administrators", columns);
}

bool admin_show(struct session *s, const struct args *args)
{
    return session_open(s) && show_admin(s, args->operands[0]);
}

static bool set_password(struct session *s, const char *which, const char *from)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf question = BUF_INIT(PATH_MAX_BYTES);
    OWN(password_wipe) struct buf password = BUF_INIT(PASSWORD_ASK_MAX_BYTES);
    json_t *body;

    buf_addf(&question, "Password for %s: ", which);
    if (!password_read(s, from, buf_str(&question), true, &password))
        return false;
    body = json_pack("{s:s}", "password", buf_str(&password));
    if (!body)
        return fail_utf8(s);
    put_path(&path, "administrators", which, "password");
    return change(s, "POST", &path, body);
}

/* What he is called where his password is kept; NULL: it was not given. */
static const char *external_name(const struct args *args)
{
    static const char *const options[] = {"dn", "group", "subject"};

    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        if (args_get(args, options[i]))
            return args_get(args, options[i]);
    return NULL;
}

bool admin_create(struct session *s, const struct args *args)
{
    const char *kind = args_get(args, "kind");
    bool is_local = !kind || strcmp(kind, "local") == 0;
    json_t *body = json_pack("{s:s, s:s*, s:s*, s:s*}",
                             "name",
                             args->operands[0],
                             "comment",
                             args_get(args, "comment"),
                             "kind",
                             kind,
                             "external_name",
                             external_name(args));

    if (!body)
        return fail_utf8(s);
    if (!session_open(s) || !session_call(s, "POST", "/administrators", body, NULL))
        return false;
    if (is_local && !s->is_dry && !args_get(args, "no-password") &&
        !set_password(s, args->operands[0], args_get(args, "password")))
        return false;
    return show_admin(s, args->operands[0]);
}

bool admin_password(struct session *s, const struct args *args)
{
    return session_open(s) && set_password(s, args->operands[0], args_get(args, "password"));
}

static bool set_disabled(struct session *s, const struct args *args, bool is_disabled)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, "administrators", args->operands[0], NULL);
    return session_open(s) &&
           change(s, "PATCH", &path, json_pack("{s:b}", "is_disabled", is_disabled ? 1 : 0)) &&
           show_admin(s, args->operands[0]);
}

bool admin_disable(struct session *s, const struct args *args)
{
    return set_disabled(s, args, true);
}

bool admin_enable(struct session *s, const struct args *args)
{
    return set_disabled(s, args, false);
}

bool admin_delete(struct session *s, const struct args *args)
{
    return delete_one(s, "administrators", args->operands[0]);
}

bool admin_grant(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    json_t *body = json_pack("{s:s, s:s*, s:s*}",
                             "role",
                             args_get(args, "role"),
                             "scope",
                             args_get(args, "scope"),
                             "collection",
                             args_get(args, "collection"));

    if (!body)
        return fail_utf8(s);
    put_path(&path, "administrators", args->operands[0], "grants");
    if (!session_open(s)) {
        json_decref(body);
        return false;
    }
    return change(s, "POST", &path, body) && show_admin(s, args->operands[0]);
}

bool admin_revoke(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    const char *scope = args_get(args, "scope");
    const char *collection = args_get(args, "collection");

    if (!scope == !collection)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "one of --scope and --collection is wanted");
    put_path(&path, "administrators", args->operands[0], "grants/");
    session_escape(&path, args_get(args, "role"));
    buf_adds(&path, "/");
    session_escape(&path, scope ? scope : collection);
    return session_open(s) && change(s, "DELETE", &path, NULL) && show_admin(s, args->operands[0]);
}

bool token_list(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"KIND", "kind", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"GOOD FOR", "permissions", OUTPUT_TEXT},
        {"USED (UTC)", "used_at", OUTPUT_TIME},
        {"EXPIRES (UTC)", "expires_at", OUTPUT_TIME},
        {0},
    };

    (void)args;
    return session_show_list(s, "/tokens", columns);
}

bool token_create(struct session *s, const struct args *args)
{
    static const struct output_column fields[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"Token", "token", OUTPUT_TEXT},
        {"Good for", "permissions", OUTPUT_TEXT},
        {"Expires", "expires_at", OUTPUT_TIME},
        {0},
    };
    OWN(session_json_freep) json_t *body = json_pack("{s:s}", "name", args->operands[0]);
    OWN(session_json_freep) json_t *token = NULL;
    const char *days = args_get(args, "days");
    uint64_t n = 0;

    if (!body)
        return fail_utf8(s);
    if (days && !bytes_parse_u64(bytes_of(days), 1, 366, &n))
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "--days wants a number from 1 to 366");
    if (days)
        (void)json_object_set_new(body, "days", json_integer((json_int_t)n));
    if (args->n_repeated > 0)
        (void)json_object_set_new(body, "permissions", json_array());
    for (size_t i = 0; i < args->n_repeated; i++)
        (void)json_array_append_new(json_object_get(body, "permissions"),
                                    json_string(args->repeated[i]));
    return session_open(s) && session_call(s, "POST", "/tokens", json_incref(body), &token) &&
           session_print_fields(s, token, fields);
}

bool token_revoke(struct session *s, const struct args *args)
{
    return delete_one(s, "tokens", args->operands[0]);
}

bool security_role_list(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"BUILT IN", "is_builtin", OUTPUT_TEXT},
        {"ADMINISTRATORS", "n_administrators", OUTPUT_TEXT},
        {"COMMENT", "comment", OUTPUT_TEXT},
        {0},
    };

    (void)args;
    return session_show_list(s, "/security-roles", columns);
}

static const struct output_column role_fields[] = {
    {"ID", "id", OUTPUT_TEXT},
    {"Name", "name", OUTPUT_TEXT},
    {"Comment", "comment", OUTPUT_TEXT},
    {"Built in", "is_builtin", OUTPUT_TEXT},
    {"Permissions", "permissions", OUTPUT_TEXT},
    {0},
};

bool security_role_show(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *role = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, "security-roles", args->operands[0], NULL);
    return session_open(s) && session_call(s, "GET", buf_str(&path), NULL, &role) &&
           session_print_fields(s, role, role_fields);
}

static bool create_role(struct session *s, json_t *body)
{
    OWN(session_json_freep) json_t *role = NULL;

    if (!body)
        return fail_utf8(s);
    if (!session_open(s)) {
        json_decref(body);
        return false;
    }
    return session_call(s, "POST", "/security-roles", body, &role) &&
           session_print_fields(s, role, role_fields);
}

bool security_role_copy(struct session *s, const struct args *args)
{
    return create_role(
        s, json_pack("{s:s, s:s}", "copy_of", args->operands[0], "name", args->operands[1]));
}

/* What "show --output json" prints, or a part of it. */
static bool read_role(struct session *s, const char *path, json_t **ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(ROLE_MAX_BYTES);
    int r = file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, &text);

    if (r < 0)
        return session_fail_errno(s, path, r);
    *ret = r == 0 ? json_loadb(buf_str(&text), text.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (json_is_object(*ret))
        return true;
    return session_fail(
        s, ARGS_EXIT_FAILURE, "SLW-0704", "%s is not a security role as JSON", path);
}

bool security_role_import(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *role = NULL;
    const char *name = args_get(args, "name");

    if (!read_role(s, args->operands[0], &role))
        return false;
    return create_role(s,
                       json_pack("{s:s, s:s, s:O*}",
                                 "name",
                                 name ? name : output_text(role, "name"),
                                 "comment",
                                 output_text(role, "comment"),
                                 "permissions",
                                 json_object_get(role, "permissions")));
}

bool security_role_set(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(session_json_freep) json_t *role = NULL;
    OWN(session_json_freep)
    json_t *body = json_pack(
        "{s:s*, s:s*}", "name", args_get(args, "name"), "comment", args_get(args, "comment"));

    if (!body)
        return fail_utf8(s);
    if (args->n_repeated > 0)
        (void)json_object_set_new(body, "permissions", json_array());
    for (size_t i = 0; i < args->n_repeated; i++)
        (void)json_array_append_new(json_object_get(body, "permissions"),
                                    json_string(args->repeated[i]));
    put_path(&path, "security-roles", args->operands[0], NULL);
    return session_open(s) && session_call(s, "PATCH", buf_str(&path), json_incref(body), &role) &&
           session_print_fields(s, role, role_fields);
}

bool security_role_delete(struct session *s, const struct args *args)
{
    return delete_one(s, "security-roles", args->operands[0]);
}

bool security_scope_list(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"OBJECTS", "n_objects", OUTPUT_TEXT},
        {"COMMENT", "comment", OUTPUT_TEXT},
        {0},
    };

    (void)args;
    return session_show_list(s, "/security-scopes", columns);
}

static bool call_scope(struct session *s, const char *method, const struct buf *path, json_t *body)
{
    static const struct output_column fields[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"Name", "name", OUTPUT_TEXT},
        {"Comment", "comment", OUTPUT_TEXT},
        {"Objects", "objects", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *scope = NULL;

    if (!session_open(s)) {
        json_decref(body);
        return false;
    }
    return session_call(s, method, buf_str(path), body, &scope) &&
           session_print_fields(s, scope, fields);
}

bool security_scope_create(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    json_t *body =
        json_pack("{s:s, s:s*}", "name", args->operands[0], "comment", args_get(args, "comment"));

    buf_adds(&path, "/security-scopes");
    return body ? call_scope(s, "POST", &path, body) : fail_utf8(s);
}

bool security_scope_show(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, "security-scopes", args->operands[0], NULL);
    return call_scope(s, "GET", &path, NULL);
}

bool security_scope_delete(struct session *s, const struct args *args)
{
    return delete_one(s, "security-scopes", args->operands[0]);
}

bool security_scope_add(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    json_t *body =
        json_pack("{s:s, s:s}", "class", args_get(args, "class"), "object", args->operands[1]);

    put_path(&path, "security-scopes", args->operands[0], "objects");
    return body ? call_scope(s, "POST", &path, body) : fail_utf8(s);
}

bool security_scope_remove(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, "security-scopes", args->operands[0], "objects/");
    session_escape(&path, args_get(args, "class"));
    buf_adds(&path, "/");
    session_escape(&path, args->operands[1]);
    return session_open(s) && change(s, "DELETE", &path, NULL);
}
