/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/list_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "server/site/change.h"
#include "server/site/readers.h"

enum {
    ASKED_LEAST = 100, /* items at once, when some of them will not fit */
    LOOKS_MAX = 20000, /* at items, for one page with a filter */
    LONG_LOOKS = 5000, /* at items, after which a list that is looked at as a whole is a long one */
    LONG_RETRY_AFTER_S = 5,
    SORTED_MAX = 250000, /* items of a list that is put in order */
    ADDRESS_MAX_BYTES = 32 * 1024,
};

static void listing_fini(struct listing *l)
{
    if (l->is_long)
        readers_end_long(l->api->readers);
    filter_free(l->filter);
    buf_fini(&l->question);
    json_decref(l->place);
    json_decref(l->answer);
    json_decref(l->items);
    json_decref(l->next);
    for (size_t i = 0; i < l->n_best; i++) {
        json_decref(l->best[i].key);
        json_decref(l->best[i].item);
    }
    free(l->best);
}

static void put_encoded(struct buf *dst, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text; text++) {
        if (strchr(plain, *text))
            buf_add(dst, (struct bytes){(const uint8_t *)text, 1});
        else
            buf_addf(dst, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

/* How much of a list is wanted, not which one. */
static bool is_about_page(const char *name)
{
    return strcmp(name, "limit") == 0 || strcmp(name, "fields") == 0;
}

/* The address of what is asked, without a cursor. @is_question: and without what makes no other question of it */
static void put_address(const struct listing *l, bool is_question, struct buf *dst)
{
    char separator = '?';

    buf_adds(dst, http_path(l->x));
    for (const char *const *name = l->permission->queries; *name; name++) {
        const char *value = http_query(l->x, *name);

        if (!value || strcmp(*name, "after") == 0 || (is_question && is_about_page(*name)))
            continue;
        buf_addf(dst, "%c%s=", separator, *name);
        put_encoded(dst, value);
        separator = '&';
    }
}

static int read_cursor(struct listing *l)
{
    const char *after = http_query(l->x, "after");
    int r;

    l->question = BUF_INIT(ADDRESS_MAX_BYTES);
    put_address(l, true, &l->question);
    if (l->question.failed)
        return ERR(-ENOMEM);
    if (!after || after[0] == '\0')
        return 0;
    r = cursor_parse(l->api->site, buf_str(&l->question), after, &l->place);
    if (r != CURSOR_E_FOREIGN)
        return TRACE(r);
    return refuse(
        l->api->site,
        REFUSAL_CURSOR,
        "\"after\" must be the `next` of an answer to the same question. Begin again without it.");
}

static int read_query(struct listing *l)
{
    const struct permission_list *list = l->permission->list;
    const char *limit = http_query(l->x, "limit");
    const char *filter = list->has_filter ? http_query(l->x, "filter") : NULL;
    const char *order = list->has_order ? http_query(l->x, "order_by") : NULL;
    int r = 0;

    l->limit = ROWS_LIMIT;
    l->order.list = list;
    l->fields = list->has_fields ? http_query(l->x, "fields") : NULL;
    if (limit && !bytes_parse_u64(bytes_of(limit), 1, ROWS_LIMIT_MAX, &l->limit))
        r = refuse_parameter(
            l->api->site, "limit", "\"limit\" must be a number from 1 to %d.", ROWS_LIMIT_MAX);
    if (r == 0 && filter)
        r = list_filter_parse(l->api->site, filter, list, &l->filter);
    if (r == 0 && order)
        r = list_order_parse(l->api->site, order, list, &l->order);
    if (r == 0 && l->fields)
        r = list_fields_check(l->api->site, l->fields, list);
    return r == 0 ? read_cursor(l) : TRACE(r);
}

int list_ask(struct listing *l, const char *after, size_t limit)
{
    struct api_capture capture = {
        .after = after, .limit = (unsigned)limit, .is_by_name = l->is_by_name};
    int r = api_capture(l->api, l->x, l->route->handle, &capture);

    if (r < 0)
        return TRACE(r);
    json_decref(l->answer);
    l->answer = capture.value;
    l->is_answered = capture.r != 0;
    if (capture.r == API_CAPTURE_NOTHING)
        return ERR(-ENOMSG); /* a list that is not answered as one */
    return capture.r != 0 ? TRACE(api_finish(l->api, l->x, capture.r, 0, NULL)) : 0;
}

json_t *list_answered(const struct listing *l)
{
    return json_object_get(l->answer, "items");
}

/* How many items of the answer are needed to have @room that fit; 0: all of them. */
static size_t count_needed(const struct listing *l, size_t room)
{
    const json_t *items = list_answered(l);
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(items); i++) {
        n += list_filter_match(l->filter, json_array_get(items, i)) ? 1 : 0;
        if (n == room && i + 1 < json_array_size(items))
            return i + 1;
    }
    return 0;
}

static int take_fitting(struct listing *l)
{
    const json_t *items = list_answered(l);

    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *item = json_array_get(items, i);

        if ((!l->filter || list_filter_match(l->filter, item)) &&
            json_array_append(l->items, item) < 0)
            return ERR(-ENOMEM);
    }
    return 0;
}

