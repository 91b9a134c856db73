/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <string.h>

#include "base/own.h"
#include "cli/commands.h"
#include "cli/sequence.h"
#include "cli/sequence_choose.h"
#include "cli/sequence_file.h"
#include "cli/values.h"
#include "ts/secret.h"
#include "ts/step_types.h"

enum {
    PATH_MAX_BYTES = 1024,
    FILE_MAX_BYTES = 6 * 1024 * 1024,
    NUMBER_MAX = 1000000000,
};

/* POST or PATCH @body, which is taken over, below the task sequence as it is now; print what it is then. */
static bool
change(struct session *s, const char *method, const char *id, const char *behind, json_t *body)
{
    OWN(session_json_freep) json_t *owned = body;
    OWN(session_json_freep) json_t *sequence = NULL;
    OWN(buf_fini) struct buf of = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    sequence_path(&of, id, "");
    sequence_path(&path, id, behind);
    return session_open(s) && session_match_now(s, buf_str(&of)) &&
           session_call(s, method, buf_str(&path), TAKE(owned), &sequence) &&
           sequence_print(s, sequence);
}

/* Members whose text is NULL are left out. */
static void set_text(json_t *body, const char *name, const char *value)
{
    if (value)
        (void)json_object_set_new(body, name, json_string(value));
}

/* --before, --after, --in and --first. */
static bool set_place(struct session *s, const struct args *args, json_t *body)
{
    const char *before = args_get(args, "before");
    const char *after = args_get(args, "after");
    const char *in = args_get(args, "in");
    const char *first = args_get(args, "first");

    if ((before != NULL) + (after != NULL) + (in || first) > 1)
        return session_fail(
            s, ARGS_EXIT_USAGE, NULL, "one of --before, --after and --in can be given");
    set_text(
        body, "where", before ? "before" : (after ? "after" : (first ? "first-in" : "last-in")));
    set_text(body, "target", before ? before : (after ? after : (in ? in : "")));
    return true;
}

/* Whether it is, in any type of step. */
static bool is_secret(const char *setting)
{
    const struct ts_step_type *type;

    if (strcmp(setting, "run-as-password") == 0 || ts_name_is_secret(setting))
        return true;
    for (size_t i = 0; (type = ts_step_type_at(i)); i++) {
        const struct ts_property *property = ts_property_find(type, setting);

        if (property && ts_property_is_secret(property))
            return true;
    }
    return false;
}

/* NAME=VALUE from operand @i on. */
static bool set_settings(struct session *s, const struct args *args, size_t i, json_t *body)
{
    json_t *settings = json_object();
    bool is_open = false;

    (void)json_object_set_new(body, "settings", settings);
    for (; i < args->n_operands; i++) {
        OWN(buf_fini) struct buf name = BUF_INIT(VALUES_NAME_MAX_BYTES);
        OWN(buf_fini) struct buf value = BUF_INIT(VALUES_VALUE_MAX_BYTES);
        bool is_hidden = false;

        if (!values_read(s, args->operands[i], &name, &value, &is_hidden))
            return false;
        is_open |= !is_hidden && value.len > 0 && strcmp(buf_str(&name), "VariableValue") == 0;
        if (!is_hidden && value.len > 0 && is_secret(buf_str(&name)))
            return values_refuse_open(s, buf_str(&name));
        if (json_object_set_new(settings, buf_str(&name), json_string(buf_str(&value))) < 0)
            return session_fail(
                s, ARGS_EXIT_USAGE, NULL, "the value of \"%s\" is not UTF-8", buf_str(&name));
    }
    if (is_open && ts_secret_is_flag(output_text(settings, "DoNotShowVariableValue")))
        return values_refuse_open(s, "VariableValue");
    return true;
}

