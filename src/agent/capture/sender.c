/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/capture/sender.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/capture/sender_state.h"
#include "base/err.h"
#include "plat/clock.h"

enum {
    ANSWER_MAX_BYTES = 64 * 1024,
    WHY_MAX_BYTES = 4096,
    BITS = 8,
};

void sender_lock(struct sender *sender)
{
    int r = pthread_mutex_lock(&sender->lock);

    assert(r == 0);
}

void sender_unlock(struct sender *sender)
{
    int r = pthread_mutex_unlock(&sender->lock);

    assert(r == 0);
}

void sender_tell_change(struct sender *sender)
{
    int r = pthread_cond_broadcast(&sender->changed);

    assert(r == 0);
}

void sender_wait_for_change(struct sender *sender)
{
    int r = pthread_cond_wait(&sender->changed, &sender->lock);

    assert(r == 0);
}

static unsigned count_processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    if (n < 1)
        return 1;
    return n < SENDER_PROCESSORS_MAX ? (unsigned)n : SENDER_PROCESSORS_MAX;
}

/* Signals are for the thread that was there before. */
static int start_thread(struct sender *sender)
{
    struct sender_thread *thread = &sender->threads[sender->n_started];
    sigset_t all;
    sigset_t before;
    int r = sender_thread_init(thread, sender);

    if (r < 0)
        return TRACE(r);
    (void)sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return ERR(-EINVAL);
    r = pthread_create(&thread->id, NULL, sender_thread_run, thread);
    if (pthread_sigmask(SIG_SETMASK, &before, NULL) != 0 && r == 0)
        r = EINVAL;
    if (r != 0)
        return ERR(-r);
    sender->n_started++;
    return 0;
}

static int make_batches(struct sender *sender)
{
    for (size_t i = 0; i < sender->n_threads + SENDER_BATCHES_MORE; i++) {
        struct sender_batch *batch = &sender->batches[i];

        batch->bytes = malloc(SENDER_BATCH_BYTES);
        if (!batch->bytes)
            return ERR(-ENOMEM);
        batch->next = sender->free;
        sender->free = batch;
    }
    return 0;
}

/* What cannot be undone half. Return: NULL if there is no memory. */
static struct sender *make(unsigned n_processors)
{
    OWN(freep) struct sender *made = calloc(1, sizeof(*made));

    if (!made || pthread_mutex_init(&made->lock, NULL) != 0 ||
        pthread_cond_init(&made->changed, NULL) != 0 ||
        sem_init(&made->processors, 0, n_processors) < 0)
        return NULL;
    made->n_threads = n_processors + SENDER_THREADS_MORE;
    return TAKE(made);
}

int sender_new(const struct sender_options *options, struct sender **ret)
{
    unsigned n_processors = options->n_processors > 0 ? options->n_processors : count_processors();
    OWN(sender_freep) struct sender *sender = make(n_processors);
    int r;

    assert(n_processors <= SENDER_PROCESSORS_MAX);
    if (!sender)
        return ERR(-ENOMEM);
    sender->options = *options;
    sender->options.n_processors = n_processors;
    sender->why = BUF_INIT(WHY_MAX_BYTES);
    sender->rows = BUF_INIT((size_t)RECIPE_MAX_CHUNKS * RECIPE_ROW_BYTES);
    sender->began_us = clock_monotonic_us();
    cut_init(&sender->cut);
    r = make_batches(sender);
    for (unsigned i = 0; r == 0 && i < sender->n_threads; i++)
        r = start_thread(sender);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(sender);
    return 0;
}

static void join(struct sender *sender)
{
    sender_lock(sender);
    sender->is_ending = true;
    sender_tell_change(sender);
    sender_unlock(sender);
    for (unsigned i = 0; i < sender->n_started; i++)
        (void)pthread_join(sender->threads[i].id, NULL);
    sender->n_started = 0;
}

void sender_free(struct sender *sender)
{
    if (!sender)
        return;
    sender_lock(sender);
    if (sender->n_started > 0 && sender->outcome == 0)
        sender->outcome = -ECANCELED;
    sender_unlock(sender);
    join(sender);
    for (size_t i = 0; i < SENDER_THREADS_MAX; i++)
        sender_thread_fini(&sender->threads[i]);
    for (size_t i = 0; i < SENDER_BATCHES_MAX; i++)
        free(sender->batches[i].bytes);
    names_fini(&sender->seen);
    buf_fini(&sender->rows);
    buf_fini(&sender->why);
    (void)pthread_cond_destroy(&sender->changed);
    (void)pthread_mutex_destroy(&sender->lock);
    (void)sem_destroy(&sender->processors);
    free(sender);
}

/* Between lock and unlock: rows are kept for it, of which only the lengths are known yet. */
static int queue(struct sender *sender, struct sender_batch *batch)
{
    for (size_t i = 0; i < batch->n_chunks; i++) {
        uint8_t room[RECIPE_ROW_BYTES] = {0};

        buf_add(&sender->rows, (struct bytes){room, sizeof(room)});
    }
    if (sender->rows.failed)
        return ERR(-ENOMEM);
    batch->next = NULL;
    if (sender->last)
        sender->last->next = batch;
    else
        sender->first = batch;
    sender->last = batch;
    sender_tell_change(sender);
    return 0;
}

