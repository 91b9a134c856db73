/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Maintenance windows: when something may be done to a device. Pure arithmetic over the windows of all of its collections
 *
 * Windows that overlap or touch are one. What runs for at most run_us begins only where it fits into what is left of
 * the window; what says no time (0) begins anywhere in one and may outlive it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "site/schedule.h"

struct windows {
    const struct schedule *list; /* borrowed; each with a duration */
    size_t n;
    const struct zone *zone; /* of the device; NULL: UTC; borrowed */
};

/**
 * window_open_until() - is a moment in a window
 *
 * Return: the end of the window in microseconds since 1970 UTC, or 0 if none is open. A place without windows is always
 * open: SCHEDULE_NEVER, and so is one whose windows follow one another for longer than is looked (WINDOW_LOOKS of them).
 */
uint64_t window_open_until(const struct windows *windows, uint64_t at_us);

/**
 * window_start() - the first moment, at or after one, at which something may begin
 * @run_us: how long it may take; 0: not said
 *
 * Return: that moment, or SCHEDULE_NEVER if it fits into none of the next windows (WINDOW_LOOKS of them).
 */
uint64_t window_start(const struct windows *windows, uint64_t at_us, uint64_t run_us);

/* When a window opens next, after a moment; SCHEDULE_NEVER: none does. One that is open then does not count. */
uint64_t window_next_opening(const struct windows *windows, uint64_t after_us);

enum {
    WINDOW_LOOKS = 400,
};
