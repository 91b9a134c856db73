/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/readers.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "server/site/guard.h"

enum {
    N_READERS = 2,
    USES_MAX = 64, /* different tokens between two ticks; of one more it is noted a little later */
};

struct readers {
    struct api apis[N_READERS];
    struct site *sites[N_READERS]; /* owned */
    struct http_readers *threads;  /* owned */
    pthread_mutex_t lock;
    struct site_token_use uses[USES_MAX];
    size_t n_uses;
    atomic_bool is_long; /* a long list is being made */
};

DEFINE_FREEP(struct readers *, readers_free);

int readers_new(const struct api *writer, struct readers **ret)
{
    OWN(readers_freep) struct readers *readers = calloc(1, sizeof(*readers));
    void *ctxs[N_READERS];
    int r = 0;

    if (!readers)
        return ERR(-ENOMEM);
    (void)pthread_mutex_init(&readers->lock, NULL);
    for (size_t i = 0; i < N_READERS && r == 0; i++) {
        r = site_open_reader(writer->database, &writer->site->settings, &readers->sites[i]);
        readers->apis[i] = (struct api){
            .site = readers->sites[i],
            .options = writer->options,
            .started_us = writer->started_us,
            .database = writer->database,
            .readers = readers,
            .limit = writer->limit,
            .address_limit = writer->address_limit,
            .event_hub = writer->event_hub,
            .is_reader = true,
        };
        ctxs[i] = &readers->apis[i];
    }
    if (r == 0)
        r = http_readers_new(ctxs, N_READERS, &readers->threads);
    if (r != 0)
        return r > 0 ? ERR(-EBUSY) : TRACE(r);
    *ret = TAKE(readers);
    return 0;
}

void readers_free(struct readers *readers)
{
    if (!readers)
        return;
    http_readers_free(readers->threads);
    for (size_t i = 0; i < N_READERS; i++)
        site_free(readers->sites[i]);
    (void)pthread_mutex_destroy(&readers->lock);
    free(readers);
}

struct http_readers *readers_threads(struct readers *readers)
{
    return readers->threads;
}

bool readers_may_have(const struct http_route *route)
{
    return strcmp(route->method, "GET") == 0 && guard_is_for_administrators(route);
}

bool readers_begin_long(struct readers *readers)
{
    return !atomic_exchange(&readers->is_long, true);
}

void readers_end_long(struct readers *readers)
{
    atomic_store(&readers->is_long, false);
}

/* With the lock. */
static bool is_kept(const struct readers *readers, const struct site_token_use *use)
{
    for (size_t i = 0; i < readers->n_uses; i++)
        if (strcmp(readers->uses[i].token_id, use->token_id) == 0)
            return true;
    return false;
}

void readers_keep_use(struct readers *readers, struct site *site)
{
    if (site->use.token_id[0] == '\0')
        return;
    (void)pthread_mutex_lock(&readers->lock);
    if (readers->n_uses < USES_MAX && !is_kept(readers, &site->use))
        readers->uses[readers->n_uses++] = site->use;
    (void)pthread_mutex_unlock(&readers->lock);
    site->use.token_id[0] = '\0';
}

int readers_note_uses(struct readers *readers, struct site *writer)
{
    struct site_token_use uses[USES_MAX];
    size_t n;
    int r = 0;

    (void)pthread_mutex_lock(&readers->lock);
    n = readers->n_uses;
    memcpy(uses, readers->uses, n * sizeof(*uses));
    readers->n_uses = 0;
    (void)pthread_mutex_unlock(&readers->lock);
    for (size_t i = 0; i < n && r == 0; i++)
        r = access_note_use(writer, &uses[i]);
    return TRACE(r);
}
