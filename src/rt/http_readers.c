/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/http_server.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/own.h"
#include "rt/http_exchange.h"

struct reader {
    struct http_readers *all;
    void *ctx; /* borrowed */
    pthread_t thread;
};

struct http_readers {
    pthread_mutex_t lock;
    pthread_cond_t is_changed;
    bool is_ending;
    struct http_exchange *first; /* borrowed; waiting, in the order in which they came */
    struct http_exchange *last;
    struct reader readers[HTTP_READERS_MAX];
    size_t n; /* that have a thread */
};

DEFINE_FREEP(struct http_readers *, http_readers_free);

/* With the lock. */
static struct http_exchange *take_first(struct http_readers *all)
{
    struct http_exchange *x = all->first;

    if (x)
        all->first = http_exchange_next(x);
    if (!all->first)
        all->last = NULL;
    return x;
}

/* What still waits when the server ends is given back without an answer. */
static void *serve(void *arg)
{
    struct reader *reader = arg;
    struct http_readers *all = reader->all;

    (void)pthread_mutex_lock(&all->lock);
    while (all->first || !all->is_ending) {
        struct http_exchange *x = take_first(all);
        bool is_wanted = !all->is_ending;

        if (!x) {
            (void)pthread_cond_wait(&all->is_changed, &all->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&all->lock);
        if (is_wanted)
            http_exchange_read(x, reader->ctx);
        http_exchange_release(x);
        (void)pthread_mutex_lock(&all->lock);
    }
    (void)pthread_mutex_unlock(&all->lock);
    return NULL;
}

/* Signals are for the thread that serves. */
static int start(struct http_readers *all, void *ctx)
{
    struct reader *reader = &all->readers[all->n];
    sigset_t every;
    sigset_t before;
    int r;

    *reader = (struct reader){.all = all, .ctx = ctx};
    (void)sigfillset(&every);
    (void)pthread_sigmask(SIG_SETMASK, &every, &before);
    r = pthread_create(&reader->thread, NULL, serve, reader);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r != 0)
        return ERR(-r);
    all->n++;
    return 0;
}

int http_readers_new(void *const *ctxs, size_t n, struct http_readers **ret)
{
    OWN(http_readers_freep) struct http_readers *all = calloc(1, sizeof(*all));
    int r = 0;

    assert(n >= 1 && n <= HTTP_READERS_MAX);
    if (!all)
        return ERR(-ENOMEM);
    (void)pthread_mutex_init(&all->lock, NULL);
    (void)pthread_cond_init(&all->is_changed, NULL);
    for (size_t i = 0; i < n && r == 0; i++)
        r = start(all, ctxs[i]);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(all);
    return 0;
}

void http_readers_add(struct http_readers *readers, struct http_exchange *x)
{
    http_exchange_link(x, NULL);
    (void)pthread_mutex_lock(&readers->lock);
    if (readers->last)
        http_exchange_link(readers->last, x);
    else
        readers->first = x;
    readers->last = x;
    (void)pthread_cond_signal(&readers->is_changed);
    (void)pthread_mutex_unlock(&readers->lock);
}

void http_readers_free(struct http_readers *readers)
{
    if (!readers)
        return;
    (void)pthread_mutex_lock(&readers->lock);
    readers->is_ending = true;
    (void)pthread_cond_broadcast(&readers->is_changed);
    (void)pthread_mutex_unlock(&readers->lock);
    for (size_t i = 0; i < readers->n; i++)
        (void)pthread_join(readers->readers[i].thread, NULL);
    (void)pthread_cond_destroy(&readers->is_changed);
    (void)pthread_mutex_destroy(&readers->lock);
    free(readers);
}
