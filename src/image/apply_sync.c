/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_sync.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"

struct apply_sync {
    int fd;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t more;
    size_t n_bytes; /* since it was begun last */
    int error;      /* the first */
    bool is_ending;
};

static void *run(void *ctx)
{
    struct apply_sync *sync = ctx;

    (void)pthread_mutex_lock(&sync->lock);
    while (!sync->is_ending) {
        int error;

        if (sync->n_bytes < APPLY_SYNC_EVERY_BYTES) {
            (void)pthread_cond_wait(&sync->more, &sync->lock);
            continue;
        }
        sync->n_bytes = 0;
        (void)pthread_mutex_unlock(&sync->lock);
        error = syncfs(sync->fd) < 0 ? errno : 0;
        (void)pthread_mutex_lock(&sync->lock);
        if (sync->error == 0)
            sync->error = error;
    }
    (void)pthread_mutex_unlock(&sync->lock);
    return NULL;
}

int apply_sync_new(int fd, struct apply_sync **ret)
{
    OWN(apply_sync_freep) struct apply_sync *sync = calloc(1, sizeof(*sync));
    int r;

    if (!sync)
        return ERR(-ENOMEM);
    sync->fd = fd;
    (void)pthread_mutex_init(&sync->lock, NULL);
    (void)pthread_cond_init(&sync->more, NULL);
    r = pthread_create(&sync->thread, NULL, run, sync);
    if (r != 0)
        return ERR(-r);
    sync->has_thread = true;
    *ret = TAKE(sync);
    return 0;
}

static void join(struct apply_sync *sync)
{
    if (!sync->has_thread)
        return;
    (void)pthread_mutex_lock(&sync->lock);
    sync->is_ending = true;
    (void)pthread_cond_signal(&sync->more);
    (void)pthread_mutex_unlock(&sync->lock);
    (void)pthread_join(sync->thread, NULL);
    sync->has_thread = false;
}

void apply_sync_free(struct apply_sync *sync)
{
    if (!sync)
        return;
    join(sync);
    (void)pthread_cond_destroy(&sync->more);
    (void)pthread_mutex_destroy(&sync->lock);
    free(sync);
}

void apply_sync_wrote(struct apply_sync *sync, size_t n_bytes)
{
    (void)pthread_mutex_lock(&sync->lock);
    sync->n_bytes += n_bytes;
    if (sync->n_bytes >= APPLY_SYNC_EVERY_BYTES)
        (void)pthread_cond_signal(&sync->more);
    (void)pthread_mutex_unlock(&sync->lock);
}

int apply_sync_end(struct apply_sync *sync)
{
    join(sync);
    if (syncfs(sync->fd) < 0 && sync->error == 0)
        sync->error = errno;
    return sync->error;
}
