/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Rows as JSON, by the names of their columns
 *
 * "x_at" and "x:time" hold microseconds since 1970 and become RFC 3339 or null; "is_x" becomes true or false; "x:json" holds
 * JSON and becomes the member x. Everything else is a number, a string or null.
 */

#include <stdint.h>

#include <jansson.h>

#include "db/db.h"

struct site;

enum {
    ROWS_LIMIT_MAX = 1000,
    ROWS_LIMIT = 100,
};

/* Which part of a list. */
struct page {
    const char *after; /* cursor; "" for the beginning */
    unsigned limit;    /* 1..ROWS_LIMIT_MAX */
    bool is_by_name;   /* in the order of lower-case names: `after` is one */
    bool is_log; /* `next` is always a cursor, the id is a number and no member of the items */
};

/* The current row. @ret: owned by the caller. */
int rows_object(const struct db_rows *rows, json_t **ret);

/**
 * rows_array() - all rows
 * @ret: owned by the caller
 */
int rows_array(struct db *db, enum db_sql sql, struct db_args args, json_t **ret);

/* The one row; *ret is NULL if there is none. */
int rows_one(struct db *db, enum db_sql sql, struct db_args args, json_t **ret);

/**
 * rows_page() - {"items": […], "next": …}
 * @sql:  parameters 1 and 2 are the cursor and the limit (give page_args()); has a column "id"
 */
int rows_page(
    struct db *db, enum db_sql sql, struct db_args args, const struct page *page, json_t **ret);

/* A member for a statement; NULL where it is missing, null, or of another type. */
struct db_value rows_bool_or_null(const json_t *object, const char *name);
struct db_value rows_number_or_null(const json_t *object, const char *name);

/* Each member of @body in the place of @row's. Return: 0 or -ENOMEM. */
int rows_overwrite(json_t *row, const json_t *body);

/* Parameters 1 and 2 of a list: one row more than asked for, to know whether there is a next page. */
struct db_value page_after(const struct page *page);
struct db_value page_limit(const struct page *page);
