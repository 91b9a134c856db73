/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/rows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "site/site.h"

#define JSON_SUFFIX ":json"
#define TIME_SUFFIX ":time"

enum {
    NAME_CURSOR_MAX = 1024,
};

static bool ends_with(const char *text, const char *suffix)
{
    size_t a = strlen(text);
    size_t b = strlen(suffix);

    return a >= b && strcmp(text + a - b, suffix) == 0;
}

static json_t *time_value(uint64_t us)
{
    char text[CLOCK_TEXT_MAX];

    clock_put_rfc3339(text, us);
    return json_string(text);
}

/* A text that is not UTF-8 cannot be JSON: it is shown as what it is, unreadable. */
static json_t *text_value(const char *text)
{
    json_t *value = json_string(text);

    return value ? value : json_string("\xef\xbf\xbd");
}

/* A whole number that may be below zero. */
static json_t *signed_value(const char *text)
{
    bool is_negative = text[0] == '-';
    uint64_t n = 0;

    (void)bytes_parse_u64(bytes_of(text + (is_negative ? 1 : 0)), 0, INT64_MAX, &n);
    return json_integer(is_negative ? -(json_int_t)n : (json_int_t)n);
}

static json_t *column_value(const struct db_rows *rows, size_t column, const char *name)
{
    enum db_type type = db_column_type(rows, column);

    if (type == DB_NULL)
        return json_null();
    if (ends_with(name, JSON_SUFFIX))
        return json_loads(db_get_text(rows, column), JSON_REJECT_DUPLICATES, NULL);
    if (type == DB_TEXT)
        return text_value(db_get_text(rows, column));
    if (ends_with(name, "_at") || ends_with(name, TIME_SUFFIX))
        return time_value(db_get_u64(rows, column));
    if (strncmp(name, "is_", 3) == 0 || strncmp(name, "has_", 4) == 0)
        return json_boolean(db_get_bool(rows, column));
    if (ends_with(name, "_code"))
        return signed_value(db_get_text(rows, column));
    return json_integer((json_int_t)db_get_u64(rows, column));
}

int rows_object(const struct db_rows *rows, json_t **ret)
{
    OWN(json_freep) json_t *object = json_object();

    if (!object)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < db_n_columns(rows); i++) {
        const char *name = db_column_name(rows, i);
        char key[64];
        int n = (int)strcspn(name, ":");

        (void)snprintf(key, sizeof(key), "%.*s", n, name);
        if (json_object_set_new(object, key, column_value(rows, i, name)) < 0)
            return ERR(-ENOMEM);
    }
    *ret = TAKE(object);
    return 0;
}

static int add_all(struct db_rows *rows, json_t *array)
{
    int r;

    while ((r = db_next(rows)) == DB_ROW) {
        OWN(json_freep) json_t *object = NULL;

        r = rows_object(rows, &object);
        if (r < 0)
            return TRACE(r);
        if (json_array_append(array, object) < 0)
            return ERR(-ENOMEM);
    }
    return TRACE(r);
}

int rows_array(struct db *db, enum db_sql sql, struct db_args args, json_t **ret)
{
    OWN(json_freep) json_t *array = json_array();
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r;

    if (!array)
        return ERR(-ENOMEM);
    r = db_select(db, sql, args, &rows);
    if (r < 0)
        return TRACE(r);
    r = add_all(&rows, array);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(array);
    return 0;
}

int rows_one(struct db *db, enum db_sql sql, struct db_args args, json_t **ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(db, sql, args, &rows);

    *ret = NULL;
    if (r != DB_ROW)
        return TRACE(r);
    return TRACE(rows_object(&rows, ret));
}

struct db_value page_after(const struct page *page)
{
    uint64_t n = 0;

    if (!page->is_log)
        return db_text(page->after);
    (void)bytes_parse_u64(bytes_of(page->after), 0, INT64_MAX, &n);
    return db_u64(n);
}

struct db_value page_limit(const struct page *page)
{
    return db_u64((uint64_t)page->limit + 1);
}

static json_t *cursor_of(const json_t *item)
{
    const json_t *id = json_object_get(item, "id");
    char text[24];

    if (json_is_string(id))
        return json_string(json_string_value(id));
    (void)snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(id));
    return json_string(text);
}

/* Lower case is that of ASCII, as in the list's order. */
static json_t *cursor_of_name(const json_t *item)
{
    const char *name = json_string_value(json_object_get(item, "name"));
    char text[NAME_CURSOR_MAX];

    (void)snprintf(text, sizeof(text), "%s", name ? name : "");
    for (char *c = text; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    return json_string(text);
}

/* The cursor behind the last item kept. */
static json_t *next_of(const json_t *items, bool has_more, const struct page *page)
{
    size_t n = json_array_size(items);

    if (n > 0 && has_more && page->is_by_name)
        return cursor_of_name(json_array_get(items, n - 1));
    if (n > 0 && (has_more || page->is_log))
        return cursor_of(json_array_get(items, n - 1));
    return page->is_log ? json_string(page->after[0] ? page->after : "0") : json_null();
}

int rows_page(
    struct db *db, enum db_sql sql, struct db_args args, const struct page *page, json_t **ret)
{
    OWN(json_freep) json_t *items = NULL;
    json_t *next;
    int r = rows_array(db, sql, args, &items);
    bool has_more;

    if (r < 0)
        return TRACE(r);
    has_more = json_array_size(items) > page->limit;
    if (has_more)
        (void)json_array_remove(items, page->limit);
    next = next_of(items, has_more, page);
    for (size_t i = 0; page->is_log && i < json_array_size(items); i++)
        (void)json_object_del(json_array_get(items, i), "id");
    *ret = json_pack("{s:o,s:o}", "items", TAKE(items), "next", next);
    return *ret ? 0 : ERR(-ENOMEM);
}

struct db_value rows_bool_or_null(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_boolean(value) ? db_u64(json_is_true(value) ? 1 : 0) : db_null();
}

struct db_value rows_number_or_null(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_integer(value) ? db_u64((uint64_t)json_integer_value(value)) : db_null();
}

int rows_overwrite(json_t *row, const json_t *body)
{
    OWN(json_freep) json_t *copy = json_deep_copy(body);

    return !copy || json_object_update(row, copy) < 0 ? ERR(-ENOMEM) : 0;
}