static bool
fill_step(struct session *s, const struct args *args, const char *operation, json_t *body)
{
    bool is_add = strcmp(operation, "add") == 0;
    bool is_set = strcmp(operation, "set") == 0;
    size_t n_wanted = is_add ? 2 : 3;

    if (args->n_operands < n_wanted || (is_set && args->n_operands == n_wanted) ||
        (!is_add && !is_set && args->n_operands > n_wanted))
        return session_fail(s,
                            ARGS_EXIT_USAGE,
                            NULL,
                            "%s wants SEQUENCE%s%s",
                            operation,
                            is_add ? " [NAME=VALUE]..." : " STEP",
                            is_set ? " NAME=VALUE..." : "");
    if (is_add && !args_get(args, "type"))
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "add wants --type");
    set_text(body, "operation", operation);
    if (!is_add)
        set_text(body, "path", args->operands[2]);
    set_text(body, "type", is_add ? args_get(args, "type") : NULL);
    set_text(body, "name", is_add ? args_get(args, "name") : NULL);
    if ((is_add || strcmp(operation, "move") == 0) && !set_place(s, args, body))
        return false;
    return (!is_add && !is_set) || set_settings(s, args, n_wanted, body);
}

bool sequence_step(struct session *s, const struct args *args)
{
    static const char *const operations[] = {"add", "move", "set", "remove"};
    json_t *body = NULL;

    if (strcmp(args->operands[0], "types") == 0)
        return sequence_step_types(s, args);
    body = json_object();
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (strcmp(args->operands[0], operations[i]) != 0)
            continue;
        if (fill_step(s, args, operations[i], body))
            return change(s, "POST", args->operands[1], "/edits", body);
        json_decref(body);
        return false;
    }
    json_decref(body);
    return session_fail(s,
                        ARGS_EXIT_USAGE,
                        NULL,
                        "\"%s\" cannot be done with a step; add, move, set, remove and types can",
                        args->operands[0]);
}

bool sequence_copy(struct session *s, const struct args *args)
{
    bool is_placed = args_get(args, "before") || args_get(args, "after") || args_get(args, "in") ||
                     args_get(args, "first");
    json_t *body = json_object();

    set_text(body, "name", args_get(args, "name"));
    if (args->n_operands < 2)
        return change(s, "POST", args->operands[0], "/copies", body);
    set_text(body, "operation", "copy");
    set_text(body, "path", args->operands[1]);
    if (!is_placed) {
        set_text(body, "where", "after");
        set_text(body, "target", args->operands[1]);
    } else if (!set_place(s, args, body)) {
        json_decref(body);
        return false;
    }
    return change(s, "POST", args->operands[0], "/edits", body);
}

static bool switch_step(struct session *s, const struct args *args, const char *operation)
{
    if (args->n_operands < 2)
        return change(s,
                      "PATCH",
                      args->operands[0],
                      "",
                      json_pack("{s:b}", "is_disabled", (int)(strcmp(operation, "disable") == 0)));
    return change(s,
                  "POST",
                  args->operands[0],
                  "/edits",
                  json_pack("{s:s,s:s}", "operation", operation, "path", args->operands[1]));
}

bool sequence_enable(struct session *s, const struct args *args)
{
    return switch_step(s, args, "enable");
}

bool sequence_disable(struct session *s, const struct args *args)
{
    return switch_step(s, args, "disable");
}

bool sequence_set(struct session *s, const struct args *args)
{
    json_t *body = json_object();

    set_text(body, "name", args_get(args, "name"));
    set_text(body, "description", args_get(args, "description"));
    set_text(body, "boot_image_id", args_get(args, "boot-image"));
    if (!sequence_read_map(s, args, body)) {
        json_decref(body);
        return false;
    }
    if (json_object_size(body) == 0) {
        json_decref(body);
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "nothing to change is given");
    }
    return change(s, "PATCH", args->operands[0], "", body);
}

bool sequence_delete(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    sequence_path(&path, args->operands[0], "");
    return session_open(s) && session_delete(s, buf_str(&path), "");
}

bool sequence_history(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"VERSION", "version", OUTPUT_TEXT},
        {"AUTHOR", "author", OUTPUT_TEXT},
        {"TIME (UTC)", "created_at", OUTPUT_TIME},
        {"CHANGE", "note", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *versions = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    sequence_path(&path, args->operands[0], "/versions");
    return session_open(s) && session_get(s, &versions, "%s", buf_str(&path)) &&
           session_print_list(s, output_at(versions, "items"), columns);
}

