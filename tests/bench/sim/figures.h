/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * How long requests took: a histogram whose steps are a thirty-second of the value
 */

#include <stdint.h>
#include <stdio.h>

enum {
    FIGURES_STEPS = 32, /* of each power of two */
    FIGURES_POWERS = 36,
};

struct figures {
    uint64_t n;
    uint64_t sum_us;
    uint64_t max_us;
    uint32_t slots[FIGURES_POWERS * FIGURES_STEPS];
};

void figures_add(struct figures *f, uint64_t us);

/* What that part of all did not exceed, to a thirty-second; 0 of none. @permille: 500 is the median */
uint64_t figures_part_us(const struct figures *f, unsigned permille);

/* {"n": …, "mean_us": …, "p50_us": …, "p99_us": …, "max_us": …} */
void figures_print(const struct figures *f, FILE *out);

/* Add what @more has seen. */
void figures_join(struct figures *f, const struct figures *more);
