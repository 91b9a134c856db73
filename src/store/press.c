/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/press.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "plat/checksum.h"
#include "plat/digest.h"
#include "plat/frame.h"
#include "store/store.h"

enum {
    THREADS_MAX = 8,
    JOBS_MORE = 2, /* one being filled, one waiting, so that no thread has to wait */
    JOBS_MAX = THREADS_MAX + JOBS_MORE,
    TABLE_MAX_BYTES = PACK_HEAD_BYTES + PACK_MAX_CHUNKS * PACK_ENTRY_BYTES,
    ROOM_BYTES = TABLE_MAX_BYTES + PACK_TARGET_BYTES + PACK_CHUNK_MAX_BYTES,
    FIRST_CHUNKS = 64,
    FIRST_DONE = 64,
};

/* A pack that is closed as soon as it holds its target is never too large. */
_Static_assert((size_t)ROOM_BYTES <= PACK_MAX_BYTES, "a full pack fits");

struct press {
    const char *root; /* borrowed */
    struct press_job jobs[JOBS_MAX];
    size_t n_jobs;
    pthread_t threads[THREADS_MAX];
    struct frame_packer *packers[THREADS_MAX]; /* owned; one for each thread */
    unsigned n_threads;                        /* that were started */
    unsigned n_taken;                          /* packers that found their thread */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* behind the lock: */
    bool is_ending;
    struct press_job *free;  /* a list */
    struct press_job *first; /* a queue */
    struct press_job *last;
    size_t n_pending;    /* queued, or with a thread */
    struct aside **done; /* owned, like what it lists, until press_forget() */
    size_t n_done;
    size_t done_cap; /* room for all that is pending, too */
    int outcome;     /* the first that was not 0 */
};

static void lock(struct press *press)
{
    int r = pthread_mutex_lock(&press->lock);

    assert(r == 0);
}

static void unlock(struct press *press)
{
    int r = pthread_mutex_unlock(&press->lock);

    assert(r == 0);
}

static void wait_for_change(struct press *press)
{
    int r = pthread_cond_wait(&press->changed, &press->lock);

    assert(r == 0);
}

static void tell_change(struct press *press)
{
    int r = pthread_cond_broadcast(&press->changed);

    assert(r == 0);
}

/* Return: 0, STORE_E_FULL, or -errno. */
static int press_one(const struct press *press, struct frame_packer *packer, struct press_job *job)
{
    struct aside *aside = job->aside;
    size_t table_bytes = pack_table_bytes(aside->table.n_chunks);
    uint8_t *begin = job->room + TABLE_MAX_BYTES - table_bytes;
    struct bytes plain = {begin, table_bytes + job->chunks_bytes};
    struct sink table = {.ptr = begin, .cap = table_bytes};
    struct bytes frame = {0};
    int r;

    pack_put_table(&table, aside->table.chunks, aside->table.n_chunks);
    r = digest_sha256(plain, aside->pack.sha256);
    if (r == 0)
        r = frame_pack(packer, plain, &frame);
    if (r < 0)
        return TRACE(r);
    aside->pack.plain_bytes = (uint32_t)plain.len;
    aside->pack.stored_bytes = (uint32_t)frame.len;
    checksum_of(frame, aside->pack.check);
    r = aside_write(press->root, frame, aside);
    return r < 0 ? TRACE(r) : r;
}

/* Between lock() and unlock(). */
static struct press_job *take_job(struct press *press)
{
    struct press_job *job = press->first;

    press->first = job->next;
    if (!press->first)
        press->last = NULL;
    return job;
}

/* Between lock() and unlock(). */
static void finish_job(struct press *press, struct press_job *job, int outcome)
{
    press->done[press->n_done++] = TAKE(job->aside);
    if (press->outcome == 0)
        press->outcome = outcome;
    job->next = press->free;
    press->free = job;
    press->n_pending--;
    tell_change(press);
}

static void *run(void *ctx)
{
    struct press *press = ctx;
    struct frame_packer *packer;

    lock(press);
    packer = press->packers[press->n_taken++];
    for (;;) {
        struct press_job *job;
        int r;

        while (!press->first && !press->is_ending)
            wait_for_change(press);
        if (press->is_ending)
            break;
        job = take_job(press);
        unlock(press);
        r = press_one(press, packer, job);
        lock(press);
        finish_job(press, job, r);
    }
    unlock(press);
    return NULL;
}

/* Signals are for the thread that was there before. */
static int start_thread(struct press *press)
{
    sigset_t all;
    sigset_t before;
    int r;

    (void)sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return ERR(-EINVAL);
    r = pthread_create(&press->threads[press->n_threads], NULL, run, press);
    if (pthread_sigmask(SIG_SETMASK, &before, NULL) != 0 && r == 0)
        r = EINVAL;
    if (r != 0)
        return ERR(-r);
    press->n_threads++;
    return 0;
}

static unsigned count_processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    if (n < 1)
        return 1;
    return n < THREADS_MAX ? (unsigned)n : THREADS_MAX;
}

