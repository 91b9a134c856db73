/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include <string.h>

#include "base/own.h"
#include "cli/collection.h"
#include "cli/session.h"

enum {
    PATH_MAX_BYTES = 2048,
};

/* A kind of rule is an option, whose value says of what. */
static const char *const types[] = {"direct", "query", "include", "exclude"};

static void put_path(struct buf *path, const struct args *args)
{
    buf_adds(path, "/collections/");
    session_escape(path, args->operands[1]);
    buf_adds(path, "/rules");
}

static bool show(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"TYPE", "type", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"RULE", "value", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *answer = NULL;
    OWN(buf_fini) struct buf id = BUF_INIT(PATH_MAX_BYTES);

    session_escape(&id, args->operands[1]);
    return session_get(s, &answer, "/collections/%s/rules", buf_str(&id)) &&
           session_print_list(s, output_at(answer, "items"), columns);
}

/* @ret: the one kind that is given. */
static bool find_type(struct session *s, const struct args *args, const char **ret)
{
    *ret = NULL;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (!args_get(args, types[i]))
            continue;
        if (*ret)
            return session_fail(
                s, ARGS_EXIT_USAGE, NULL, "--%s and --%s exclude one another", *ret, types[i]);
        *ret = types[i];
    }
    if (!*ret)
        return session_fail(
            s, ARGS_EXIT_USAGE, NULL, "say --direct, --query, --include or --exclude");
    return true;
}

/* @ret: the collection */
static bool add(struct session *s, const struct args *args, const char *type, json_t **ret)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    bool is_query = strcmp(type, "query") == 0;
    const char *filter = args_get(args, "filter");
    json_t *body;

    if (is_query != (filter != NULL))
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "--query and --filter belong together");
    body = json_pack("{s:s, s:s, s:s*}",
                     "type",
                     type,
                     strcmp(type, "direct") == 0 ? "device"
                     : is_query                  ? "name"
                                                 : "collection",
                     args_get(args, type),
                     "filter",
                     filter);
    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "the rule is not UTF-8");
    put_path(&path, args);
    return session_call(s, "POST", buf_str(&path), body, ret);
}

static bool remove_one(struct session *s, const struct args *args, const char *type)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args);
    buf_addf(&path, "/%s/", type);
    session_escape(&path, args_get(args, type));
    return session_call(s, "DELETE", buf_str(&path), NULL, NULL);
}

bool collection_rule_run(struct session *s, const struct args *args)
{
    const char *operation = args->operands[0];
    bool is_add = strcmp(operation, "add") == 0;
    bool is_list = strcmp(operation, "list") == 0;
    const char *type = NULL;
    OWN(session_json_freep) json_t *collection = NULL;

    if (!is_add && !is_list && strcmp(operation, "remove") != 0)
        return session_fail(s,
                            ARGS_EXIT_USAGE,
                            NULL,
                            "\"%s\" cannot be done with a rule; add, list and remove can",
                            operation);
    if (args->n_operands != 2)
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "%s wants a collection", operation);
    if (!is_list && !find_type(s, args, &type))
        return false;
    if (!session_open(s))
        return false;
    if (!is_list && !(is_add ? add(s, args, type, &collection) : remove_one(s, args, type)))
        return false;
    return show(s, args) && (!is_add || collection_print_reach(s, collection));
}
