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

/* Behind @after. @ret_is_end: there is none that was not looked at */
static int look_at_all(struct search *search, const char *after, bool *ret_is_end)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_select(search->site->db,
                      SQL_DEVICE_SEARCH_SLICE,
                      DB_ARGS(db_text(after), db_u64(DEVICE_SEARCH_LOOKS)),
                      &rows);

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
