/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * When something is due, as it is typed
 *
 *     as-soon-as-possible
 *     2026-11-22T22:00                          once; with a Z at its end in UTC
 *     2026-11-22T22:00 every day
 *     2026-11-22T22:00 every 2 weeks on sun
 *     2026-11-22T22:00 every month on day 31    "on last day"
 *     2026-11-22T22:00 every 3 months on second tue
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"

/**
 * due_parse() - read one
 * @ret: as the API has it (src/site/schedule.h); owned by the caller; set if true is returned
 * @why: what is wrong, in one line, otherwise
 */
bool due_parse(const char *text, json_t **ret, struct buf *why);

/* The same back, as it would be typed. */
void due_put(const json_t *src, struct buf *dst);
