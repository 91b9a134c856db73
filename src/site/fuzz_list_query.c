/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "site/list_query.h"
#include "site/site.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct filter_property items[] = {
    {"id", FILTER_TEXT, false, 0},
    {"name", FILTER_TEXT, false, 0},
    {"n", FILTER_NUMBER, false, 0},
    {"is_x", FILTER_TRUTH, false, 0},
    {"at", FILTER_TIME, false, 0},
    {"macs", FILTER_TEXT, true, 0},
    {0},
};
static const char *const names[] = {"id", "name", "n", "is_x", "at", "macs", NULL};
static const struct permission_list list = {items, names, "id", false, true, true, true, false};

static void free_refusal(struct site **site)
{
    json_decref((*site)->refusal.more);
    free(*site);
}

/* Keys of an order are comparable in both directions, and equal to themselves, whatever is in the items. */
static void compare(const struct list_order *order, const json_t *a, const json_t *b)
{
    OWN(json_freep) json_t *x = list_order_key(order, a);
    OWN(json_freep) json_t *y = list_order_key(order, b);
    int forth;
    int back;

    if (!x || !y)
        return;
    forth = list_order_compare(order, x, y);
    back = list_order_compare(order, y, x);
    if ((forth < 0) != (back > 0) || (forth == 0) != (back == 0) ||
        list_order_compare(order, x, x) != 0)
        abort();
    (void)list_order_compare(order, a, b); /* a key from outside may be anything */
}

/* One line is order_by, one fields, one a filter, and the rest an array of items. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(free_refusal) struct site *site = calloc(1, sizeof(*site));
    OWN(freep) char *text = strndup((const char *)data, size);
    OWN(filter_freep) struct filter *filter = NULL;
    OWN(json_freep) json_t *things = NULL;
    struct list_order order;
    char *lines[4] = {text, NULL, NULL, NULL};

    for (size_t i = 1; text && i < 4; i++) {
        lines[i] = strchr(lines[i - 1], '\n');
        if (!lines[i])
            return 0;
        *lines[i]++ = '\0';
    }
    if (!site || !text)
        return 0;
    things = json_loads(lines[3], 0, NULL);
    if (list_filter_parse(site, lines[2], &list, &filter) == 0 && json_is_array(things))
        (void)list_filter_match(filter, json_array_get(things, 0));
    if (list_order_parse(site, lines[0], &list, &order) == 0) {
        if (order.n_keys == 0 || order.n_keys > LIST_KEYS_MAX)
            abort();
        compare(&order, json_array_get(things, 0), json_array_get(things, 1));
    }
    if (list_fields_check(site, lines[1], &list) == 0 && json_is_object(json_array_get(things, 0)))
        list_fields_keep(json_array_get(things, 0), lines[1], &list);
    return 0;
}
