/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "cli/session.h"

enum {
    PATH_MAX_BYTES = 2048,
};

static const struct output_column boundary_columns[] = {
    {"ID", "id", OUTPUT_TEXT},
    {"NAME", "name", OUTPUT_TEXT},
    {"KIND", "kind", OUTPUT_TEXT},
    {"VALUE", "value", OUTPUT_TEXT},
    {"GROUPS", "groups", OUTPUT_TEXT},
    {0},
};

bool boundary_list(struct session *s, const struct args *args)
{
    (void)args;
    return session_show_list(s, "/boundaries", boundary_columns);
}

bool boundary_create(struct session *s, const struct args *args)
{
    static const struct output_column fields[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"Name", "name", OUTPUT_TEXT},
        {"Kind", "kind", OUTPUT_TEXT},
        {"Value", "value", OUTPUT_TEXT},
        {0},
    };
    static const char *const kinds[][2] = {
        {"subnet", "ipv4-subnet"}, {"range", "ipv4-range"}, {"ipv6-prefix", "ipv6-prefix"}};
    OWN(session_json_freep) json_t *boundary = NULL;
    OWN(session_json_freep) json_t *body = json_pack("{s:s}", "name", args->operands[0]);
    size_t n = 0;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const char *value = args_get(args, kinds[i][0]);

        if (!value)
            continue;
        n++;
        (void)json_object_set_new(body, "kind", json_string(kinds[i][1]));
        (void)json_object_set_new(body, "value", json_string(value));
    }
    if (!body || n != 1)
        return session_fail(s,
                            ARGS_EXIT_USAGE,
                            NULL,
                            "one of --subnet, --range and --ipv6-prefix is wanted, and a name in "
                            "UTF-8");
    return session_open(s) &&
           session_call(s, "POST", "/boundaries", json_incref(body), &boundary) &&
           session_print_fields(s, boundary, fields);
}

/* DELETE of "/boundaries/WHAT" and the like. */
static bool delete_one(struct session *s, const char *place, const char *what)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    buf_addf(&path, "/%s/", place);
    session_escape(&path, what);
    return session_open(s) && session_delete(s, buf_str(&path), "");
}

bool boundary_delete(struct session *s, const struct args *args)
{
    return delete_one(s, "boundaries", args->operands[0]);
}

bool boundary_group_list(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"DEFAULT", "is_default", OUTPUT_TEXT},
        {"BOUNDARIES", "n_boundaries", OUTPUT_TEXT},
        {"DPS", "n_distribution_points", OUTPUT_TEXT},
        {"COMMENT", "comment", OUTPUT_TEXT},
        {0},
    };

    (void)args;
    return session_show_list(s, "/boundary-groups", columns);
}

static bool print_group(struct session *s, json_t *group)
{
    static const struct output_column fields[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"Name", "name", OUTPUT_TEXT},
        {"Comment", "comment", OUTPUT_TEXT},
        {"Default group", "is_default", OUTPUT_TEXT},
        {"Created (UTC)", "created_at", OUTPUT_TIME},
        {0},
    };
    static const struct output_column boundaries[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"KIND", "kind", OUTPUT_TEXT},
        {"VALUE", "value", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column dps[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"URL", "url", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column neighbours[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"FALLBACK (MINUTES)", "fallback_minutes", OUTPUT_TEXT},
        {0},
    };

    return session_print_fields(s, group, fields) &&
           session_print_part(s, "Boundaries", output_at(group, "boundaries"), boundaries) &&
           session_print_part(
               s, "Distribution points", output_at(group, "distribution_points"), dps) &&
           session_print_part(s, "Neighbours", output_at(group, "neighbours"), neighbours);
}

/* "/boundary-groups/GROUP" and perhaps "/part" and "/OTHER". */
static void put_path(struct buf *dst, const struct args *args, const char *part, const char *other)
{
    buf_adds(dst, "/boundary-groups/");
    session_escape(dst, args->operands[0]);
    if (part)
        buf_addf(dst, "/%s", part);
    if (other) {
        buf_adds(dst, "/");
        session_escape(dst, other);
    }
}

/* @body: taken over; NULL: none */
static bool call_group(
    struct session *s, const struct args *args, const char *method, const char *part, json_t *body)
{
    OWN(session_json_freep) json_t *owned = body;
    OWN(session_json_freep) json_t *group = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args, part, NULL);
    return session_open(s) && session_call(s, method, buf_str(&path), json_incref(owned), &group) &&
           print_group(s, group);
}