bool list_is_end(const struct listing *l, const char *after)
{
    const char *next = json_string_value(json_object_get(l->answer, "next"));

    return !next || (json_array_size(list_answered(l)) == 0 &&
                     (strcmp(next, after) == 0 || strcmp(next, "0") == 0));
}

/* As many as fit into the rest of the page; where they end, the handler's next page begins. @after: moves on */
static int take_part(struct listing *l, char after[static CURSOR_TEXT_MAX], bool *ret_is_end)
{
    size_t room = l->limit - json_array_size(l->items);
    size_t limit = !l->filter || room > ASKED_LEAST ? room : ASKED_LEAST;
    size_t needed;
    int r = list_ask(l, after, limit);

    if (r < 0 || l->is_answered)
        return TRACE(r);
    needed = l->filter ? count_needed(l, room) : 0;
    if (needed > 0)
        r = list_ask(l, after, needed);
    if (r < 0 || l->is_answered)
        return TRACE(r);
    l->n_looks += json_array_size(list_answered(l));
    *ret_is_end = list_is_end(l, after);
    (void)snprintf(after,
                   CURSOR_TEXT_MAX,
                   "%s",
                   json_string_value(json_object_get(l->answer, "next"))
                       ? json_string_value(json_object_get(l->answer, "next"))
                       : "");
    return TRACE(take_fitting(l));
}

/* In the list's own order. */
static int take_in_turn(struct listing *l)
{
    char after[CURSOR_TEXT_MAX];
    const char *place = json_string_value(json_object_get(l->place, "after"));
    bool is_over = false;
    int r = 0;

    (void)snprintf(after, sizeof(after), "%s", place ? place : "");
    while (r == 0 && !is_over && !l->is_answered && json_array_size(l->items) < l->limit &&
           l->n_looks < LOOKS_MAX) {
        r = take_part(l, after, &is_over);
        if (!l->filter)
            break;
    }
    if (r == 0 && !l->is_answered && after[0] != '\0')
        l->next = json_pack("{s:s}", "after", after);
    return TRACE(r);
}

