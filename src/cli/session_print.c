/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What commands print: lists, single things, text
 */

#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "base/own.h"
#include "cli/output_columns.h"
#include "cli/session.h"

bool session_write(struct session *s, const struct buf *text)
{
    if (text->failed)
        return session_fail_errno(s, "the result", -ENOMEM);
    if (fwrite(buf_str(text), 1, text->len, stdout) == text->len && fflush(stdout) == 0)
        return true;
    s->exit_code = ARGS_EXIT_FAILURE;
    /* who reads it, such as head, has seen enough */
    return errno == EPIPE ? false : session_fail_errno(s, "standard output", -errno);
}

bool session_wants_value(struct session *s)
{
    if (s->format != ARGS_FORMAT_CSV && s->format != ARGS_FORMAT_NAME)
        return true;
    return session_fail(s,
                        ARGS_EXIT_USAGE,
                        NULL,
                        "--output csv and name are for lists and single things, which this command "
                        "does not write; use json or yaml");
}

/* As a table, or as the fields of the only row. */
static int put_table(const struct session *s,
                     struct buf *dst,
                     json_t *rows,
                     const struct output_column *columns,
                     bool is_list)
{
    OWN(output_columns_fini) struct output_columns all = {.n = 0};
    int r = s->is_wide ? output_gather_columns(rows, columns, &all) : 0;

    if (r < 0)
        return TRACE(r);
    if (s->is_wide)
        columns = all.items;
    if (is_list)
        return TRACE(output_put_table(dst, rows, columns));
    output_put_fields(dst, json_array_get(rows, 0), columns);
    return 0;
}

static bool
print_rows(struct session *s, json_t *rows, const struct output_column *columns, bool is_list)
{
    OWN(buf_fini) struct buf text = BUF_INIT(OUTPUT_MAX_BYTES);
    int r = 0;

    switch (s->format) {
    case ARGS_FORMAT_TABLE:
    case ARGS_FORMAT_WIDE:
        r = put_table(s, &text, rows, columns, is_list);
        break;
    case ARGS_FORMAT_CSV:
        r = output_put_csv(&text, rows, columns);
        break;
    case ARGS_FORMAT_NAME:
        output_put_names(&text, rows, columns);
        break;
    case ARGS_FORMAT_JSON:
    case ARGS_FORMAT_YAML:
        r = output_put_value(
            &text, is_list ? rows : json_array_get(rows, 0), s->format, s->is_out_terminal);
        break;
    }
    if (r < 0)
        return session_fail_errno(s, "the result", r);
    return session_write(s, &text);
}

bool session_print_list(struct session *s, json_t *rows, const struct output_column *columns)
{
    return print_rows(s, rows, columns, true);
}

bool session_show_list(struct session *s, const char *path, const struct output_column *columns)
{
    OWN(session_json_freep) json_t *rows = NULL;

    return session_open(s) && session_list(s, path, &rows) && session_print_list(s, rows, columns);
}

bool session_print_fields(struct session *s, json_t *value, const struct output_column *columns)
{
    OWN(session_json_freep) json_t *rows = json_pack("[O]", value);

    return rows ? print_rows(s, rows, columns, false)
                : session_fail_errno(s, "the result", -ENOMEM);
}

bool session_print_part(struct session *s,
                        const char *heading,
                        const json_t *rows,
                        const struct output_column *columns)
{
    OWN(buf_fini) struct buf text = BUF_INIT(OUTPUT_MAX_BYTES);
    int r;

    if (s->format != ARGS_FORMAT_TABLE || json_array_size(rows) == 0)
        return true;
    buf_addf(&text, "\n%s:\n", heading);
    r = output_put_table(&text, rows, columns);
    if (r < 0)
        return session_fail_errno(s, "the result", r);
    return session_write(s, &text);
}