static bool remove_part(struct session *s, const struct args *args, const char *part)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args, part, args->operands[1]);
    return session_open(s) && session_call(s, "DELETE", buf_str(&path), NULL, NULL);
}

static bool fail_utf8(struct session *s)
{
    return session_fail(s, ARGS_EXIT_USAGE, NULL, "a name or the comment is not UTF-8");
}

bool boundary_group_create(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *group = NULL;
    OWN(session_json_freep)
    json_t *body =
        json_pack("{s:s, s:s*}", "name", args->operands[0], "comment", args_get(args, "comment"));

    if (!body)
        return fail_utf8(s);
    return session_open(s) &&
           session_call(s, "POST", "/boundary-groups", json_incref(body), &group) &&
           print_group(s, group);
}

bool boundary_group_show(struct session *s, const struct args *args)
{
    return call_group(s, args, "GET", NULL, NULL);
}

bool boundary_group_set(struct session *s, const struct args *args)
{
    json_t *body = json_pack(
        "{s:s*, s:s*}", "name", args_get(args, "name"), "comment", args_get(args, "comment"));

    return body ? call_group(s, args, "PATCH", NULL, body) : fail_utf8(s);
}

bool boundary_group_delete(struct session *s, const struct args *args)
{
    return delete_one(s, "boundary-groups", args->operands[0]);
}

bool boundary_group_add_boundary(struct session *s, const struct args *args)
{
    json_t *body = json_pack("{s:s}", "boundary", args->operands[1]);

    return body ? call_group(s, args, "POST", "boundaries", body) : fail_utf8(s);
}

bool boundary_group_remove_boundary(struct session *s, const struct args *args)
{
    return remove_part(s, args, "boundaries");
}

bool boundary_group_add_dp(struct session *s, const struct args *args)
{
    json_t *body = json_pack("{s:s}", "distribution_point", args->operands[1]);

    return body ? call_group(s, args, "POST", "distribution-points", body) : fail_utf8(s);
}

bool boundary_group_remove_dp(struct session *s, const struct args *args)
{
    return remove_part(s, args, "distribution-points");
}

bool boundary_group_add_neighbour(struct session *s, const struct args *args)
{
    const char *fallback = args_get(args, "fallback");
    json_t *body = json_pack("{s:s}", "boundary_group", args->operands[1]);
    uint64_t minutes;

    if (!body)
        return fail_utf8(s);
    if (fallback && strcmp(fallback, "never") == 0) {
        (void)json_object_set_new(body, "fallback_minutes", json_null());
    } else if (fallback && bytes_parse_u64(bytes_of(fallback), 0, INT32_MAX, &minutes)) {
        (void)json_object_set_new(body, "fallback_minutes", json_integer((json_int_t)minutes));
    } else if (fallback) {
        json_decref(body);
        return session_fail(s,
                            ARGS_EXIT_USAGE,
                            NULL,
                            "--fallback %s: it is a number of minutes, or never",
                            fallback);
    }
    return call_group(s, args, "POST", "neighbours", body);
}

bool boundary_group_remove_neighbour(struct session *s, const struct args *args)
{
    return remove_part(s, args, "neighbours");
}

bool boundary_group_explain(struct session *s, const struct args *args)
{
    static const struct output_column fields[] = {
        {"Address", "address", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column groups[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {0},
    };
    static const struct output_column sources[] = {
        {"DP", "distribution_point_name", OUTPUT_TEXT},
        {"BY", "tier", OUTPUT_TEXT},
        {"GROUP", "boundary_group_name", OUTPUT_TEXT},
        {"FALLBACK (MINUTES)", "fallback_minutes", OUTPUT_TEXT},
        {"USED", "is_used", OUTPUT_TEXT},
        {"REASON", "reason", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *answer = NULL;
    OWN(buf_fini) struct buf address = BUF_INIT(PATH_MAX_BYTES);

    session_escape(&address, args->operands[0]);
    return session_open(s) &&
           session_get(s, &answer, "/boundary-explanations/%s", buf_str(&address)) &&
           session_print_fields(s, answer, fields) &&
           session_print_part(s, "Boundary groups", output_at(answer, "groups"), groups) &&
           session_print_part(
               s, "Distribution points, the best first", output_at(answer, "sources"), sources);
}