/* Between lock and unlock: waits for one. */
static int take_free(struct sender *sender, struct sender_batch **ret)
{
    uint64_t began_us = clock_monotonic_us();
    struct sender_batch *batch;

    while (!sender->free && sender->outcome == 0)
        sender_wait_for_change(sender);
    sender->full_us += clock_monotonic_us() - began_us;
    if (sender->outcome != 0)
        return sender->outcome;
    batch = sender->free;
    sender->free = batch->next;
    batch->len = 0;
    batch->open = 0;
    batch->n_chunks = 0;
    batch->first = sender->n_chunks;
    *ret = batch;
    return 0;
}

/* Hand on what is cut, and go on in another batch. Return: 0, SENDER_E_..., or -errno. */
static int change_batch(struct sender *sender)
{
    struct sender_batch *full = sender->open;
    struct sender_batch *next = NULL;
    int r;

    sender_lock(sender);
    r = take_free(sender, &next);
    if (r == 0 && full) {
        memcpy(next->bytes, full->bytes + full->len, full->open);
        next->open = full->open;
        r = queue(sender, full);
    }
    sender_unlock(sender);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    sender->open = next;
    return 0;
}

/* So many chunks may come of bytes, at most. */
static size_t chunks_of(size_t n_bytes)
{
    return n_bytes / CUT_MIN_BYTES + 1;
}

int sender_room(struct sender *sender, size_t n, uint8_t **ret)
{
    struct sender_batch *batch = sender->open;
    int r = 0;

    assert(n >= 1 && n <= SENDER_ROOM_MAX);
    if (sender->options.is_stopped && sender->options.is_stopped(sender->options.ctx))
        return SENDER_E_STOPPED;
    if (!batch || n > SENDER_BATCH_BYTES - batch->len - batch->open ||
        chunks_of(batch->open + n) > SENDER_BATCH_CHUNKS - batch->n_chunks)
        r = change_batch(sender);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    batch = sender->open;
    *ret = batch->bytes + batch->len + batch->open;
    return 0;
}

/* Cut off every chunk whose end is known. */
static int cut_open(struct sender *sender, bool is_end)
{
    struct sender_batch *batch = sender->open;

    for (;;) {
        struct bytes rest = {batch->bytes + batch->len, batch->open};
        size_t len = cut_next(&sender->cut, rest, is_end);

        if (len == 0)
            return 0;
        if (sender->n_chunks == RECIPE_MAX_CHUNKS)
            return SENDER_E_LARGE;
        assert(batch->n_chunks < SENDER_BATCH_CHUNKS);
        batch->chunks[batch->n_chunks++].size_bytes = (uint32_t)len;
        batch->len += len;
        batch->open -= len;
        sender->n_chunks++;
        sender->size_bytes += len;
    }
}

int sender_put(struct sender *sender, size_t n)
{
    sender->open->open += n;
    return cut_open(sender, false);
}

int sender_end_unit(struct sender *sender)
{
    return cut_open(sender, true);
}

uint64_t sender_position(const struct sender *sender)
{
    return sender->n_chunks;
}

/* Whether every chunk is there, for good: a distribution point that was killed forgets what it did not write. */
static int check_all(struct sender *sender)
{
    struct bytes rows = buf_bytes(&sender->rows);

    while (rows.len > 0) {
        OWN(buf_fini) struct buf names = BUF_INIT((size_t)SENDER_BATCH_CHUNKS * SHA256_BYTES);
        OWN(buf_fini) struct buf bits = BUF_INIT(ANSWER_MAX_BYTES);
        struct recipe_chunk chunk;
        size_t n = 0;
        int r;

        for (; n < SENDER_BATCH_CHUNKS && recipe_take_chunk(&rows, &chunk); n++)
            buf_add(&names, (struct bytes){chunk.sha256, SHA256_BYTES});
        if (n == 0 || names.failed)
            return ERR(-ENOMEM);
        r = sender_ask(&sender->threads[0], buf_bytes(&names), &sender->why, &bits);
        if (r != 0)
            return r < 0 ? TRACE(r) : r;
        for (size_t i = 0; i < n; i++)
            if (((uint8_t)bits.ptr[i / BITS] >> (i % BITS) & 1U) == 0)
                return SENDER_E_LOST;
    }
    return 0;
}

static struct sender_counts add_up(const struct sender *sender)
{
    struct sender_counts counts = {
        .n_chunks = sender->n_chunks,
        .size_bytes = sender->size_bytes,
        .n_processors = sender->options.n_processors,
        .n_threads = sender->n_threads,
        .wall_us = clock_monotonic_us() - sender->began_us,
        .full_us = sender->full_us,
    };

    for (size_t i = 0; i < sender->n_threads; i++) {
        const struct sender_counts *part = &sender->threads[i].counts;

        counts.new_bytes += part->new_bytes;
        counts.sent_bytes += part->sent_bytes;
        counts.work_us += part->work_us;
        counts.site_us += part->site_us;
        counts.idle_us += part->idle_us;
        counts.processor_us += part->processor_us;
    }
    return counts;
}

int sender_end(struct sender *sender, struct sender_counts *ret, struct bytes *ret_rows)
{
    int r = 0;

    sender_lock(sender);
    if (sender->open)
        r = queue(sender, TAKE(sender->open));
    sender_unlock(sender);
    join(sender);
    if (r == 0)
        r = sender->outcome;
    if (r == 0)
        r = check_all(sender);
    *ret = add_up(sender);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    *ret_rows = buf_bytes(&sender->rows);
    return 0;
}

const char *sender_why(const struct sender *sender)
{
    return buf_str(&sender->why);
}
