/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/csv_write.h"

#include <string.h>

#include "base/bytes.h"

#define FORMULA "=+-@\t\r"

static void put_doubled(struct buf *dst, const char *text)
{
    for (; *text; text++) {
        if (*text == '"')
            buf_adds(dst, "\"");
        buf_add(dst, (struct bytes){(const uint8_t *)text, 1});
    }
}

static void put_text(struct buf *dst, const char *text)
{
    buf_adds(dst, text[0] && strchr(FORMULA, text[0]) ? "\"'" : "\"");
    put_doubled(dst, text);
    buf_adds(dst, "\"");
}

/* The texts of an array; what else is in it has no place in a cell. */
static void put_texts(struct buf *dst, const json_t *array)
{
    const char *first = json_string_value(json_array_get(array, 0));

    buf_adds(dst, first && first[0] && strchr(FORMULA, first[0]) ? "\"'" : "\"");
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *text = json_string_value(json_array_get(array, i));

        buf_adds(dst, i && text ? " " : "");
        put_doubled(dst, text ? text : "");
    }
    buf_adds(dst, "\"");
}

static void put_cell(struct buf *dst, const json_t *value)
{
    if (json_is_integer(value))
        buf_addf(dst, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_boolean(value))
        buf_adds(dst, json_is_true(value) ? "yes" : "no");
    else if (json_is_string(value))
        put_text(dst, json_string_value(value));
    else if (json_is_array(value))
        put_texts(dst, value);
}

void csv_put_names(struct buf *dst, const json_t *columns)
{
    for (size_t i = 0; i < json_array_size(columns); i++)
        buf_addf(dst, "%s%s", i ? "," : "", json_string_value(json_array_get(columns, i)));
    buf_adds(dst, "\r\n");
}

void csv_put_item(struct buf *dst, const json_t *columns, const json_t *item)
{
    for (size_t i = 0; i < json_array_size(columns); i++) {
        buf_adds(dst, i ? "," : "");
        put_cell(dst, json_object_get(item, json_string_value(json_array_get(columns, i))));
    }
    buf_adds(dst, "\r\n");
}
