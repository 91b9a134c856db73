/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/device_search.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/access.h"
#include "site/device.h"
#include "site/device_facts.h"
#include "site/filter.h"

enum {
    NAMED_MAX =
        2000, /* devices whose names are in a range; of more the first ones soon fill a page in any case */
    NAME_MAX_BYTES = 255,
};

/* Names from one to another, the latter not included, without regard to case. */
struct name_range {
    char from[NAME_MAX_BYTES + 1];
    char to[NAME_MAX_BYTES + 2];
};

struct search {
    struct site *site;
    struct filter *filter; /* owned */
    json_t *items;         /* owned */
    unsigned limit;
    char last[ACCESS_DEVICE_ID_MAX]; /* that was looked at */
    size_t n_looks;
};

static void search_fini(struct search *search)
{
    filter_free(search->filter);
    json_decref(search->items);
}

/* The device of one row, if it fits, and the administrator may see it. */
static int look(struct search *search, const struct db_rows *rows)
{
    OWN(device_facts_fini) struct device_facts facts = {0};
    OWN(json_freep) json_t *item = NULL;
    int r = device_facts_of_row(search->site, rows, search->filter->properties_used, &facts);

    (void)snprintf(search->last, sizeof(search->last), "%s", db_get_text(rows, DEVICE_ID));
    search->n_looks++;
    if (r < 0 || !filter_match(search->filter, device_facts_get, &facts))
        return TRACE(r);
    r = rows_one(search->site->db, SQL_DEVICE_LIST_OF, DB_ARGS(db_text(search->last)), &item);
    if (r == 0 && item && json_array_append(search->items, item) < 0)
        return ERR(-ENOMEM);
    return TRACE(r);
}

/* What comes behind it in the order of any collation, with nothing between that begins with it; 0: nobody knows. */
static char behind(char c)
{
    static const char order[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    const char *at = c ? strchr(order, c) : NULL;

    if (!at)
        return '\0';
    return at[1];
}

/* Names that begin with @start, which is in lower case; more, if it ends in what nobody knows the next of. Return: false: all. */
static bool put_names_from(struct bytes start, struct name_range *ret)
{
    size_t n = start.len;

    while (n > 0 && !behind((char)start.ptr[n - 1]))
        n--;
    if (n == 0)
        return false;
    (void)snprintf(ret->from, sizeof(ret->from), "%.*s", (int)n, (const char *)start.ptr);
    (void)snprintf(ret->to, sizeof(ret->to), "%s", ret->from);
    ret->to[n - 1] = behind(ret->to[n - 1]);
    return true;
}

/* The name and few others: with one more sign it comes later in any collation. */
static bool put_name(struct bytes name, struct name_range *ret)
{
    (void)snprintf(ret->from, sizeof(ret->from), "%.*s", (int)name.len, (const char *)name.ptr);
    (void)snprintf(ret->to, sizeof(ret->to), "%s0", ret->from);
    return true;
}

/* Return: false: all names. */
static bool put_range(enum filter_op op, struct bytes text, struct name_range *ret)
{
    if (text.len == 0 || text.len > NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] > '~')
            return false;
    return op == FILTER_EQ ? put_name(text, ret) : put_names_from(text, ret);
}

static bool is_about_name(const struct filter *filter, const struct filter_term *term)
{
    return strcmp(filter->properties[term->property].name, "name") == 0 &&
           (term->op == FILTER_EQ || term->op == FILTER_STARTS_WITH) &&
           filter->values[term->first_value].type == FILTER_TEXT;
}

/* Where the names of all that fit are, if the filter says so for certain. */
static bool find_range(const struct filter *filter, struct name_range *ret)
{
    for (size_t i = 0; i < filter->n_infix; i++)
        if (filter->infix[i].kind == FILTER_TOKEN_OR || filter->infix[i].kind == FILTER_TOKEN_NOT)
            return false;
    for (size_t i = 0; i < filter->n_terms; i++)
        if (is_about_name(filter, &filter->terms[i]))
            return put_range(
                filter->terms[i].op, filter->values[filter->terms[i].first_value].text, ret);
    return false;
}

/* @ret: whether it is worth it to look at these alone. */
static int are_few(struct site *site, const struct name_range *range, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db,
                     SQL_DEVICE_SEARCH_NAMED_COUNT,
                     DB_ARGS(db_text(range->from), db_text(range->to), db_u64(NAMED_MAX + 1)),
                     &rows);

    *ret = r == DB_ROW && db_get_u64(&rows, 0) <= NAMED_MAX;
    return r < 0 ? TRACE(r) : 0;
}

/* What is to be looked at, behind @after. */
static int select_devices(struct search *search, const char *after, struct db_rows *ret)
{
    struct db *db = search->site->db;
    struct db_value n = db_u64(DEVICE_SEARCH_LOOKS);
    struct name_range range;
    bool is_by_name = find_range(search->filter, &range);
    int r = is_by_name ? are_few(search->site, &range, &is_by_name) : 0;

    if (r < 0)
        return TRACE(r);
    if (is_by_name)
        return TRACE(db_select(db,
                               SQL_DEVICE_SEARCH_NAMED,
                               DB_ARGS(db_text(after), n, db_text(range.from), db_text(range.to)),
                               ret));
    return TRACE(db_select(db, SQL_DEVICE_SEARCH_SLICE, DB_ARGS(db_text(after), n), ret));
}

/* Behind @after. @ret_is_end: there is none that was not looked at */
static int look_at_all(struct search *search, const char *after, bool *ret_is_end)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = select_devices(search, after, &rows);

    *ret_is_end = false;
    while (r == 0 && json_array_size(search->items) < search->limit) {
        r = db_next(&rows);
        if (r != DB_ROW) {
            *ret_is_end = r == 0 && search->n_looks < DEVICE_SEARCH_LOOKS;
            return TRACE(r);
        }
        r = look(search, &rows);
    }
    return TRACE(r);
}

static int parse(struct site *site, const char *text, struct filter **ret)
{
    struct filter_error error;
    int r = filter_parse(bytes_of(text), device_properties, ret, &error);

    if (r == FILTER_E_SYNTAX)
        return refuse(site, REFUSAL_FILTER, "Column %zu: %s.", error.column, error.what);
    return TRACE(r);
}

static int find(struct site *site, const char *filter, const struct page *page, json_t **ret)
{
    OWN(search_fini)
    struct search search = {.site = site, .items = json_array(), .limit = page->limit};
    bool is_end = false;
    int r = parse(site, filter, &search.filter);

    if (r == 0)
        r = look_at_all(&search, page->after, &is_end);
    if (r != 0)
        return TRACE(r);
    *ret = json_pack("{s:O,s:o}",
                     "items",
                     search.items,
                     "next",
                     is_end ? json_null() : json_string(search.last));
    return *ret ? 0 : ERR(-ENOMEM);
}

int device_search(struct site *site, const char *filter, const struct page *page, json_t **ret)
{
    return filter ? TRACE(find(site, filter, page, ret)) : TRACE(device_list(site, page, ret));
}
