/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A seeded world: chance that can be played again, and a network that delays, loses, doubles and reorders
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

/* The next number; xorshift64*, good enough to shuffle faults. */
static inline uint64_t chance_next(struct chance *c)
{
    c->state ^= c->state >> 12;
    c->state ^= c->state << 25;
    c->state ^= c->state >> 27;
    return c->state * UINT64_C(2685821657736338717);
}

static inline struct chance chance_seeded(uint64_t seed)
{
    return (struct chance){seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
}

/* A number from 0 to @n - 1. */
static inline uint64_t chance_below(struct chance *c, uint64_t n)
{
    return (chance_next(c) >> 16) % n;
}

static inline bool chance_percent(struct chance *c, unsigned percent)
{
    return chance_below(c, 100) < percent;
}
