/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/output.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <libsmartcols/libsmartcols.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "cli/when.h"
#include "cli/yaml.h"
#include "rt/log.h"

enum {
    CELL_MAX_BYTES = 4096,
    CELL_SAFE_MAX_BYTES = 4 * CELL_MAX_BYTES, /* each byte as \xNN */
    KEY_MAX_BYTES = 64,
    US_PER_MS = 1000,
};

static void table_freep(struct libscols_table **table)
{
    scols_unref_table(*table);
}

json_t *output_at(const json_t *value, const char *path)
{
    while (value) {
        char key[KEY_MAX_BYTES];
        size_t n = strcspn(path, ".");

        if (n >= sizeof(key))
            return NULL;
        memcpy(key, path, n);
        key[n] = '\0';
        if (!path[n])
            return json_object_get(value, key);
        value = json_object_get(value, key);
        path += n + 1;
    }
    return NULL;
}

const char *output_text(const json_t *value, const char *path)
{
    const char *text = json_string_value(output_at(value, path));

    return text ? text : "";
}

uint64_t output_u64(const json_t *value, const char *path)
{
    json_int_t n = json_integer_value(output_at(value, path));

    return n > 0 ? (uint64_t)n : 0;
}

void output_put_safe(struct buf *dst, const char *text, size_t len)
{
    char safe[CELL_MAX_BYTES];

    while (len > 0) {
        size_t n = 0;

        while (n < len && !(text[n] && strchr("\"'\\", text[n])))
            n++;
        if (n > 0)
            buf_adds(dst, log_escape(safe, sizeof(safe), text, n));
        if (n < len)
            buf_add(dst, (struct bytes){(const uint8_t *)text + n++, 1});
        text += n;
        len -= n;
    }
}

static void put_scalar(struct buf *dst, const json_t *value)
{
    if (json_is_string(value))
        output_put_safe(dst, json_string_value(value), json_string_length(value));
    else if (json_is_integer(value))
        buf_addf(dst, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        buf_addf(dst, "%g", json_real_value(value));
    else if (json_is_boolean(value))
        buf_adds(dst, json_is_true(value) ? "yes" : "no");
}

static void put_list(struct buf *dst, const json_t *list)
{
    size_t n = json_array_size(list);

    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_adds(dst, ", ");
        put_scalar(dst, json_array_get(list, i));
    }
}

static void put_time(struct buf *dst, const json_t *value)
{
    struct bytes text = bytes_of(json_is_string(value) ? json_string_value(value) : "");
    uint64_t us;

    if (!when_parse(text, &us)) {
        put_scalar(dst, value);
        return;
    }
    buf_add(dst, (struct bytes){text.ptr, 10});
    buf_adds(dst, " ");
    buf_add(dst, (struct bytes){text.ptr + 11, 8});
}

uint64_t output_step(const json_t *row, const char *path)
{
    uint64_t number = output_u64(row, path) + 1;
    uint64_t n_steps = output_u64(row, "n_steps");

    return n_steps > 0 && number > n_steps ? n_steps : number;
}

static void put_code(struct buf *dst, json_int_t code)
{
    if (code < 0)
        buf_addf(dst, "0x%08" PRIX32, (uint32_t)code);
    else if (code > 0)
        buf_addf(dst, "%" JSON_INTEGER_FORMAT, code);
}

void output_put_cell(struct buf *dst, const json_t *row, const struct output_column *column)
{
    const json_t *value = output_at(row, column->path);

    if (!value || json_is_null(value))
        return;
    if (json_is_array(value)) {
        put_list(dst, value);
        return;
    }
    switch (column->kind) {
    case OUTPUT_TEXT:
        put_scalar(dst, value);
        return;
    case OUTPUT_BYTES:
        when_put_bytes(dst, output_u64(row, column->path));
        return;
    case OUTPUT_TIME:
        put_time(dst, value);
        return;
    case OUTPUT_SPAN:
        when_put_span(dst, output_u64(row, column->path) * US_PER_MS);
        return;
    case OUTPUT_PLACE:
        if (output_u64(row, column->path) > 0)
            put_scalar(dst, value);
        return;
    case OUTPUT_CODE:
        put_code(dst, json_integer_value(value));
        return;
    case OUTPUT_STEP:
        buf_addf(dst, "%" PRIu64, output_step(row, column->path));
        return;
    }
}

static bool is_right(const struct output_column *column)
{
    return column->kind == OUTPUT_BYTES || column->kind == OUTPUT_SPAN ||
           column->kind == OUTPUT_STEP || column->kind == OUTPUT_PLACE;
}

static int add_columns(struct libscols_table *table, const struct output_column *columns)
{
    for (const struct output_column *c = columns; c->title; c++) {
        int flags = is_right(c) ? SCOLS_FL_RIGHT : 0;

        if (!scols_table_new_column(table, c->title, 0, flags))
            return ERR(-ENOMEM);
    }
    return 0;
}

static int
add_row(struct libscols_table *table, const json_t *row, const struct output_column *columns)
{
    struct libscols_line *line = scols_table_new_line(table, NULL);

    if (!line)
        return ERR(-ENOMEM);
    for (size_t i = 0; columns[i].title; i++) {
        OWN(buf_fini) struct buf cell = BUF_INIT(CELL_SAFE_MAX_BYTES);

        output_put_cell(&cell, row, &columns[i]);
        if (scols_line_set_data(line, i, buf_str(&cell)) != 0)
            return ERR(-ENOMEM);
    }
    return 0;
}

int output_put_table(struct buf *dst, const json_t *rows, const struct output_column *columns)
{
    OWN(table_freep) struct libscols_table *table = scols_new_table();
    OWN(freep) char *text = NULL;
    size_t n = json_array_size(rows);
    int r;

    if (!table)
        return ERR(-ENOMEM);
    scols_table_enable_noencoding(table, 1); /* cells are safe already */
    r = add_columns(table, columns);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = add_row(table, json_array_get(rows, i), columns);
    if (r < 0)
        return TRACE(r);
    if (n == 0)
        return 0;
    if (scols_print_table_to_string(table, &text) != 0)
        return ERR(-ENOMEM);
    buf_addf(dst, "%s\n", text); /* libsmartcols leaves the last line open */
    return 0;
}

void output_put_fields(struct buf *dst, const json_t *value, const struct output_column *columns)
{
    size_t width = 0;

    for (const struct output_column *c = columns; c->title; c++)
        width = strlen(c->title) > width ? strlen(c->title) : width;
    for (const struct output_column *c = columns; c->title; c++) {
        OWN(buf_fini) struct buf cell = BUF_INIT(CELL_SAFE_MAX_BYTES);

        output_put_cell(&cell, value, c);
        if (cell.len > 0)
            buf_addf(dst, "%s:%*s %s\n", c->title, (int)(width - strlen(c->title)), "", cell.ptr);
    }
}

int output_put_value(struct buf *dst, json_t *value, enum args_format format, bool is_terminal)
{
    OWN(freep) char *text = NULL;

    if (format == ARGS_FORMAT_YAML) {
        yaml_put(dst, value);
    } else {
        size_t flags = JSON_INDENT(2) | JSON_ENCODE_ANY | (is_terminal ? JSON_ENSURE_ASCII : 0u);

        text = json_dumps(value, flags);
        if (!text)
            return ERR(-ENOMEM);
        buf_adds(dst, text);
        buf_adds(dst, "\n");
    }
    return dst->failed ? ERR(-ENOMEM) : 0;
}
