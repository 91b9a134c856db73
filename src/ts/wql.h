/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * WQL, the query language of WMI, as far as conditions of task sequences use it
 *
 *     select * from Win32_ComputerSystem where Manufacturer like "%Dell%" and not Model = "x"
 *
 * docs/protocol/sequencer.md has the language and how it compares. Events, associators, "group by" and the
 * like are no queries a condition can have, and are malformed here.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct ts_class;
struct ts_query;

enum {
    TS_WQL_MAX_BYTES = 16384,
    TS_WQL_MAX_DEPTH = 64,   /* parentheses and "not" */
    TS_WQL_MAX_NODES = 2048, /* comparisons and what joins them */
};

/* Outcomes beside 0 */
enum {
    TS_WQL_E_MALFORMED = 1, /* of ts_query_parse() */
    TS_WQL_E_PROPERTY =
        2, /* of ts_query_count(): nobody filled in a property it asks for, or it cannot be compared */
};

/**
 * ts_query_parse() - read a query
 * @why: on TS_WQL_E_MALFORMED, what is wrong is appended
 *
 * Return: 0, TS_WQL_E_MALFORMED or -ENOMEM.
 */
int ts_query_parse(const char *text, struct ts_query **ret, struct buf *why);
void ts_query_free(struct ts_query *query);

/* The class it is about. */
const char *ts_query_class(const struct ts_query *query);

/**
 * ts_query_count() - how many instances it gives
 * @why: on TS_WQL_E_PROPERTY, which property
 *
 * A class without instances has no property that could be missing: it gives none.
 */
int ts_query_count(const struct ts_query *query,
                   const struct ts_class *c,
                   size_t *ret,
                   struct buf *why);

/**
 * ts_query_describe() - append what the properties that it compares are, for people
 *
 * "Manufacturer is \"QEMU\"": of the first instances, each property once.
 */
void ts_query_describe(const struct ts_query *query, const struct ts_class *c, struct buf *ret);

/* Append it, spelled one way. */
void ts_query_put(const struct ts_query *query, struct buf *ret);
