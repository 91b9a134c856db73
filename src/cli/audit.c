/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "cli/audit_chain.h"
#include "cli/session.h"

static void file_close(FILE *file)
{
    (void)fclose(file);
}

DEFINE_FREEP(FILE *, file_close);

enum {
    PATH_MAX_BYTES = 2048,
    PAGE = 1000,
};

/* The next page; @after is moved behind it. */
static bool get_page(struct session *s, const char *object, struct buf *after, json_t **ret)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(session_json_freep) json_t *page = NULL;

    buf_addf(&path, "/audit-log?limit=%d", PAGE);
    if (after->len > 0)
        buf_addf(&path, "&after=%s", buf_str(after));
    if (object) {
        buf_adds(&path, "&object=");
        session_escape(&path, object);
    }
    if (!session_call(s, "GET", buf_str(&path), NULL, &page))
        return false;
    *ret = json_incref(json_object_get(page, "items"));
    buf_fini(after);
    *after = BUF_INIT(PATH_MAX_BYTES);
    session_escape(after, output_text(page, "next"));
    return json_is_array(*ret) || session_no_answer(s, -EBADMSG);
}

static bool put_json_line(struct buf *dst, json_t *record)
{
    OWN(freep) char *text = json_dumps(record, JSON_COMPACT);

    if (!text)
        return false;
    buf_addf(dst, "%s\n", text);
    return true;
}

static const char *const members[] = {"number",
                                      "time",
                                      "time_us",
                                      "who",
                                      "address",
                                      "action",
                                      "object",
                                      "detail",
                                      "before",
                                      "after",
                                      "hash",
                                      "request_id"};

enum {
    N_MEMBERS = sizeof(members) / sizeof(members[0]),
};

/* As RFC 4180 wants it, what is not there without quotes; a value that a spreadsheet would take for a formula is shown as text. */
static void put_csv_cell(struct buf *dst, const char *text)
{
    buf_adds(dst, strchr("=+-@", text[0]) && text[0] ? "\"'" : "\"");
    for (; *text; text++) {
        if (*text == '"')
            buf_adds(dst, "\"");
        buf_add(dst, (struct bytes){(const uint8_t *)text, 1});
    }
    buf_adds(dst, "\"");
}

static bool put_csv_line(struct buf *dst, json_t *record)
{
    for (size_t i = 0; i < N_MEMBERS; i++) {
        const json_t *value = json_object_get(record, members[i]);

        if (i > 0)
            buf_adds(dst, ",");
        if (json_is_null(value))
            continue;
        if (json_is_integer(value))
            buf_addf(dst, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        else
            put_csv_cell(dst, json_is_string(value) ? json_string_value(value) : "");
    }
    buf_adds(dst, "\r\n");
    return true;
}

static bool write_page(struct session *s, json_t *items, bool (*put)(struct buf *, json_t *))
{
    OWN(buf_fini) struct buf text = BUF_INIT(OUTPUT_MAX_BYTES);

    for (size_t i = 0; i < json_array_size(items); i++)
        if (!put(&text, json_array_get(items, i)))
            return session_fail_errno(s, "the result", -ENOMEM);
    return session_write(s, &text);
}

static bool write_csv_head(struct session *s)
{
    OWN(buf_fini) struct buf text = BUF_INIT(PATH_MAX_BYTES);

    for (size_t i = 0; i < N_MEMBERS; i++)
        buf_addf(&text, "%s%s", i > 0 ? "," : "", members[i]);
    buf_adds(&text, "\r\n");
    return session_write(s, &text);
}

bool audit_export(struct session *s, const struct args *args)
{
    OWN(buf_fini) struct buf after = BUF_INIT(PATH_MAX_BYTES);
    const char *format = args_get(args, "format");
    bool is_csv = format && strcmp(format, "csv") == 0;
    size_t n = 1;

    if (!session_open(s) || (is_csv && !write_csv_head(s)))
        return false;
    while (n > 0) {
        OWN(session_json_freep) json_t *items = NULL;

        if (!get_page(s, NULL, &after, &items) ||
            !write_page(s, items, is_csv ? put_csv_line : put_json_line))
            return false;
        n = json_array_size(items);
    }
    return true;
}

bool audit_list(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"#", "number", OUTPUT_TEXT},
        {"TIME (UTC)", "time", OUTPUT_TIME},
        {"WHO", "who", OUTPUT_TEXT},
        {"FROM", "address", OUTPUT_TEXT},
        {"ACTION", "action", OUTPUT_TEXT},
        {"OBJECT", "object", OUTPUT_TEXT},
        {"DETAIL", "detail", OUTPUT_TEXT},
        {"REQUEST", "request_id", OUTPUT_TEXT},
        {0},
    };
    OWN(buf_fini) struct buf after = BUF_INIT(PATH_MAX_BYTES);
    OWN(session_json_freep) json_t *all = json_array();
    size_t n = 1;

    if (!session_open(s))
        return false;
    while (n > 0) {
        OWN(session_json_freep) json_t *items = NULL;

        if (!get_page(s, args_get(args, "object"), &after, &items))
            return false;
        n = json_array_size(items);
        if (!all || json_array_extend(all, items) < 0)
            return session_fail_errno(s, "the result", -ENOMEM);
    }
    return session_print_list(s, all, columns);
}

