/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"

struct worker {
    struct apply_queue *queue;
    unsigned number;
    pthread_t thread;
};

struct apply_queue {
    struct apply_queue_work work;
    size_t max_bytes;
    struct worker workers[APPLY_QUEUE_THREADS_MAX];
    unsigned n_workers;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t more;  /* there is a job, or it ends */
    pthread_cond_t less;  /* a job is done */
    struct apply_job *first;
    struct apply_job **last;
    size_t size_bytes; /* of the jobs that wait or are being done */
    size_t n_jobs;
    int outcome; /* of the first that failed */
    bool is_ending;
};

static struct apply_job *take(struct apply_queue *queue)
{
    struct apply_job *job = queue->first;

    if (!job)
        return NULL;
    queue->first = job->next;
    if (!queue->first)
        queue->last = &queue->first;
    return job;
}

static void do_job(struct apply_queue *queue, unsigned number, struct apply_job *job)
{
    size_t size_bytes = job->size_bytes;
    bool is_skipped = queue->outcome != 0 || queue->is_ending;
    int r = 0;

    (void)pthread_mutex_unlock(&queue->lock);
    if (!is_skipped)
        r = queue->work.work(queue->work.ctx, number, job);
    queue->work.drop(queue->work.ctx, job);
    (void)pthread_mutex_lock(&queue->lock);
    if (queue->outcome == 0)
        queue->outcome = r;
    queue->size_bytes -= size_bytes;
    queue->n_jobs--;
    (void)pthread_cond_signal(&queue->less);
}

static void *run(void *ctx)
{
    struct worker *worker = ctx;
    struct apply_queue *queue = worker->queue;

    (void)pthread_mutex_lock(&queue->lock);
    for (;;) {
        struct apply_job *job = take(queue);

        if (job)
            do_job(queue, worker->number, job);
        else if (queue->is_ending)
            break;
        else
            (void)pthread_cond_wait(&queue->more, &queue->lock);
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return NULL;
}

static unsigned count_threads(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > APPLY_QUEUE_THREADS_MAX ? APPLY_QUEUE_THREADS_MAX : (unsigned)n;
}

int apply_queue_new(const struct apply_queue_work *work, size_t max_bytes, struct apply_queue **ret)
{
    OWN(apply_queue_freep) struct apply_queue *queue = calloc(1, sizeof(*queue));
    unsigned n = count_threads();

    if (!queue)
        return ERR(-ENOMEM);
    queue->work = *work;
    queue->max_bytes = max_bytes;
    queue->last = &queue->first;
    (void)pthread_mutex_init(&queue->lock, NULL);
    (void)pthread_cond_init(&queue->more, NULL);
    (void)pthread_cond_init(&queue->less, NULL);
    while (queue->n_workers < n) {
        struct worker *worker = &queue->workers[queue->n_workers];
        int r;

        *worker = (struct worker){.queue = queue, .number = queue->n_workers};
        r = pthread_create(&worker->thread, NULL, run, worker);
        if (r != 0)
            return ERR(-r);
        queue->n_workers++;
    }
    *ret = TAKE(queue);
    return 0;
}

void apply_queue_free(struct apply_queue *queue)
{
    if (!queue)
        return;
    (void)pthread_mutex_lock(&queue->lock);
    queue->is_ending = true;
    (void)pthread_cond_broadcast(&queue->more);
    (void)pthread_mutex_unlock(&queue->lock);
    for (unsigned i = 0; i < queue->n_workers; i++)
        (void)pthread_join(queue->workers[i].thread, NULL);
    (void)pthread_cond_destroy(&queue->less);
    (void)pthread_cond_destroy(&queue->more);
    (void)pthread_mutex_destroy(&queue->lock);
    free(queue);
}

/* Whether the job may come in. */
static bool has_room(const struct apply_queue *queue, const struct apply_job *job)
{
    return queue->n_jobs == 0 || (queue->size_bytes <= queue->max_bytes &&
                                  job->size_bytes <= queue->max_bytes - queue->size_bytes);
}

int apply_queue_put(struct apply_queue *queue, struct apply_job *job)
{
    int r;

    (void)pthread_mutex_lock(&queue->lock);
    while (queue->outcome == 0 && !has_room(queue, job))
        (void)pthread_cond_wait(&queue->less, &queue->lock);
    r = queue->outcome;
    if (r == 0) {
        job->next = NULL;
        *queue->last = job;
        queue->last = &job->next;
        queue->size_bytes += job->size_bytes;
        queue->n_jobs++;
        (void)pthread_cond_signal(&queue->more);
    }
    (void)pthread_mutex_unlock(&queue->lock);
    if (r != 0)
        queue->work.drop(queue->work.ctx, job);
    return TRACE(r);
}

int apply_queue_wait(struct apply_queue *queue)
{
    int r;

    (void)pthread_mutex_lock(&queue->lock);
    while (queue->n_jobs > 0)
        (void)pthread_cond_wait(&queue->less, &queue->lock);
    r = queue->outcome;
    (void)pthread_mutex_unlock(&queue->lock);
    return TRACE(r);
}
