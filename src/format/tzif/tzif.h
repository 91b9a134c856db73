/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Time zone files, as the system's time zone database has them (RFC 9636, versions 1 to 4)
 *
 * Read are the moments at which a place changed its offset from UTC, and the rule that holds after the last of them.
 * Leap seconds are left out: files with them ("right/") are refused, since no clock of ours counts them.
 */

#include <stdint.h>

#include "base/bytes.h"

enum {
    TZIF_MAX_BYTES = 64 * 1024,
    TZIF_CHANGES_MAX = 4096,
};

/* Outcome beside 0 */
enum {
    TZIF_E_MALFORMED = 1,
};

struct tzif;

/**
 * tzif_parse() - read a whole file
 * @src: not kept
 *
 * Return: 0, TZIF_E_MALFORMED or -ENOMEM.
 */
int tzif_parse(struct bytes src, struct tzif **ret);
void tzif_free(struct tzif *zone);

/* Seconds east of UTC at a moment, @utc_s since 1970. */
int32_t tzif_offset_s(const struct tzif *zone, int64_t utc_s);

/**
 * tzif_to_utc_s() - the moment at which the clock on the wall shows @wall_s
 *
 * Where it shows it twice, the first time; where it never does, because it was put forward over it, the moment at
 * which it would have shown it if it had not been (RFC 5545 section 3.3.5).
 */
int64_t tzif_to_utc_s(const struct tzif *zone, int64_t wall_s);
