/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "figures.h"

#include <inttypes.h>

/* Below FIGURES_STEPS each value has a slot; above, the five bits behind the first one choose it. */
static unsigned slot_of(uint64_t us)
{
    unsigned power = 0;
    unsigned slot;

    while (us >> power >= 2 * (uint64_t)FIGURES_STEPS)
        power++;
    slot = power * FIGURES_STEPS + (unsigned)(us >> power);
    return slot < FIGURES_POWERS * FIGURES_STEPS ? slot : FIGURES_POWERS * FIGURES_STEPS - 1;
}

/* The largest value of a slot. */
static uint64_t top_of(unsigned slot)
{
    unsigned power = slot < 2 * FIGURES_STEPS ? 0 : slot / FIGURES_STEPS - 1;

    return (((uint64_t)(slot - power * FIGURES_STEPS) + 1) << power) - 1;
}

void figures_add(struct figures *f, uint64_t us)
{
    f->n++;
    f->sum_us += us;
    f->max_us = us > f->max_us ? us : f->max_us;
    f->slots[slot_of(us)]++;
}

uint64_t figures_part_us(const struct figures *f, unsigned permille)
{
    uint64_t want = (f->n * permille + 999) / 1000;
    uint64_t seen = 0;

    for (unsigned i = 0; i < FIGURES_POWERS * FIGURES_STEPS; i++) {
        seen += f->slots[i];
        if (seen >= want && seen > 0)
            return top_of(i) < f->max_us ? top_of(i) : f->max_us;
    }
    return 0;
}

void figures_print(const struct figures *f, FILE *out)
{
    (void)fprintf(out,
                  "{\"n\": %" PRIu64 ", \"mean_us\": %" PRIu64 ", \"p50_us\": %" PRIu64
                  ", \"p99_us\": %" PRIu64 ", \"max_us\": %" PRIu64 "}",
                  f->n,
                  f->n > 0 ? f->sum_us / f->n : 0,
                  figures_part_us(f, 500),
                  figures_part_us(f, 990),
                  f->max_us);
}

void figures_join(struct figures *f, const struct figures *more)
{
    f->n += more->n;
    f->sum_us += more->sum_us;
    f->max_us = more->max_us > f->max_us ? more->max_us : f->max_us;
    for (unsigned i = 0; i < FIGURES_POWERS * FIGURES_STEPS; i++)
        f->slots[i] += more->slots[i];
}
