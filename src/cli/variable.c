/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <string.h>

#include "base/own.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "cli/values.h"
#include "ts/step_types.h"

enum {
    PATH_MAX_BYTES = 2048,
};

/* "/collections/ID/variables" and @behind. */
static void put_path(struct buf *dst, const struct args *args, const char *behind)
{
    buf_adds(dst, strcmp(args->command->noun, "device") == 0 ? "/devices/" : "/collections/");
    session_escape(dst, args->operands[1]);
    buf_adds(dst, "/variables");
    if (behind) {
        buf_adds(dst, "/");
        session_escape(dst, behind);
    }
}

static const char *shown(const json_t *item)
{
    if (json_is_true(output_at(item, "is_asked")))
        return "(asked on the screen)";
    return json_is_true(output_at(item, "is_secret")) ? "***" : output_text(item, "value");
}

static bool show(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"NAME", "name", OUTPUT_TEXT},
        {"VALUE", "shown", OUTPUT_TEXT},
        {"SECRET", "is_secret", OUTPUT_TEXT},
        {"CHANGED (UTC)", "changed_at", OUTPUT_TIME},
        {0},
    };
    OWN(session_json_freep) json_t *list = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    json_t *items;

    put_path(&path, args, NULL);
    if (!session_get(s, &list, "%s", buf_str(&path)))
        return false;
    items = output_at(list, "items");
    for (size_t i = 0; s->format == ARGS_FORMAT_TABLE && i < json_array_size(items); i++) {
        json_t *item = json_array_get(items, i);

        (void)json_object_set_new(item, "shown", json_string(shown(item)));
    }
    return session_print_list(s, items, columns);
}

static bool set_one(struct session *s, const struct args *args, const char *text)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf name = BUF_INIT(VALUES_NAME_MAX_BYTES);
    OWN(buf_fini) struct buf value = BUF_INIT(VALUES_VALUE_MAX_BYTES);
    bool is_secret = args_get(args, "secret") != NULL;
    bool is_hidden = false;
    json_t *body;

    if (!values_read(s, text, &name, &value, &is_hidden))
        return false;
    if (!is_hidden && value.len > 0 && (is_secret || ts_name_is_secret(buf_str(&name))))
        return values_refuse_open(s, buf_str(&name));
    body = json_pack("{s:s, s:s}", "name", buf_str(&name), "value", buf_str(&value));
    if (!body)
        return session_fail(
            s, ARGS_EXIT_USAGE, NULL, "the value of %s is not UTF-8", buf_str(&name));
    if (is_secret || args_get(args, "open"))
        (void)json_object_set_new(body, "is_secret", json_boolean(is_secret));
    put_path(&path, args, NULL);
    return session_call(s, "POST", buf_str(&path), body, NULL);
}

static bool remove_one(struct session *s, const struct args *args, const char *name)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args, name);
    return session_call(s, "DELETE", buf_str(&path), NULL, NULL);
}

static bool fail_usage(struct session *s, const char *what)
{
    return session_fail(s, ARGS_EXIT_USAGE, NULL, "%s", what);
}

static bool change_all(struct session *s,
                       const struct args *args,
                       bool (*change)(struct session *, const struct args *, const char *))
{
    for (size_t i = 2; i < args->n_operands; i++)
        if (!change(s, args, args->operands[i]))
            return false;
    return show(s, args);
}

bool variable_run(struct session *s, const struct args *args)
{
    const char *operation = args->operands[0];
    bool is_set = strcmp(operation, "set") == 0;
    bool is_list = strcmp(operation, "list") == 0;

    if (!is_set && !is_list && strcmp(operation, "remove") != 0)
        return session_fail(s,
                            ARGS_EXIT_USAGE,
                            NULL,
                            "\"%s\" cannot be done with a variable; set, list and remove can",
                            operation);
    if (args->n_operands < 2 || (is_list ? args->n_operands > 2 : args->n_operands < 3))
        return fail_usage(s,
                          is_set    ? "set wants whose it is, and NAME=VALUE..."
                          : is_list ? "list wants whose variables"
                                    : "remove wants whose it is, and NAME...");
    if (!is_set && (args_get(args, "secret") || args_get(args, "open")))
        return fail_usage(s, "--secret and --open are for set");
    if (args_get(args, "secret") && args_get(args, "open"))
        return fail_usage(s, "--secret and --open exclude one another");
    if (!session_open(s))
        return false;
    return is_list ? show(s, args) : change_all(s, args, is_set ? set_one : remove_one);
}
