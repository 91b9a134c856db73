/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Time zones by their names in the time zone database ("Europe/Berlin"), read from the system's files
 */

#include <stdint.h>

enum {
    ZONE_NAME_MAX_BYTES = 63,
};

/* Outcome beside 0 */
enum {
    ZONE_E_UNKNOWN = 1, /* there is no zone of that name, or its file is none */
};

struct zone;

/* @name: "": that of this server. */
int zone_open(const char *name, struct zone **ret);
void zone_free(struct zone *zone);

/* @zone: NULL: UTC. Microseconds since 1970 UTC, and seconds of the clock on the wall there (base/civil.h). */
uint64_t zone_utc_us(const struct zone *zone, int64_t wall_s);
int64_t zone_wall_s(const struct zone *zone, uint64_t utc_us);
