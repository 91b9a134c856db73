/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Which source to ask: best first, and who was wrong lately is left alone for a while
 *
 * Pure: the caller says what time it is. Times are microseconds of one clock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SOURCES_MAX = 32,
    SOURCES_TRIES_WHEN_BAD = 2, /* the first, and once more */
    SOURCES_NONE = -1,
};

struct source {
    const char *url;     /* borrowed */
    unsigned n_loading;  /* transfers under way; kept by the caller */
    unsigned n_failed;   /* in a row */
    uint64_t pause_us;   /* the last one; 0 after something good */
    uint64_t back_us;    /* not to be asked before */
    uint64_t us_per_mib; /* how long a MiB took lately; 0: nobody knows */
};

struct sources {
    struct source all[SOURCES_MAX];
    size_t n;
    size_t n_shared;
};

/* What one thing, a pack or a file, has suffered; all zero at first. */
struct sources_tried {
    uint8_t n_bad[SOURCES_MAX]; /* by source: answers that were missing or damaged */
};

/* @n_shared: the first so many are equally good; 0 is as 1 */
void sources_init(struct sources *s, const char *const *urls, size_t n, size_t n_shared);

/**
 * sources_choose() - whom to ask
 * @but: not this one, because it is being asked already; or SOURCES_NONE
 *
 * Return: the one that failed least for this thing, of them the best, of the equally good the least
 *         busy; SOURCES_NONE if nobody may be asked now.
 */
int sources_choose(const struct sources *s,
                   const struct sources_tried *tried,
                   int but,
                   uint64_t now_us);

/* Whether every source was wrong as often as it may be. */
bool sources_is_hopeless(const struct sources *s, const struct sources_tried *tried);

/* When somebody who may not be asked now may be; UINT64_MAX: nobody waits. */
uint64_t sources_next_us(const struct sources *s, uint64_t now_us);

/* It gave @bytes, which were right, in @took_us. */
void sources_good(struct sources *s, int i, uint64_t bytes, uint64_t took_us);

/* What it gave was missing or damaged; several times in a row, and it gets a pause. */
void sources_bad(struct sources *s, struct sources_tried *tried, int i, uint64_t now_us);

/* It did not answer, or not to the end: a pause, twice as long each time. */
void sources_broke(struct sources *s, int i, uint64_t now_us);

/* Another one was much faster: a long pause. */
void sources_slow(struct sources *s, int i, uint64_t now_us);

/**
 * sources_is_slow() - whether a transfer is worth asking another source for the same thing
 * @i: whom it was asked of, @passed_us ago, for @bytes
 * @other: who could be asked instead
 */
bool sources_is_slow(const struct sources *s, int i, int other, uint64_t bytes, uint64_t passed_us);
