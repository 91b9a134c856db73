/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/csv_parts.h"

/* With its end; quotes that do not match take all there is, and the site says so. @ret_n: line ends in it */
static struct bytes take_row(struct csv_parts *parts, size_t *ret_n)
{
    struct bytes row = {parts->rest.ptr, 0};
    bool is_quoted = false;
    bool is_end = false;

    while (row.len < parts->rest.len && !is_end) {
        uint8_t c = parts->rest.ptr[row.len++];

        is_quoted ^= c == '"';
        *ret_n += c == '\n';
        is_end = c == '\n' && !is_quoted;
    }
    parts->rest.ptr += row.len;
    parts->rest.len -= row.len;
    return row;
}

bool csv_parts_next(struct csv_parts *parts, size_t n_rows, struct buf *ret)
{
    bool is_first = !parts->head.ptr;

    if (is_first)
        parts->head = take_row(parts, &parts->n_behind);
    if (parts->rest.len == 0 && !is_first)
        return false;
    parts->n_lines = parts->n_behind;
    buf_clear(ret);
    buf_add(ret, parts->head);
    for (size_t i = 0; i < n_rows && parts->rest.len > 0; i++)
        buf_add(ret, take_row(parts, &parts->n_behind));
    return true;
}

size_t csv_parts_line(const struct csv_parts *parts, size_t line)
{
    size_t n_head = 0;

    for (size_t i = 0; i < parts->head.len; i++)
        n_head += parts->head.ptr[i] == '\n';
    return line <= n_head ? line : line - n_head + parts->n_lines;
}
