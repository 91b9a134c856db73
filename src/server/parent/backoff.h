/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * How long to wait before a process that ended is started again
 */

#include <stdint.h>

enum {
    BACKOFF_FIRST_US = 500 * 1000,
    BACKOFF_MOST_US = 30 * 1000 * 1000,
    BACKOFF_FORGET_US = 60 * 1000 * 1000, /* who lived this long starts from the first delay */
};

/**
 * backoff_next() - half a second, doubled each time up to 30 seconds
 * @last_us:  the delay before; 0: there was none
 * @lived_us: how long the process ran
 */
uint64_t backoff_next(uint64_t last_us, uint64_t lived_us);
