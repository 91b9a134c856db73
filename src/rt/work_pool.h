/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * One thread for work that takes long, so that who waits for it can do other things meanwhile
 *
 * What is done is done one piece after the other, and no more than WORK_POOL_MAX may wait.
 */

#include <stdbool.h>

enum {
    WORK_POOL_MAX = 16,
};

struct work_pool;

struct work {
    void (*run)(void *arg); /* in the thread; touches nothing but @arg */
    void *arg;              /* borrowed until done() */
    void (*done)(
        void *ctx); /* in the thread, after it; also where it was never run because the pool ends */
    void *ctx;
};

/* The thread begins with the first piece of work. */
int work_pool_new(struct work_pool **ret);

/* Waits for the piece that is being done; what waits is not run any more. */
void work_pool_free(struct work_pool *pool);

/* Asked and submitted from one thread, so that the answer stays true. */
bool work_pool_has_room(struct work_pool *pool);

/* Return: 0, or -errno if there is no thread to be had: then nothing is called. */
int work_pool_submit(struct work_pool *pool, const struct work *work);
