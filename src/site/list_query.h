/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What is asked of a list beside a page of it: which items, in what order, which of their members
 *
 * The same for every list, by what the contract says about its items (struct permission_list). Items are JSON, and what can be
 * asked is what is shown.
 */

#include <jansson.h>

#include "site/filter.h"
#include "site/permission.h"

struct site;

enum {
    LIST_KEYS_MAX = 4,
    LIST_NAMES_MAX_BYTES = 255, /* of order_by and of fields */
    LIST_KEY_TEXT_MAX = 200,    /* bytes of a text that count for the order */
};

/* Items by their own members; ties are broken by what tells them apart. */
struct list_order {
    const struct permission_list *list; /* borrowed */
    struct {
        const char *name; /* borrowed from the list */
        bool is_descending;
    } keys[LIST_KEYS_MAX];
    size_t n_keys; /* 0: the order in which the list comes */
};

/**
 * list_order_parse() - read "name, created_at desc"
 *
 * Return: 0 or SITE_E_REFUSED.
 */
int list_order_parse(struct site *site,
                     const char *text,
                     const struct permission_list *list,
                     struct list_order *ret);

/* By what an item is put in its place: an array, owned by the caller; NULL: no memory. */
json_t *list_order_key(const struct list_order *order, const json_t *item);

/* Below 0, 0, above 0: which of two keys comes first. Keys need not come from list_order_key(): a cursor may hold anything. */
int list_order_compare(const struct list_order *order, const json_t *a, const json_t *b);

/**
 * list_filter_parse() - read a filter over members of the items
 * @ret: owned by the caller
 *
 * Return: 0, SITE_E_REFUSED, or -ENOMEM.
 */
int list_filter_parse(struct site *site,
                      const char *text,
                      const struct permission_list *list,
                      struct filter **ret);

bool list_filter_match(const struct filter *filter, const json_t *item);

/* Names that the list's items have not are refused. */
int list_fields_check(struct site *site, const char *fields, const struct permission_list *list);

/* Leave only the members that are asked for, and the one that tells the items apart. */
void list_fields_keep(json_t *item, const char *fields, const struct permission_list *list);
