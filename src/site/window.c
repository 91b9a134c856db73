/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/window.h"

#define US_PER_MIN (UINT64_C(60) * 1000000)

/* The end of the one window at a moment, or 0. */
static uint64_t end_of(const struct windows *windows, size_t i, uint64_t at_us)
{
    uint64_t start = schedule_last(&windows->list[i], windows->zone, at_us);
    uint64_t end;

    if (start == SCHEDULE_NEVER)
        return 0;
    end = start + windows->list[i].duration_min * US_PER_MIN;
    return end > at_us ? end : 0;
}

uint64_t window_open_until(const struct windows *windows, uint64_t at_us)
{
    uint64_t until = 0;
    uint64_t look = at_us;

    if (windows->n == 0)
        return SCHEDULE_NEVER;
    for (unsigned n = 0; n < WINDOW_LOOKS; n++) {
        uint64_t end = 0;

        for (size_t i = 0; i < windows->n; i++) {
            uint64_t one = end_of(windows, i, look);

            if (one > end)
                end = one;
        }
        if (end == 0)
            return until;
        until = end;
        look = end;
    }
    return SCHEDULE_NEVER;
}

static uint64_t next_start(const struct windows *windows, uint64_t after_us)
{
    uint64_t next = SCHEDULE_NEVER;

    for (size_t i = 0; i < windows->n; i++) {
        uint64_t one = schedule_next(&windows->list[i], windows->zone, after_us);

        if (one < next)
            next = one;
    }
    return next;
}

uint64_t window_start(const struct windows *windows, uint64_t at_us, uint64_t run_us)
{
    for (unsigned n = 0; n < WINDOW_LOOKS && at_us != SCHEDULE_NEVER; n++) {
        uint64_t until = window_open_until(windows, at_us);

        if (until > at_us && until - at_us >= run_us)
            return at_us;
        at_us = next_start(windows, until > at_us ? until : at_us);
    }
    return SCHEDULE_NEVER;
}

uint64_t window_next_opening(const struct windows *windows, uint64_t after_us)
{
    uint64_t until = window_open_until(windows, after_us);

    if (until == SCHEDULE_NEVER)
        return SCHEDULE_NEVER;
    return next_start(windows, until > after_us ? until : after_us + 1);
}
