/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Devices that fit a filter
 */

#include "site/rows.h"
#include "site/site.h"

enum {
    DEVICE_SEARCH_LOOKS = 20000, /* at devices, for one page */
};

/**
 * device_search() - a page of the devices that fit
 * @filter: in the filter language; NULL: all
 *
 * A page ends when it is full, or after DEVICE_SEARCH_LOOKS: so it may have few items, or none, and yet a next one.
 */
int device_search(struct site *site, const char *filter, const struct page *page, json_t **ret);
