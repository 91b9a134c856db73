/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/pxe/tftp_table.h"

#include <assert.h>
#include <stddef.h>

bool tftp_table_find(const struct tftp_table *table, uint32_t source, uint16_t port, unsigned *ret)
{
    for (unsigned i = 0; i < TFTP_TABLE_ROWS; i++) {
        const struct tftp_row *row = &table->rows[i];

        if (!row->is_used || row->source != source || row->port != port)
            continue;
        *ret = i;
        return true;
    }
    return false;
}

bool tftp_table_is_repeat(const struct tftp_table *table, unsigned row, uint64_t now_us)
{
    const struct tftp_row *r = &table->rows[row];

    return !r->is_proven || now_us - r->progress_us < TFTP_TABLE_REPEAT_US;
}

static bool gives_way_before(const struct tftp_row *a, const struct tftp_row *b)
{
    if (a->is_proven != b->is_proven)
        return !a->is_proven;
    return a->progress_us < b->progress_us;
}

/* The row that gives way first; of @source, or of all if NULL. Also counts the rows it looked at. */
static const struct tftp_row *
find_weakest(const struct tftp_table *table, const uint32_t *source, unsigned *ret_n)
{
    const struct tftp_row *weakest = NULL;

    *ret_n = 0;
    for (unsigned i = 0; i < TFTP_TABLE_ROWS; i++) {
        const struct tftp_row *row = &table->rows[i];

        if (!row->is_used || (source && row->source != *source))
            continue;
        ++*ret_n;
        if (!weakest || gives_way_before(row, weakest))
            weakest = row;
    }
    return weakest;
}

static int
evict(const struct tftp_table *table, const struct tftp_row *row, uint64_t now_us, unsigned *ret)
{
    if (row->is_proven && now_us - row->progress_us < TFTP_TABLE_STILL_US)
        return TFTP_TABLE_E_BUSY;
    *ret = (unsigned)(row - table->rows);
    return TFTP_TABLE_E_EVICT;
}

static unsigned first_free(const struct tftp_table *table)
{
    unsigned i = 0;

    while (table->rows[i].is_used)
        i++;
    return i;
}

int tftp_table_admit(
    struct tftp_table *table, uint32_t source, uint16_t port, uint64_t now_us, unsigned *ret)
{
    unsigned n;
    const struct tftp_row *weakest = find_weakest(table, &source, &n);

    if (n >= TFTP_TABLE_ROWS_PER_SOURCE)
        return evict(table, weakest, now_us, ret);
    weakest = find_weakest(table, NULL, &n);
    if (n >= TFTP_TABLE_ROWS)
        return evict(table, weakest, now_us, ret);

    *ret = first_free(table);
    table->rows[*ret] = (struct tftp_row){
        .is_used = true,
        .source = source,
        .port = port,
        .progress_us = now_us,
    };
    table->n_used++;
    return 0;
}

void tftp_table_touch(struct tftp_table *table, unsigned row, uint64_t now_us)
{
    table->rows[row].is_proven = true;
    table->rows[row].progress_us = now_us;
}

void tftp_table_drop(struct tftp_table *table, unsigned row)
{
    assert(table->rows[row].is_used);

    table->rows[row] = (struct tftp_row){0};
    table->n_used--;
}
