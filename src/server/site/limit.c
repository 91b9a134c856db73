/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/limit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"

enum {
    N_SETS = 512,
    N_WAYS =
        8, /* buckets in a set: of more names of the same hash, the one that waited longest is forgotten */
    US_PER_S = 1000000,
};

struct bucket {
    char name[LIMIT_NAME_MAX];
    uint64_t tokens_us; /* what it holds, in the time that it takes to come */
    uint64_t seen_us;
};

struct limit {
    pthread_mutex_t lock;
    uint64_t each_us; /* of one token */
    struct bucket buckets[N_SETS][N_WAYS];
};

DEFINE_FREEP(struct limit *, limit_free);

int limit_new(uint64_t per_s, struct limit **ret)
{
    OWN(limit_freep) struct limit *limit = calloc(1, sizeof(*limit));

    if (!limit)
        return ERR(-ENOMEM);
    (void)pthread_mutex_init(&limit->lock, NULL);
    limit->each_us = per_s > 0 ? US_PER_S / per_s : 0;
    *ret = TAKE(limit);
    return 0;
}

void limit_free(struct limit *limit)
{
    if (!limit)
        return;
    (void)pthread_mutex_destroy(&limit->lock);
    free(limit);
}

/* FNV-1a. Who fills a set with names of his own makes others be forgotten, and a forgotten bucket is full: nobody loses. */
static size_t set_of(const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
    return (size_t)(hash % N_SETS);
}

static struct bucket *find(struct limit *limit, const char *name)
{
    struct bucket *set = limit->buckets[set_of(name)];
    struct bucket *oldest = &set[0];

    for (size_t i = 0; i < N_WAYS; i++) {
        if (strncmp(set[i].name, name, sizeof(set[i].name) - 1) == 0)
            return &set[i];
        if (set[i].seen_us < oldest->seen_us)
            oldest = &set[i];
    }
    (void)snprintf(oldest->name, sizeof(oldest->name), "%s", name);
    oldest->tokens_us = (uint64_t)LIMIT_BURST_S * US_PER_S;
    oldest->seen_us = 0;
    return oldest;
}

static bool take(struct limit *limit, const char *name, uint64_t now_us)
{
    const uint64_t full_us = (uint64_t)LIMIT_BURST_S * US_PER_S;
    struct bucket *bucket = find(limit, name);
    uint64_t since_us =
        bucket->seen_us > 0 && now_us > bucket->seen_us ? now_us - bucket->seen_us : 0;

    bucket->tokens_us += since_us < full_us ? since_us : full_us;
    if (bucket->tokens_us > full_us)
        bucket->tokens_us = full_us;
    bucket->seen_us = now_us;
    if (bucket->tokens_us < limit->each_us)
        return false;
    bucket->tokens_us -= limit->each_us;
    return true;
}

bool limit_take(struct limit *limit, const char *name, uint64_t now_us)
{
    bool is_taken;

    if (limit->each_us == 0)
        return true;
    (void)pthread_mutex_lock(&limit->lock);
    is_taken = take(limit, name, now_us);
    (void)pthread_mutex_unlock(&limit->lock);
    return is_taken;
}