static const struct output_column verified[] = {
    {"Whole", "is_whole", OUTPUT_TEXT},
    {"Records", "n_records", OUTPUT_TEXT},
    {"Head", "head", OUTPUT_TEXT},
    {"Noted head found", "has_noted", OUTPUT_TEXT},
    {"First bad one", "first_bad", OUTPUT_TEXT},
    {"Why", "why", OUTPUT_TEXT},
    {0},
};

static bool print_verified(struct session *s, json_t *found)
{
    return session_print_fields(s, found, verified) &&
           (json_is_true(json_object_get(found, "is_whole")) ||
            session_fail(
                s, ARGS_EXIT_FAILURE, "SLW-0711", "the audit log is not what was written"));
}

/* @has_noted: set when the chain goes through @noted */
static bool add_lines(
    struct session *s, FILE *file, const char *noted, struct audit_chain *chain, bool *has_noted)
{
    OWN(freep) char *line = NULL;
    size_t cap = 0;

    while (!chain->why && getline(&line, &cap, file) > 0) {
        OWN(session_json_freep) json_t *record = json_loads(line, 0, NULL);

        if (!record && chain->number == 0)
            return session_fail(s,
                                ARGS_EXIT_USAGE,
                                NULL,
                                "this is no exported audit log; write one by slipway audit export");
        if (audit_chain_add(chain, record) && noted && strcmp(chain->head, noted) == 0)
            *has_noted = true;
    }
    return ferror(file) ? session_fail_errno(s, "the file", -EIO) : true;
}

/* An export, with nobody's word but its own. */
static bool verify_file(struct session *s, const char *path, const char *noted)
{
    OWN(session_json_freep) json_t *found = NULL;
    OWN(file_closep) FILE *file = fopen(path, "re");
    struct audit_chain chain = {0};
    bool has_noted = false;

    if (!file)
        return session_fail_errno(s, path, -errno);
    if (!add_lines(s, file, noted, &chain, &has_noted))
        return false;
    found = json_pack(
        "{s:b,s:I,s:s,s:o*,s:o*,s:s*}",
        "is_whole",
        (int)(!chain.why && (!noted || has_noted)),
        "n_records",
        chain.number,
        "head",
        chain.head,
        "has_noted",
        noted ? json_boolean(has_noted) : NULL,
        "first_bad",
        chain.why ? json_integer(chain.number + 1) : NULL,
        "why",
        chain.why ? chain.why
        : noted && !has_noted
            ? "no record has the noted hash: it is another log, or one that ends before it"
            : NULL);
    return print_verified(s, found);
}

bool audit_verify(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *found = NULL;
    const char *noted = args_get(args, "head");

    if (args->n_operands > 0)
        return verify_file(s, args->operands[0], noted);
    if (noted)
        return session_fail(
            s, ARGS_EXIT_USAGE, NULL, "--head is looked for in an export: name the file");
    return session_open(s) && session_call(s, "GET", "/audit-log/verification", NULL, &found) &&
           print_verified(s, found);
}
