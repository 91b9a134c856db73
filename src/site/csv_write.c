/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/csv_write.h"

#include "base/csv_text.h"

static void put_text(struct buf *dst, const char *text)
{
    buf_adds(dst, "\"");
    csv_put_inside(dst, text, true);
    buf_adds(dst, "\"");
}

/* The texts of an array; what else is in it has no place in a cell. */
static void put_texts(struct buf *dst, const json_t *array)
{
    buf_adds(dst, "\"");
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *text = json_string_value(json_array_get(array, i));

        buf_adds(dst, i && text ? " " : "");
        csv_put_inside(dst, text ? text : "", i == 0);
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