/* Where a key belongs among the best: behind those that are equal. */
static size_t find_place(const struct listing *l, const json_t *key)
{
    size_t low = 0;
    size_t high = l->n_best;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (list_order_compare(&l->order, l->best[middle].key, key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int put_in_order(struct listing *l, json_t *item, size_t cap)
{
    OWN(json_freep) json_t *key = list_order_key(&l->order, item);
    const json_t *behind = json_object_get(l->place, "key");
    size_t at;

    if (!key)
        return ERR(-ENOMEM);
    if (behind && list_order_compare(&l->order, key, behind) <= 0)
        return 0;
    at = find_place(l, key);
    if (at == cap)
        return 0;
    if (l->n_best == cap) {
        l->n_best--;
        json_decref(l->best[l->n_best].key);
        json_decref(l->best[l->n_best].item);
    }
    memmove(&l->best[at + 1], &l->best[at], (l->n_best - at) * sizeof(*l->best));
    l->best[at] = (struct placed){TAKE(key), json_incref(item)};
    l->n_best++;
    return 0;
}

static int put_all_in_order(struct listing *l, size_t cap)
{
    const json_t *items = list_answered(l);
    int r = 0;

    for (size_t i = 0; i < json_array_size(items) && r == 0; i++) {
        json_t *item = json_array_get(items, i);

        if (!l->filter || list_filter_match(l->filter, item))
            r = put_in_order(l, item, cap);
    }
    l->n_looks += json_array_size(items);
    return TRACE(r);
}

static int take_best(struct listing *l)
{
    size_t n = l->n_best < l->limit ? l->n_best : l->limit;

    for (size_t i = 0; i < n; i++)
        if (json_array_append(l->items, l->best[i].item) < 0)
            return ERR(-ENOMEM);
    if (l->n_best > l->limit)
        l->next = json_pack("{s:O}", "key", l->best[n - 1].key);
    return 0;
}

int list_check_long(struct listing *l)
{
    if (l->is_long || l->n_looks < LONG_LOOKS)
        return 0;
    l->is_long = readers_begin_long(l->api->readers);
    if (l->is_long)
        return 0;
    (void)refuse(
        l->api->site,
        REFUSAL_TOO_BUSY,
        "Another long list is being put in order or written as CSV. Ask again in a few seconds.");
    l->api->site->refusal.retry_after_s = LONG_RETRY_AFTER_S;
    return SITE_E_REFUSED;
}

/* The whole list is looked at, and the first of what comes behind the place are kept. */
static int take_in_order(struct listing *l)
{
    char after[CURSOR_TEXT_MAX] = "";
    bool is_over = false;
    size_t cap = l->limit + 1;

    l->best = calloc(cap, sizeof(*l->best));
    if (!l->best)
        return ERR(-ENOMEM);
    while (!is_over) {
        int r = list_check_long(l);

        if (r == 0)
            r = list_ask(l, after, ROWS_LIMIT_MAX);
        if (r == 0 && !l->is_answered)
            r = put_all_in_order(l, cap);
        if (r != 0 || l->is_answered)
            return TRACE(r);
        if (l->n_looks > SORTED_MAX)
            return refuse(
                l->api->site,
                REFUSAL_TOO_LONG,
                "More than %d items would have to be put in order. Ask for fewer with a filter of the list's "
                "own, or take them as they come.",
                SORTED_MAX);
        is_over = list_is_end(l, after);
        if (!is_over)
            (void)snprintf(
                after, sizeof(after), "%s", json_string_value(json_object_get(l->answer, "next")));
    }
    return TRACE(take_best(l));
}

static int sort_items(struct listing *l)
{
    size_t n = json_array_size(l->items);
    OWN(json_freep) json_t *sorted = json_array();
    int r = 0;

    l->best = calloc(n + 1, sizeof(*l->best));
    if (!l->best || !sorted)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < n && r == 0; i++)
        r = put_in_order(l, json_array_get(l->items, i), n);
    for (size_t i = 0; i < l->n_best && r == 0; i++)
        if (json_array_append(sorted, l->best[i].item) < 0)
            r = ERR(-ENOMEM);
    json_decref(l->items);
    l->items = TAKE(sorted);
    return TRACE(r);
}

/* Of a list that its handler gives whole: all of it, unless a limit is asked for. */
static int take_of_whole(struct listing *l)
{
    OWN(json_freep) json_t *all = NULL;
    size_t first = (size_t)json_integer_value(json_object_get(l->place, "n"));
    size_t limit = http_query(l->x, "limit") ? l->limit : SIZE_MAX;
    size_t n;
    int r = take_fitting(l);

    if (r == 0 && l->order.n_keys > 0)
        r = sort_items(l);
    if (r < 0)
        return TRACE(r);
    all = l->items;
    l->items = json_array();
    n = json_array_size(all);
    for (size_t i = first; i < n && i - first < limit; i++)
        if (json_array_append(l->items, json_array_get(all, i)) < 0)
            return ERR(-ENOMEM);
    if (first < n && n - first > limit) {
        size_t end = first + limit;

        l->next = json_pack("{s:I}", "n", (json_int_t)end);
    }
    return 0;
}

/* Whether an index has the order that is asked for, so that a page need not look at the whole list. */
static bool is_by_name(const struct listing *l)
{
    return l->permission->list->is_by_name && l->order.n_keys == 1 &&
           strcmp(l->order.keys[0].name, "name") == 0 && !l->order.keys[0].is_descending &&
           !http_query(l->x, "filter") && !json_object_get(l->place, "key");
}

static int take(struct listing *l)
{
    int r;

    l->is_by_name = is_by_name(l);

    if (l->permission->list->is_whole) {
        r = list_ask(l, "", ROWS_LIMIT_MAX);
        return r < 0 || l->is_answered ? TRACE(r) : TRACE(take_of_whole(l));
    }
    return l->order.n_keys > 0 && !l->is_by_name ? TRACE(take_in_order(l)) : TRACE(take_in_turn(l));
}

static int add_link(struct listing *l, const char *cursor)
{
    OWN(buf_fini) struct buf link = BUF_INIT(ADDRESS_MAX_BYTES);

    buf_adds(&link, "<");
    put_address(l, false, &link);
    buf_addf(&link, "%cafter=%s>; rel=\"next\"", strchr(buf_str(&link), '?') ? '&' : '?', cursor);
    if (link.failed)
        return ERR(-ENOMEM);
    return TRACE(http_add_header(l->x, "Link", buf_str(&link)));
}

/* What is answered: the handler's answer with our items and our next. */
static int put_page(struct listing *l)
{
    char cursor[CURSOR_TEXT_MAX];
    int r = 0;

    if (l->next)
        r = cursor_put(l->api->site, buf_str(&l->question), l->next, cursor);
    if (r == CURSOR_E_TOO_LONG)
        return refuse_parameter(
            l->api->site,
            "order_by",
            "The members that the list is ordered by are too long to go on from: "
            "order it by fewer, or by others.");
    if (r == 0 && l->next)
        r = add_link(l, cursor);
    if (r < 0)
        return TRACE(r);
    for (size_t i = 0; l->fields && i < json_array_size(l->items); i++)
        list_fields_keep(json_array_get(l->items, i), l->fields, l->permission->list);
    if (l->permission->shown_by && !http_query_name(l->x, 0))
        r = change_add_etag(l->x, l->permission, l->answer);
    if (r < 0)
        return TRACE(r);
    if (json_object_set(l->answer, "items", l->items) < 0 ||
        json_object_set_new(l->answer, "next", l->next ? json_string(cursor) : json_null()) < 0)
        return ERR(-ENOMEM);
    return 0;
}

static int read_format(struct listing *l, bool *ret_is_csv)
{
    const char *format = http_query(l->x, "format");

    *ret_is_csv = format && strcmp(format, "csv") == 0;
    if (!format || *ret_is_csv || strcmp(format, "json") == 0)
        return 0;
    return refuse_parameter(l->api->site, "format", "\"format\" must be json or csv.");
}

int list_handle(struct api *api,
                struct http_exchange *x,
                const struct http_route *route,
                const struct permission *permission)
{
    OWN(listing_fini)
    struct listing l = {
        .api = api,
        .x = x,
        .route = route,
        .permission = permission,
        .items = json_array(),
    };
    bool is_csv = false;
    int r = l.items ? read_query(&l) : ERR(-ENOMEM);

    if (r == 0)
        r = read_format(&l, &is_csv);
    if (r == 0)
        r = is_csv ? list_reply_csv(&l) : take(&l);
    if (r == 0 && is_csv)
        return 0;
    if (r == 0 && l.is_answered)
        return 0;
    if (r == 0)
        r = put_page(&l);
    return TRACE(api_finish(api, x, r, 200, r == 0 ? TAKE(l.answer) : NULL));
}
