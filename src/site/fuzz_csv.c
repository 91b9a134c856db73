/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/csv.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_quoted(struct buf *dst, const char *text)
{
    buf_adds(dst, "\"");
    for (; *text; text++)
        buf_adds(dst, *text == '"' ? "\"\"" : (char[]){*text, '\0'});
    buf_adds(dst, "\"");
}

/* A row written down again, all of it in quotes, is read as the same row. */
static void expect_same(const struct csv *csv)
{
    OWN(buf_fini) struct buf text = BUF_INIT((size_t)4 * CSV_ROW_MAX_BYTES);
    OWN(csv_fini) struct csv again = {0};

    for (size_t i = 0; i < csv->n_fields; i++) {
        buf_adds(&text, i > 0 ? "," : "");
        put_quoted(&text, csv_field(csv, i));
    }
    again.rest = buf_bytes(&text);
    if (csv_next(&again) != CSV_ROW || again.n_fields != csv->n_fields)
        abort();
    for (size_t i = 0; i < csv->n_fields; i++)
        if (strcmp(csv_field(csv, i), csv_field(&again, i)) != 0)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(csv_fini) struct csv csv = {.rest = {data, size}};
    size_t line = 0;

    while (csv_next(&csv) == CSV_ROW) {
        if (csv.line <= line || csv.line > size + 1)
            abort();
        line = csv.line;
        expect_same(&csv);
    }
    return 0;
}