static bool set_number(struct session *s, const struct args *args, const char *option, json_t *body)
{
    const char *text = args_get(args, option);
    uint64_t n;

    if (!text)
        return true;
    if (!bytes_parse_u64(bytes_of(text), 1, NUMBER_MAX, &n))
        return session_fail(s, ARGS_EXIT_USAGE, NULL, "--%s wants the number of a version", option);
    return json_object_set_new(body, option, json_integer((json_int_t)n)) == 0;
}

/* Of a script. */
static void put_lines(const char *lines, struct buf *ret)
{
    while (*lines) {
        size_t len = strcspn(lines, "\n");

        buf_adds(ret, "    ");
        output_put_safe(ret, lines, len);
        buf_adds(ret, "\n");
        lines += len + (lines[len] == '\n' ? 1 : 0);
    }
}

/* One sentence per line; for spreadsheets a row. */
static bool print_changes(struct session *s, json_t *diff)
{
    static const struct output_column columns[] = {
        {"STEP", "path", OUTPUT_TEXT},
        {"CHANGE", "change", OUTPUT_TEXT},
        {"ITEM", "item", OUTPUT_TEXT},
        {"PROPERTY", "property", OUTPUT_TEXT},
        {"FROM", "from", OUTPUT_TEXT},
        {"TO", "to", OUTPUT_TEXT},
        {"TEXT", "text", OUTPUT_TEXT},
        {0},
    };
    OWN(buf_fini) struct buf text = BUF_INIT(OUTPUT_MAX_BYTES);
    const json_t *changes = output_at(diff, "changes");

    if (s->format == ARGS_FORMAT_CSV || s->format == ARGS_FORMAT_NAME)
        return session_print_list(s, output_at(diff, "changes"), columns);
    if (s->format != ARGS_FORMAT_TABLE)
        return session_print_fields(s, diff, (const struct output_column[]){{0}});
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *change = json_array_get(changes, i);
        const char *sentence = output_text(change, "text");

        output_put_safe(&text, sentence, strlen(sentence));
        buf_adds(&text, "\n");
        put_lines(output_text(change, "lines"), &text);
    }
    if (json_array_size(changes) == 0)
        buf_adds(&text, "No changes\n");
    return session_write(s, &text);
}

/* From a file to another. @ret_is_done: both are there */
static bool diff_files(struct session *s, const struct args *args, json_t **ret, bool *ret_is_done)
{
    OWN(buf_fini) struct buf before = BUF_INIT(FILE_MAX_BYTES);
    OWN(buf_fini) struct buf after = BUF_INIT(FILE_MAX_BYTES);
    const char *wanted = args_get(args, "sequence");
    bool is_there = false;

    if (args->n_operands < 2 || args_get(args, "from") || args_get(args, "to"))
        return true;
    if (!sequence_read_content(s, args->operands[0], &before, &is_there))
        return false;
    if (!is_there)
        return true;
    *ret_is_done = true;
    return sequence_read_content(s, args->operands[1], &after, NULL) &&
           sequence_file_diff(
               s,
               &(struct sequence_file){args->operands[0], buf_bytes(&before), wanted},
               &(struct sequence_file){args->operands[1], buf_bytes(&after), wanted},
               ret);
}

static bool diff_at_site(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *diff = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    json_t *body = json_object();

    /* which of a file: the site takes a file with one */
    if (!sequence_choose_from_file(s, args_get(args, "sequence")) ||
        !set_number(s, args, "from", body) || !set_number(s, args, "to", body) ||
        (args->n_operands > 1 && !sequence_read(s, args->operands[1], body, NULL)) ||
        !session_open(s)) {
        json_decref(body);
        return false;
    }
    sequence_path(&path, args->operands[0], "/diff");
    return session_call(s, "POST", buf_str(&path), body, &diff) && print_changes(s, diff);
}

bool sequence_diff(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *diff = NULL;
    bool is_done = false;

    if (!diff_files(s, args, &diff, &is_done))
        return false;
    return is_done ? print_changes(s, diff) : diff_at_site(s, args);
}
