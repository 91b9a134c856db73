/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/csv.h"

#include <string.h>

static bool take_if(struct csv *csv, uint8_t c)
{
    if (csv->rest.len == 0 || csv->rest.ptr[0] != c)
        return false;
    csv->rest.ptr++;
    csv->rest.len--;
    csv->next_line += c == '\n';
    return true;
}

static bool take_end(struct csv *csv)
{
    if (csv->rest.len >= 2 && csv->rest.ptr[0] == '\r' && csv->rest.ptr[1] == '\n')
        (void)take_if(csv, '\r');
    return take_if(csv, '\n');
}

static void add(struct csv *csv)
{
    buf_add(&csv->text, (struct bytes){csv->rest.ptr, 1});
    (void)take_if(csv, csv->rest.ptr[0]);
}

/* Behind the opening quote. Return: whether the closing one is there. */
static bool take_quoted(struct csv *csv)
{
    while (csv->rest.len > 0 && csv->rest.ptr[0] != '\0') {
        if (take_if(csv, '"') && (csv->rest.len == 0 || csv->rest.ptr[0] != '"'))
            return true;
        add(csv);
    }
    return false;
}

static bool is_plain(const struct csv *csv)
{
    uint8_t c = csv->rest.len > 0 ? csv->rest.ptr[0] : '\n';

    if (c == '\r')
        return csv->rest.len < 2 || csv->rest.ptr[1] != '\n';
    return c != ',' && c != '\n' && c != '"' && c != '\0';
}

/* Return: whether it is one, ended as a field must be. */
static bool take_field(struct csv *csv)
{
    if (csv->n_fields >= CSV_FIELDS_MAX)
        return false;
    csv->at[csv->n_fields++] = csv->text.len;
    if (take_if(csv, '"')) {
        if (!take_quoted(csv))
            return false;
    } else {
        while (is_plain(csv))
            add(csv);
    }
    buf_add(&csv->text, (struct bytes){(const uint8_t *)"", 1});
    return csv->rest.len == 0 || csv->rest.ptr[0] == ',' || csv->rest.ptr[0] == '\n' ||
           csv->rest.ptr[0] == '\r';
}

/* What some programs put before UTF-8. */
static void take_mark(struct csv *csv)
{
    static const uint8_t mark[] = {0xEF, 0xBB, 0xBF};

    if (csv->rest.len < sizeof(mark) || memcmp(csv->rest.ptr, mark, sizeof(mark)) != 0)
        return;
    csv->rest.ptr += sizeof(mark);
    csv->rest.len -= sizeof(mark);
}

int csv_next(struct csv *csv)
{
    if (csv->line == 0)
        take_mark(csv);
    csv->n_fields = 0;
    csv->text.max = CSV_ROW_MAX_BYTES;
    buf_clear(&csv->text);
    while (take_end(csv))
        ;
    csv->line = csv->next_line + 1;
    if (csv->rest.len == 0)
        return 0;
    do {
        if (!take_field(csv) || csv->text.failed) {
            csv->rest.len = 0;
            return CSV_E_WRONG;
        }
    } while (take_if(csv, ','));
    if (csv->rest.len > 0 && !take_end(csv)) {
        csv->rest.len = 0;
        return CSV_E_WRONG;
    }
    return CSV_ROW;
}

const char *csv_field(const struct csv *csv, size_t n)
{
    return n < csv->n_fields ? buf_str(&csv->text) + csv->at[n] : "";
}

void csv_fini(struct csv *csv)
{
    buf_fini(&csv->text);
}
