/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/wql.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "ts/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

DEFINE_FREEP(struct ts_query *, ts_query_free);
DEFINE_FREEP(struct ts_table *, ts_table_free);

enum {
    TEXT_MAX = 4 * TS_WQL_MAX_BYTES,
};

static struct ts_table *make_table(void)
{
    struct ts_table *table = NULL;
    struct ts_instance *one;

    if (ts_table_new(&table) != 0)
        abort();
    one = ts_class_add(table, ts_table_class(table, TS_CIMV2, "A"));
    ts_instance_add_text(table, one, "a", "Latitude 7490");
    ts_instance_add_number(table, one, "b", 7);
    ts_instance_add_boolean(table, one, "c", true);
    ts_instance_add_null(table, one, "d");
    ts_instance_add_text(table, one, "e", "20240102030405.000000+000");
    ts_instance_add_array(table, one, "f");
    ts_instance_add_number(table, one, "f", 9);
    ts_instance_add_number(table, one, "f", 10);
    ts_instance_add_text(table, one, "g", "PCI\\VEN_8086&DEV_591B");
    return table;
}

static size_t count(const struct ts_query *query, const struct ts_class *c)
{
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    size_t n = 0;

    return ts_query_count(query, c, &n, &why) == 0 ? n : SIZE_MAX;
}

/* A query that is written back is the same: it is written the same again, and selects the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(buf_fini) struct buf input = BUF_INIT(TEXT_MAX);
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX);
    OWN(buf_fini) struct buf second = BUF_INIT(TEXT_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(TEXT_MAX);
    OWN(ts_table_freep) struct ts_table *table = make_table();
    OWN(ts_query_freep) struct ts_query *query = NULL;
    OWN(ts_query_freep) struct ts_query *again = NULL;
    const struct ts_class *c = ts_table_at(table, 0);

    buf_add(&input, (struct bytes){data, size});
    if (input.failed || ts_query_parse(buf_str(&input), &query, &why) != 0)
        return 0;
    ts_query_put(query, &text);
    if (text.failed)
        abort();
    if (text.len > TS_WQL_MAX_BYTES)
        return 0;
    if (ts_query_parse(buf_str(&text), &again, &why) != 0)
        abort();
    ts_query_put(again, &second);
    if (strcmp(buf_str(&text), buf_str(&second)) != 0 || count(query, c) != count(again, c))
        abort();
    ts_query_describe(query, c, &why);
    return 0;
}
