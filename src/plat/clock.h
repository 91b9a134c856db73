/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The time
 */

#include <stdint.h>

enum {
    CLOCK_TEXT_MAX = 32,
};

/* Microseconds that only grow, also while the machine sleeps; for deadlines. */
uint64_t clock_monotonic_us(void);

/* Microseconds since 1970-01-01 UTC; for people and records. */
uint64_t clock_wall_us(void);

/* Set the system's clock. Return: 0 or -errno. */
int clock_set_wall_us(uint64_t us);

/* "2026-11-21T09:30:05Z" (RFC 3339). */
void clock_put_rfc3339(char dst[static CLOCK_TEXT_MAX], uint64_t wall_us);

void clock_sleep_us(uint64_t us);