static int make_jobs(struct press *press, unsigned n_threads)
{
    press->n_jobs = n_threads + JOBS_MORE;
    for (size_t i = 0; i < press->n_jobs; i++) {
        struct press_job *job = &press->jobs[i];

        job->room = malloc(ROOM_BYTES);
        if (!job->room)
            return ERR(-ENOMEM);
        job->next = press->free;
        press->free = job;
    }
    for (unsigned i = 0; i < n_threads; i++) {
        int r = frame_packer_new(ROOM_BYTES, &press->packers[i]);

        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

int press_new(const char *root, unsigned n_threads, struct press **ret)
{
    OWN(press_freep) struct press *press = NULL;
    struct press *made = calloc(1, sizeof(*made));
    unsigned n = n_threads > 0 ? n_threads : count_processors();
    int r;

    assert(n <= THREADS_MAX);
    if (!made)
        return ERR(-ENOMEM);
    made->root = root;
    r = pthread_mutex_init(&made->lock, NULL);
    if (r == 0)
        r = pthread_cond_init(&made->changed, NULL);
    if (r != 0) {
        free(made);
        return ERR(-r);
    }
    press = made;
    r = make_jobs(press, n);
    for (unsigned i = 0; r == 0 && i < n; i++)
        r = start_thread(press);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(press);
    return 0;
}

void press_free(struct press *press)
{
    if (!press)
        return;
    lock(press);
    press->is_ending = true;
    tell_change(press);
    unlock(press);
    for (unsigned i = 0; i < press->n_threads; i++)
        (void)pthread_join(press->threads[i], NULL);
    for (size_t i = 0; i < press->n_done; i++)
        aside_free(press->root, press->done[i]);
    for (size_t i = 0; i < press->n_jobs; i++) {
        aside_free(press->root, press->jobs[i].aside);
        free(press->jobs[i].room);
    }
    for (unsigned i = 0; i < THREADS_MAX; i++)
        frame_packer_free(press->packers[i]);
    (void)pthread_cond_destroy(&press->changed);
    (void)pthread_mutex_destroy(&press->lock);
    free(press->done);
    free(press);
}

/* Between lock() and unlock(): a thread that has finished a job must find room to say so. */
static int reserve_done(struct press *press)
{
    size_t cap = press->done_cap > 0 ? 2 * press->done_cap : FIRST_DONE;
    struct aside **grown;

    if (press->n_done + press->n_pending + 1 <= press->done_cap)
        return 0;
    grown = realloc(press->done, cap * sizeof(struct aside *));
    if (!grown)
        return ERR(-ENOMEM);
    press->done = grown;
    press->done_cap = cap;
    return 0;
}

int press_open(struct press *press, uint32_t number, struct press_job **ret)
{
    struct press_job *job;
    int r;

    lock(press);
    while (!press->free)
        wait_for_change(press);
    r = reserve_done(press);
    if (r == 0) {
        job = press->free;
        r = aside_new(&job->aside);
    }
    if (r == 0) {
        press->free = job->next;
        job->next = NULL;
        job->aside->number = number;
        job->chunks_cap = 0;
        job->chunks_bytes = 0;
        *ret = job;
    }
    unlock(press);
    return TRACE(r);
}

static int reserve_chunk(struct press_job *job)
{
    struct pack *table = &job->aside->table;
    size_t cap = job->chunks_cap > 0 ? 2 * job->chunks_cap : FIRST_CHUNKS;
    struct pack_chunk *grown;

    if (table->n_chunks < job->chunks_cap)
        return 0;
    grown = realloc(table->chunks, cap * sizeof(*grown));
    if (!grown)
        return ERR(-ENOMEM);
    table->chunks = grown;
    job->chunks_cap = cap;
    return 0;
}

int press_add(struct press_job *job, struct bytes plain, const uint8_t sha256[static SHA256_BYTES])
{
    struct pack *table = &job->aside->table;
    struct pack_chunk *chunk;
    int r = reserve_chunk(job);

    assert(!press_is_full(job) && plain.len <= PACK_CHUNK_MAX_BYTES);
    if (r < 0)
        return TRACE(r);
    chunk = &table->chunks[table->n_chunks++];
    memcpy(chunk->sha256, sha256, SHA256_BYTES);
    chunk->size_bytes = (uint32_t)plain.len;
    memcpy(job->room + TABLE_MAX_BYTES + job->chunks_bytes, plain.ptr, plain.len);
    job->chunks_bytes += plain.len;
    return 0;
}

bool press_is_full(const struct press_job *job)
{
    return job->chunks_bytes >= PACK_TARGET_BYTES || job->aside->table.n_chunks == PACK_MAX_CHUNKS;
}

void press_submit(struct press *press, struct press_job *job)
{
    lock(press);
    if (press->last)
        press->last->next = job;
    else
        press->first = job;
    press->last = job;
    press->n_pending++;
    tell_change(press);
    unlock(press);
}

int press_collect(struct press *press, struct aside ***ret, size_t *ret_n)
{
    int r;

    lock(press);
    while (press->n_pending > 0)
        wait_for_change(press);
    *ret = press->done;
    *ret_n = press->n_done;
    r = press->outcome;
    unlock(press);
    return r < 0 ? TRACE(r) : r;
}

void press_forget(struct press *press)
{
    lock(press);
    press->n_done = 0;
    unlock(press);
}
