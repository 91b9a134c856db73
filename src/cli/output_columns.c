/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/output_columns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/csv_text.h"
#include "base/err.h"
#include "base/own.h"

enum {
    DEPTH_MAX = 4,
    PATH_MAX_BYTES = 256,
};

void output_columns_fini(struct output_columns *columns)
{
    for (size_t i = 0; i < columns->n_texts; i++)
        free(columns->texts[i]);
    columns->n_texts = 0;
}

static bool has(const struct output_columns *columns, const char *path)
{
    for (size_t i = 0; i < columns->n; i++)
        if (strcmp(columns->items[i].path, path) == 0)
            return true;
    return false;
}

/* "size.in_bytes": "SIZE IN BYTES" */
static void make_title(char *text)
{
    static const char small[] = "abcdefghijklmnopqrstuvwxyz._";
    static const char large[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ  ";

    for (; *text; text++) {
        const char *at = strchr(small, *text);

        if (at)
            *text = large[at - small];
    }
}

static int add(struct output_columns *columns, const char *path)
{
    char *texts[2] = {strdup(path), strdup(path)};

    if (!texts[0] || !texts[1]) {
        free(texts[0]);
        free(texts[1]);
        return ERR(-ENOMEM);
    }
    make_title(texts[0]);
    columns->texts[columns->n_texts++] = texts[0];
    columns->texts[columns->n_texts++] = texts[1];
    columns->items[columns->n++] = (struct output_column){texts[0], texts[1], OUTPUT_TEXT};
    return 0;
}

static bool fits_cell(const json_t *value)
{
    const json_t *first = json_is_array(value) ? json_array_get(value, 0) : value;

    return !json_is_object(first) && !json_is_array(first);
}

static int gather(struct output_columns *columns, json_t *row, const char *above, int depth)
{
    const char *name;
    json_t *value;
    int r = 0;

    json_object_foreach(row, name, value)
    {
        OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

        buf_addf(&path, "%s%s%s", above, above[0] ? "." : "", name);
        if (r < 0 || path.failed)
            continue;
        if (json_is_object(value) && depth < DEPTH_MAX)
            r = gather(columns, value, buf_str(&path), depth + 1);
        else if (fits_cell(value) && columns->n < OUTPUT_COLUMNS_MAX &&
                 !has(columns, buf_str(&path)))
            r = add(columns, buf_str(&path));
    }
    return TRACE(r);
}

int output_gather_columns(json_t *rows,
                          const struct output_column *known,
                          struct output_columns *ret)
{
    OWN(output_columns_fini) struct output_columns columns = {.n = 0};
    int r = 0;

    for (; known && known->title && columns.n < OUTPUT_COLUMNS_MAX; known++)
        columns.items[columns.n++] = *known;
    for (size_t i = 0; r == 0 && i < json_array_size(rows); i++)
        r = gather(&columns, json_array_get(rows, i), "", 1);
    if (r < 0)
        return TRACE(r);
    *ret = columns;
    columns.n_texts = 0; /* they are the caller's now */
    return 0;
}

static void put_text(struct buf *dst, const json_t *value, bool is_first)
{
    if (json_is_string(value))
        csv_put_inside(dst, json_string_value(value), is_first);
    else if (json_is_integer(value))
        buf_addf(dst, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        buf_addf(dst, "%.17g", json_real_value(value));
    else if (json_is_boolean(value))
        buf_adds(dst, json_is_true(value) ? "true" : "false");
}

static void put_field(struct buf *dst, const json_t *value)
{
    bool is_quoted = json_is_string(value) || json_is_array(value);

    buf_adds(dst, is_quoted ? "\"" : "");
    for (size_t i = 0; i < json_array_size(value); i++) {
        buf_adds(dst, i > 0 ? " " : "");
        put_text(dst, json_array_get(value, i), i == 0);
    }
    put_text(dst, value, true);
    buf_adds(dst, is_quoted ? "\"" : "");
}

void output_put_csv_head(struct buf *dst, const struct output_column *columns)
{
    for (size_t i = 0; columns[i].title; i++)
        buf_addf(dst, "%s%s", i > 0 ? "," : "", columns[i].path);
    buf_adds(dst, "\r\n");
}

void output_put_csv_row(struct buf *dst, const json_t *row, const struct output_column *columns)
{
    for (size_t i = 0; columns[i].title; i++) {
        buf_adds(dst, i > 0 ? "," : "");
        put_field(dst, output_at(row, columns[i].path));
    }
    buf_adds(dst, "\r\n");
}

int output_put_csv(struct buf *dst, json_t *rows, const struct output_column *columns)
{
    OWN(output_columns_fini) struct output_columns found = {.n = 0};
    bool is_named = columns && columns->title;
    int r = is_named ? 0 : output_gather_columns(rows, NULL, &found);

    if (r < 0)
        return TRACE(r);
    if (!is_named)
        columns = found.items;
    output_put_csv_head(dst, columns);
    for (size_t k = 0; k < json_array_size(rows); k++)
        output_put_csv_row(dst, json_array_get(rows, k), columns);
    return dst->failed ? ERR(-ENOMEM) : 0;
}

void output_put_names(struct buf *dst, const json_t *rows, const struct output_column *columns)
{
    static const struct output_column usual[] = {{"ID", "id", OUTPUT_TEXT},
                                                 {"NAME", "name", OUTPUT_TEXT}};

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        size_t before = dst->len;

        for (size_t k = 0; k < 2 && dst->len == before; k++)
            output_put_cell(dst, row, &usual[k]);
        if (dst->len == before && columns && columns->title)
            output_put_cell(dst, row, columns);
        if (dst->len > before)
            buf_adds(dst, "\n");
    }
}
