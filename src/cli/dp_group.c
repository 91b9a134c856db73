/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include "base/own.h"
#include "cli/distribution.h"
#include "cli/session.h"

enum {
    PATH_MAX_BYTES = 2048,
};

bool dp_group_list(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"MEMBERS", "n_members", OUTPUT_TEXT},
        {"PACKAGES", "n_packages", OUTPUT_TEXT},
        {"FAILED", "n_failed", OUTPUT_TEXT},
        {"COMMENT", "comment", OUTPUT_TEXT},
        {0},
    };

    (void)args;
    return session_show_list(s, "/distribution-point-groups", columns);
}

static bool print(struct session *s, json_t *group)
{
    static const struct output_column fields[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"Name", "name", OUTPUT_TEXT},
        {"Comment", "comment", OUTPUT_TEXT},
        {"Failed", "n_failed", OUTPUT_TEXT},
        {"Created (UTC)", "created_at", OUTPUT_TIME},
        {0},
    };
    static const struct output_column members[] = {
        {"ID", "distribution_point_id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"ONLINE", "is_online", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column content[] = {
        {"CONTENT", "package_id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"KIND", "kind", OUTPUT_TEXT},
        {"ON", "n_success", OUTPUT_TEXT},
        {0},
    };

    return session_print_fields(s, group, fields) &&
           session_print_part(s, "Members", output_at(group, "members"), members) &&
           session_print_part(s, "Content", output_at(group, "content"), content);
}

/* "/distribution-point-groups/GROUP" and perhaps "/part" and "/OTHER". */
static void put_path(struct buf *dst, const struct args *args, const char *part, const char *other)
{
    buf_adds(dst, "/distribution-point-groups/");
    session_escape(dst, args->operands[0]);
    if (part)
        buf_addf(dst, "/%s", part);
    if (other) {
        buf_adds(dst, "/");
        session_escape(dst, other);
    }
}

bool dp_group_show(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *group = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args, NULL, NULL);
    return session_open(s) && session_call(s, "GET", buf_str(&path), NULL, &group) &&
           print(s, group);
}

bool dp_group_create(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *group = NULL;
    OWN(session_json_freep)
    json_t *body =
        json_pack("{s:s, s:s*}", "name", args->operands[0], "comment", args_get(args, "comment"));

    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "the name or the comment is not UTF-8");
    return session_open(s) &&
           session_call(s, "POST", "/distribution-point-groups", json_incref(body), &group) &&
           print(s, group);
}

bool dp_group_delete(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args, NULL, NULL);
    return session_open(s) && session_delete(s, buf_str(&path), "");
}

static bool
add(struct session *s, const struct args *args, const char *part, const char *member, json_t **ret)
{
    OWN(session_json_freep) json_t *body = json_pack("{s:s}", member, args->operands[1]);
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "the name is not UTF-8");
    put_path(&path, args, part, NULL);
    return session_open(s) && session_call(s, "POST", buf_str(&path), json_incref(body), ret);
}

bool dp_group_add_member(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *group = NULL;

    return add(s, args, "members", "distribution_point", &group) && print(s, group);
}

bool dp_group_add_content(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *status = NULL;

    return add(s, args, "content", "content", &status) && distribution_print(s, status);
}

bool dp_group_remove_member(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args, "members", args->operands[1]);
    return session_open(s) && session_call(s, "DELETE", buf_str(&path), NULL, NULL);
}
