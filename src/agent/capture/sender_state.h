/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the thread that reads and the threads that send share; of sender.c and sender_thread.c only
 */

#include <pthread.h>
#include <semaphore.h>

#include "agent/capture/sender.h"
#include "format/pack/cut.h"
#include "format/pack/names.h"
#include "format/pack/pack.h"
#include "format/recipe/recipe.h"
#include "plat/frame.h"

enum {
    SENDER_PROCESSORS_MAX = 4,
    SENDER_THREADS_MORE = 2, /* they wait for the site while the others work */
    SENDER_THREADS_MAX = SENDER_PROCESSORS_MAX + SENDER_THREADS_MORE,
    SENDER_BATCHES_MORE = 2, /* one is filled, one waits */
    SENDER_BATCHES_MAX = SENDER_THREADS_MAX + SENDER_BATCHES_MORE,
    SENDER_BATCH_BYTES = 2 * SENDER_ROOM_MAX,
    SENDER_BATCH_CHUNKS = 4096, /* of one question */
};

struct sender_batch {
    uint8_t *bytes; /* owned; SENDER_BATCH_BYTES */
    size_t len;     /* that are chunks */
    size_t open;    /* bytes behind them that are not cut yet */
    struct recipe_chunk chunks[SENDER_BATCH_CHUNKS];
    size_t n_chunks;
    uint64_t first; /* of its chunks in the stream */
    struct sender_batch *next;
};

struct sender_thread {
    struct sender *sender; /* borrowed */
    pthread_t id;
    struct http_client *client;  /* owned */
    struct frame_packer *packer; /* owned */
    struct pack_chunk *table;    /* owned; PACK_MAX_CHUNKS */
    size_t n_chunks;
    uint8_t *room; /* owned; the chunks begin at PACK_TABLE_MAX_BYTES */
    size_t chunks_bytes;
    struct sender_counts counts;
};

struct sender {
    struct sender_thread threads[SENDER_THREADS_MAX];
    unsigned n_threads; /* wanted */
    unsigned n_started;
    struct sender_batch batches[SENDER_BATCHES_MAX];
    struct sender_batch *open; /* borrowed; being filled */
    struct sender_options options;
    struct cut cut;
    uint64_t n_chunks; /* that were cut */
    uint64_t size_bytes;
    uint64_t began_us;
    uint64_t full_us;
    sem_t processors;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* behind the lock: */
    struct sender_batch *free;  /* a list */
    struct sender_batch *first; /* a queue */
    struct sender_batch *last;
    struct names seen; /* chunks that a thread has taken on */
    struct buf rows;   /* owned; of the recipe */
    bool is_ending;    /* nothing more comes */
    int outcome;       /* the first that was not 0 */
    struct buf why;    /* owned */
};

void sender_lock(struct sender *sender);
void sender_unlock(struct sender *sender);
void sender_tell_change(struct sender *sender);     /* between the two */
void sender_wait_for_change(struct sender *sender); /* between the two */

/* Which of these chunks the site has: a bit each, the lowest first. Return: 0, SITE_E_..., or -errno. */
int sender_ask(struct sender_thread *thread,
               struct bytes names,
               struct buf *why,
               struct buf *ret_bits);

/* Make what a thread needs. sender_thread_fini() is to be called even if it fails. */
int sender_thread_init(struct sender_thread *thread, struct sender *sender);
void sender_thread_fini(struct sender_thread *thread);

/* Of pthread_create(); @ctx: the thread */
void *sender_thread_run(void *ctx);
