/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * How far something has come, on standard error: a bar that is redrawn on a terminal, else a line
 * every five seconds
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct progress {
    bool is_terminal;
    bool is_drawn; /* a bar stands on the terminal's last line */
    uint64_t started_us;
    uint64_t shown_us; /* when something was last shown; 0: never */
};

void progress_init(struct progress *p, bool is_terminal);

/**
 * progress_show() - show it if it is time
 * @what:    borrowed; escaped
 * @percent: 0 to 100
 * @more:    behind the percentage: an amount, a rate; may be ""
 */
void progress_show(struct progress *p, const char *what, unsigned percent, const char *more);

/* Bytes of something, for progress_show_bytes(). */
struct progress_bytes {
    uint64_t first; /* where this run began, for the rate */
    uint64_t done;
    uint64_t size;
};

/* progress_show() with an amount and a rate. */
void progress_show_bytes(struct progress *p, const char *what, const struct progress_bytes *bytes);

/* Remove the bar, before anything else is written. */
void progress_end(struct progress *p);

/* "[######------]  50 %", @width cells inside the brackets. */
void progress_put_bar(struct buf *dst, unsigned percent, unsigned width);
