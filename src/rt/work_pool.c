/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/work_pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/err.h"

struct work_pool {
    pthread_mutex_t lock;
    pthread_cond_t is_changed;
    pthread_t thread;
    bool has_thread;
    bool is_ending;
    struct work waiting[WORK_POOL_MAX]; /* the one in hand is the first */
    size_t n;
};

int work_pool_new(struct work_pool **ret)
{
    struct work_pool *pool = calloc(1, sizeof(*pool));

    if (!pool)
        return ERR(-ENOMEM);
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->is_changed, NULL);
    *ret = pool;
    return 0;
}

static void drop_first(struct work_pool *pool)
{
    for (size_t i = 1; i < pool->n; i++)
        pool->waiting[i - 1] = pool->waiting[i];
    pool->n--;
}

static void *serve(void *arg)
{
    struct work_pool *pool = arg;

    (void)pthread_mutex_lock(&pool->lock);
    while (pool->n > 0 || !pool->is_ending) {
        struct work work;
        bool is_wanted;

        if (pool->n == 0) {
            (void)pthread_cond_wait(&pool->is_changed, &pool->lock);
            continue;
        }
        work = pool->waiting[0];
        is_wanted = !pool->is_ending;
        (void)pthread_mutex_unlock(&pool->lock);
        if (is_wanted)
            work.run(work.arg);
        work.done(work.ctx);
        (void)pthread_mutex_lock(&pool->lock);
        drop_first(pool);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Signals are for the thread that serves. */
static int start(struct work_pool *pool)
{
    sigset_t all;
    sigset_t before;
    int r;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(&pool->thread, NULL, serve, pool);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r != 0)
        return ERR(-r);
    pool->has_thread = true;
    return 0;
}

bool work_pool_has_room(struct work_pool *pool)
{
    bool has_room;

    (void)pthread_mutex_lock(&pool->lock);
    has_room = pool->n < WORK_POOL_MAX;
    (void)pthread_mutex_unlock(&pool->lock);
    return has_room;
}

int work_pool_submit(struct work_pool *pool, const struct work *work)
{
    if (!pool->has_thread) {
        int r = start(pool);

        if (r < 0)
            return TRACE(r);
    }
    (void)pthread_mutex_lock(&pool->lock);
    assert(pool->n < WORK_POOL_MAX);
    pool->waiting[pool->n++] = *work;
    (void)pthread_cond_signal(&pool->is_changed);
    (void)pthread_mutex_unlock(&pool->lock);
    return 0;
}

void work_pool_free(struct work_pool *pool)
{
    if (!pool)
        return;
    (void)pthread_mutex_lock(&pool->lock);
    pool->is_ending = true;
    (void)pthread_cond_signal(&pool->is_changed);
    (void)pthread_mutex_unlock(&pool->lock);
    if (pool->has_thread)
        (void)pthread_join(pool->thread, NULL);
    (void)pthread_cond_destroy(&pool->is_changed);
    (void)pthread_mutex_destroy(&pool->lock);
    free(pool);
}
