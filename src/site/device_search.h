/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Devices that fit a filter
 */

#include "site/rows.h"
#include "site/site.h"

enum {
    DEVICE_SEARCH_LOOKS = 20000, /* at devices, for one page */
    DEVICE_SEARCH_FIELDS_MAX = 255,
};

/**
 * device_search() - a page of the devices that fit
 * @filter: in the filter language; NULL: all
 * @fields: names of members that the items are to have, separated by commas; NULL: all. "id" is always there
 *
 * A page ends when it is full, or after DEVICE_SEARCH_LOOKS: so it may have few items, or none, and yet a next one.
 */
int device_search(struct site *site,
                  const char *filter,
                  const char *fields,
                  const struct page *page,
                  json_t **ret);
