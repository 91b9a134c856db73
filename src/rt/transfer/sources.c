/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/transfer/sources.h"

#include <assert.h>

enum {
    PAUSE_MIN_US = 250 * 1000,
    PAUSE_MAX_US = 10 * 1000 * 1000,
    BAD_IN_A_ROW = 3,
    SLOW_MIN_US = 2 * 1000 * 1000,   /* below nobody is slow */
    SLOW_BLIND_US = 5 * 1000 * 1000, /* the same, if nobody knows how fast the other one is */
    SLOW_TIMES = 4,
    MIB = 1024 * 1024,
};

void sources_init(struct sources *s, const char *const *urls, size_t n, size_t n_shared)
{
    *s = (struct sources){.n = n < SOURCES_MAX ? n : SOURCES_MAX, .n_shared = n_shared};
    for (size_t i = 0; i < s->n; i++)
        s->all[i].url = urls[i];
}

/* Whether @a is to be asked rather than @b. */
static bool
is_better(const struct sources *s, const struct sources_tried *tried, size_t a, size_t b)
{
    if (tried->n_bad[a] != tried->n_bad[b])
        return tried->n_bad[a] < tried->n_bad[b];
    if (a < s->n_shared && b < s->n_shared && s->all[a].n_loading != s->all[b].n_loading)
        return s->all[a].n_loading < s->all[b].n_loading;
    return a < b;
}

int sources_choose(const struct sources *s,
                   const struct sources_tried *tried,
                   int but,
                   uint64_t now_us)
{
    int best = SOURCES_NONE;

    for (size_t i = 0; i < s->n; i++) {
        if ((int)i == but || now_us < s->all[i].back_us ||
            tried->n_bad[i] >= SOURCES_TRIES_WHEN_BAD)
            continue;
        if (best == SOURCES_NONE || is_better(s, tried, i, (size_t)best))
            best = (int)i;
    }
    return best;
}

bool sources_is_hopeless(const struct sources *s, const struct sources_tried *tried)
{
    for (size_t i = 0; i < s->n; i++)
        if (tried->n_bad[i] < SOURCES_TRIES_WHEN_BAD)
            return false;
    return true;
}

uint64_t sources_next_us(const struct sources *s, uint64_t now_us)
{
    uint64_t next_us = UINT64_MAX;

    for (size_t i = 0; i < s->n; i++)
        if (s->all[i].back_us > now_us && s->all[i].back_us < next_us)
            next_us = s->all[i].back_us;
    return next_us;
}

void sources_good(struct sources *s, int i, uint64_t bytes, uint64_t took_us)
{
    struct source *source = &s->all[i];
    uint64_t us_per_mib = bytes > 0 ? took_us * MIB / bytes + 1 : 0;

    source->n_failed = 0;
    source->pause_us = 0;
    if (us_per_mib == 0)
        return;
    source->us_per_mib =
        source->us_per_mib > 0 ? (3 * source->us_per_mib + us_per_mib) / 4 : us_per_mib;
}

static void give_pause(struct source *source, uint64_t now_us)
{
    if (now_us < source->back_us)
        return; /* others broke at the same moment: one pause for all */
    source->pause_us = source->pause_us > 0 ? 2 * source->pause_us : PAUSE_MIN_US;
    if (source->pause_us > PAUSE_MAX_US)
        source->pause_us = PAUSE_MAX_US;
    source->back_us = now_us + source->pause_us;
}

void sources_bad(struct sources *s, struct sources_tried *tried, int i, uint64_t now_us)
{
    struct source *source = &s->all[i];

    if (tried->n_bad[i] < SOURCES_TRIES_WHEN_BAD)
        tried->n_bad[i]++;
    if (++source->n_failed >= BAD_IN_A_ROW)
        give_pause(source, now_us);
}

void sources_broke(struct sources *s, int i, uint64_t now_us)
{
    s->all[i].n_failed++;
    give_pause(&s->all[i], now_us);
}

void sources_slow(struct sources *s, int i, uint64_t now_us)
{
    s->all[i].pause_us = PAUSE_MAX_US;
    s->all[i].back_us = now_us + PAUSE_MAX_US;
}

bool sources_is_slow(const struct sources *s, int i, int other, uint64_t bytes, uint64_t passed_us)
{
    uint64_t pace = s->all[other].us_per_mib;

    assert(i != other);
    if (pace == 0)
        return passed_us >= SLOW_BLIND_US;
    return passed_us >= SLOW_MIN_US && passed_us / SLOW_TIMES >= bytes * pace / MIB;
}
