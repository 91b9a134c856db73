/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Work for a few threads, with a bound on what waits
 *
 * One thread puts, in the order in which the jobs are begun; what works at once is done in any order. After the
 * first job that fails nothing is begun any more.
 */

#include <stddef.h>

#include "base/own.h"

enum {
    APPLY_QUEUE_THREADS_MAX = 4,
};

struct apply_job { /* first member of what is put */
    struct apply_job *next;
    size_t size_bytes; /* of memory, with what it refers to */
};

struct apply_queue;

struct apply_queue_work {
    void *ctx;

    /* Does @job, which stays the queue's. @thread: from 0. Return: 0, or what apply_queue_put() is to say. */
    int (*work)(void *ctx, unsigned thread, struct apply_job *job);

    /* Frees a job, done or not, on any thread. */
    void (*drop)(void *ctx, struct apply_job *job);
};

/**
 * apply_queue_new() - start the threads: as many as there are processors, APPLY_QUEUE_THREADS_MAX at most
 * @max_bytes: of the jobs that wait or are done; a single larger one is let in alone
 * @ret: owned by the caller
 */
int apply_queue_new(const struct apply_queue_work *work,
                    size_t max_bytes,
                    struct apply_queue **ret);

/* Jobs that are being done are waited for, the others are dropped. */
void apply_queue_free(struct apply_queue *queue);
DEFINE_FREEP(struct apply_queue *, apply_queue_free);

/* @job: taken, whatever is returned. Return: 0, or what the first job that failed returned. */
int apply_queue_put(struct apply_queue *queue, struct apply_job *job);

/* Wait until all that was put is done. Return: like apply_queue_put(). */
int apply_queue_wait(struct apply_queue *queue);
