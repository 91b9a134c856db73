/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/capture/sender.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "format/pack/pack.h"
#include "plat/clock.h"
#include "plat/digest.h"
#include "plat/frame.h"

enum {
    THREADS = 2,
    BATCH_BYTES = 4 * 1024 * 1024,
    BATCH_CHUNKS = 4096, /* of one question */
    BATCHES = THREADS + 3,
    TABLE_MAX_BYTES = PACK_HEAD_BYTES + PACK_MAX_CHUNKS * PACK_ENTRY_BYTES,
    ROOM_BYTES = TABLE_MAX_BYTES + PACK_TARGET_BYTES + PACK_CHUNK_MAX_BYTES,
    TRIES_MAX = 9,
    RETRY_US = 250 * 1000,
    PATH_MAX_BYTES = 128,
    ANSWER_MAX_BYTES = 64 * 1024,
    WHY_MAX_BYTES = 4096,
    BITS = 8,
};

struct batch {
    uint8_t *bytes; /* owned; BATCH_BYTES */
    size_t len;
    struct recipe_chunk chunks[BATCH_CHUNKS];
    size_t n_chunks;
    struct batch *next;
};

struct thread {
    struct sender *sender; /* borrowed */
    pthread_t id;
    struct http_client *client;  /* owned */
    struct frame_packer *packer; /* owned */
    struct pack_chunk *table;    /* owned; PACK_MAX_CHUNKS */
    size_t n_chunks;
    uint8_t *room; /* owned; the chunks begin at TABLE_MAX_BYTES */
    size_t chunks_bytes;
    struct sender_counts counts;
};

struct sender {
    struct thread threads[THREADS];
    unsigned n_threads; /* that were started */
    struct batch batches[BATCHES];
    struct batch *open; /* borrowed; being filled */
    uint8_t last[SHA256_BYTES];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* behind the lock: */
    struct batch *free;  /* a list */
    struct batch *first; /* a queue */
    struct batch *last_batch;
    bool is_ending; /* nothing more comes */
    int outcome;    /* the first that was not 0 */
    struct buf why; /* owned */
};

static void lock(struct sender *sender)
{
    int r = pthread_mutex_lock(&sender->lock);

    assert(r == 0);
}

static void unlock(struct sender *sender)
{
    int r = pthread_mutex_unlock(&sender->lock);

    assert(r == 0);
}

static void tell_change(struct sender *sender)
{
    int r = pthread_cond_broadcast(&sender->changed);

    assert(r == 0);
}

static void wait_for_change(struct sender *sender)
{
    int r = pthread_cond_wait(&sender->changed, &sender->lock);

    assert(r == 0);
}

/* What a problem+json says, or the status alone. */
static void explain(const struct http_answer *answer, struct buf *why)
{
    json_t *problem = json_loadb(buf_str(&answer->body), answer->body.len, 0, NULL);
    const char *id = json_string_value(json_object_get(problem, "error_id"));
    const char *title = json_string_value(json_object_get(problem, "title"));
    const char *detail = json_string_value(json_object_get(problem, "detail"));

    if (id && title)
        buf_addf(why, "%s: %s. %s", id, title, detail ? detail : "");
    else
        buf_addf(why, "the site answered with the status %u", answer->status);
    json_decref(problem);
}

static bool is_worth_another_try(unsigned status)
{
    return status == 408 || status == 429 || (status >= 500 && status != 507);
}

/* A request that was answered with 2xx. */
static int keep_body(const struct http_answer *answer, struct buf *ret)
{
    if (!ret)
        return 0;
    buf_clear(ret);
    buf_add(ret, buf_bytes(&answer->body));
    return ret->failed ? ERR(-ENOBUFS) : 0;
}

int sender_call(struct http_client *client,
                const struct sender_request *request,
                struct buf *why,
                struct buf *ret)
{
    for (unsigned n_tries = 1;; n_tries++) {
        OWN(http_answer_fini) struct http_answer answer = {0};
        bool is_last = n_tries == TRIES_MAX;
        int r = http_client_call(
            client, request->method, request->path, request->body, request->content_type, &answer);

        if (r < 0)
            return TRACE(r);
        if (r == 0 && answer.status >= 200 && answer.status < 300)
            return TRACE(keep_body(&answer, ret));
        if (r == 0 && (is_last || !is_worth_another_try(answer.status))) {
            explain(&answer, why);
            return SENDER_E_FAILED;
        }
        if (r != 0 && (is_last || r == HTTP_CLIENT_E_PIN)) {
            buf_adds(why, http_client_why(client));
            return SENDER_E_FAILED;
        }
        clock_sleep_us((uint64_t)RETRY_US << (n_tries - 1));
    }
}

static const char octets[] = "application/octet-stream";

/* Which of these chunks are there: a bit each. Return: 0, SENDER_E_FAILED, or -errno. */
static int ask(struct thread *thread, struct bytes names, struct buf *why, struct buf *ret_bits)
{
    size_t n = names.len / SHA256_BYTES;
    const struct sender_request request = {"POST", "/api/v1/captures/chunks", names, octets};
    int r = sender_call(thread->client, &request, why, ret_bits);

    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    if (ret_bits->len == (n + BITS - 1) / BITS)
        return 0;
    buf_adds(why, "the site answered a question about chunks with too many or too few bits");
    return SENDER_E_FAILED;
}

/* Compress and send what is in the pack. Return: 0, SENDER_E_FAILED, or -errno. */
static int send_pack(struct thread *thread, struct buf *why)
{
    size_t table_bytes = pack_table_bytes(thread->n_chunks);
    uint8_t *begin = thread->room + TABLE_MAX_BYTES - table_bytes;
    struct bytes plain = {begin, table_bytes + thread->chunks_bytes};
    struct sink table = {.ptr = begin, .cap = table_bytes};
    uint8_t sha256[SHA256_BYTES];
    char name[SHA256_TEXT_MAX];
    char path[PATH_MAX_BYTES];
    struct bytes frame = {0};
    int r;

    if (thread->n_chunks == 0)
        return 0;
    pack_put_table(&table, thread->table, thread->n_chunks);
    r = digest_sha256(plain, sha256);
    if (r == 0)
        r = frame_pack(thread->packer, plain, &frame);
    if (r < 0)
        return TRACE(r);
    hex_put(name, (struct bytes){sha256, SHA256_BYTES});
    (void)snprintf(path, sizeof(path), "/api/v1/captures/packs/%s", name);
    r = sender_call(
        thread->client, &(struct sender_request){"PUT", path, frame, octets}, why, NULL);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    thread->counts.new_bytes += thread->chunks_bytes;
    thread->counts.sent_bytes += frame.len;
    thread->n_chunks = 0;
    thread->chunks_bytes = 0;
    return 0;
}

static int add_chunk(struct thread *thread,
                     const struct recipe_chunk *chunk,
                     struct bytes plain,
                     struct buf *why)
{
    struct pack_chunk *entry = &thread->table[thread->n_chunks++];

    memcpy(entry->sha256, chunk->sha256, SHA256_BYTES);
    entry->size_bytes = chunk->size_bytes;
    memcpy(thread->room + TABLE_MAX_BYTES + thread->chunks_bytes, plain.ptr, plain.len);
    thread->chunks_bytes += plain.len;
    if (thread->chunks_bytes < PACK_TARGET_BYTES && thread->n_chunks < PACK_MAX_CHUNKS)
        return 0;
    return send_pack(thread, why);
}

static int send_batch(struct thread *thread, const struct batch *batch, struct buf *why)
{
    OWN(buf_fini) struct buf names = BUF_INIT((size_t)BATCH_CHUNKS * SHA256_BYTES);
    OWN(buf_fini) struct buf bits = BUF_INIT(ANSWER_MAX_BYTES);
    struct bytes rest = {batch->bytes, batch->len};
    int r;

    for (size_t i = 0; i < batch->n_chunks; i++)
        buf_add(&names, (struct bytes){batch->chunks[i].sha256, SHA256_BYTES});
    if (names.failed)
        return ERR(-ENOMEM);
    r = ask(thread, buf_bytes(&names), why, &bits);
    for (size_t i = 0; r == 0 && i < batch->n_chunks; i++) {
        bool is_there = ((uint8_t)bits.ptr[i / BITS] >> (i % BITS) & 1U) != 0;
        struct bytes plain;

        (void)bytes_take(&rest, batch->chunks[i].size_bytes, &plain);
        if (!is_there)
            r = add_chunk(thread, &batch->chunks[i], plain, why);
    }
    return r < 0 ? TRACE(r) : r;
}

/* Between lock() and unlock(): waits. Return: NULL when there is nothing more to do. */
static struct batch *take_batch(struct sender *sender)
{
    struct batch *batch;

    while (!sender->first && !sender->is_ending && sender->outcome == 0)
        wait_for_change(sender);
    batch = sender->outcome == 0 ? sender->first : NULL;
    if (batch) {
        sender->first = batch->next;
        if (!sender->first)
            sender->last_batch = NULL;
    }
    return batch;
}

/* Between lock() and unlock() */
static void note_outcome(struct sender *sender, int outcome, const struct buf *why)
{
    if (outcome == 0 || sender->outcome != 0)
        return;
    sender->outcome = outcome;
    buf_add(&sender->why, buf_bytes(why));
    tell_change(sender);
}

static void *run(void *ctx)
{
    struct thread *thread = ctx;
    struct sender *sender = thread->sender;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    struct batch *batch;
    int r;

    lock(sender);
    while ((batch = take_batch(sender))) {
        unlock(sender);
        r = send_batch(thread, batch, &why);
        lock(sender);
        batch->next = sender->free;
        sender->free = batch;
        tell_change(sender);
        note_outcome(sender, r, &why);
    }
    if (sender->outcome == 0) {
        unlock(sender);
        r = send_pack(thread, &why);
        lock(sender);
        note_outcome(sender, r, &why);
    }
    unlock(sender);
    return NULL;
}

static int make_thread(struct sender *sender, const struct http_client_options *http)
{
    struct thread *thread = &sender->threads[sender->n_threads];
    int r = http_client_new(http, &thread->client);

    if (r == 0)
        r = frame_packer_new(ROOM_BYTES, &thread->packer);
    if (r < 0)
        return TRACE(r);
    thread->sender = sender;
    thread->table = calloc(PACK_MAX_CHUNKS, sizeof(*thread->table));
    thread->room = malloc(ROOM_BYTES);
    if (!thread->table || !thread->room)
        return ERR(-ENOMEM);
    r = pthread_create(&thread->id, NULL, run, thread);
    if (r != 0)
        return ERR(-r);
    sender->n_threads++;
    return 0;
}

int sender_new(const struct http_client_options *http, struct sender **ret)
{
    OWN(sender_freep) struct sender *sender = NULL;
    struct sender *made = calloc(1, sizeof(*made));
    int r;

    if (!made)
        return ERR(-ENOMEM);
    r = pthread_mutex_init(&made->lock, NULL);
    if (r == 0)
        r = pthread_cond_init(&made->changed, NULL);
    if (r != 0) {
        free(made);
        return ERR(-r);
    }
    sender = made;
    sender->why = BUF_INIT(WHY_MAX_BYTES);
    for (size_t i = 0; i < BATCHES; i++) {
        struct batch *batch = &sender->batches[i];

        batch->bytes = malloc(BATCH_BYTES);
        if (!batch->bytes)
            return ERR(-ENOMEM);
        batch->next = sender->free;
        sender->free = batch;
    }
    for (size_t i = 0; i < THREADS; i++) {
        r = make_thread(sender, http);
        if (r < 0)
            return TRACE(r);
    }
    *ret = TAKE(sender);
    return 0;
}

static void join(struct sender *sender)
{
    lock(sender);
    sender->is_ending = true;
    tell_change(sender);
    unlock(sender);
    for (unsigned i = 0; i < sender->n_threads; i++)
        (void)pthread_join(sender->threads[i].id, NULL);
    sender->n_threads = 0;
}

void sender_free(struct sender *sender)
{
    if (!sender)
        return;
    lock(sender);
    if (sender->n_threads > 0 && sender->outcome == 0)
        sender->outcome = -ECANCELED;
    unlock(sender);
    join(sender);
    for (size_t i = 0; i < THREADS; i++) {
        http_client_free(sender->threads[i].client);
        frame_packer_free(sender->threads[i].packer);
        free(sender->threads[i].table);
        free(sender->threads[i].room);
    }
    for (size_t i = 0; i < BATCHES; i++)
        free(sender->batches[i].bytes);
    buf_fini(&sender->why);
    (void)pthread_cond_destroy(&sender->changed);
    (void)pthread_mutex_destroy(&sender->lock);
    free(sender);
}

/* Between lock() and unlock() */
static void queue_open(struct sender *sender)
{
    struct batch *batch = TAKE(sender->open);

    if (!batch)
        return;
    batch->next = NULL;
    if (sender->last_batch)
        sender->last_batch->next = batch;
    else
        sender->first = batch;
    sender->last_batch = batch;
    tell_change(sender);
}

/* Between lock() and unlock(): waits for one. Return: 0, SENDER_E_FAILED, or -errno. */
static int open_batch(struct sender *sender)
{
    while (!sender->free && sender->outcome == 0)
        wait_for_change(sender);
    if (sender->outcome != 0)
        return sender->outcome;
    sender->open = sender->free;
    sender->free = sender->open->next;
    sender->open->len = 0;
    sender->open->n_chunks = 0;
    return 0;
}

int sender_put(struct sender *sender, const struct recipe_chunk *chunk, struct bytes plain)
{
    struct batch *batch = sender->open;
    bool is_full =
        batch && (batch->n_chunks == BATCH_CHUNKS || plain.len > BATCH_BYTES - batch->len);

    if (!batch || is_full) {
        int r;

        lock(sender);
        queue_open(sender);
        r = open_batch(sender);
        unlock(sender);
        if (r != 0)
            return r < 0 ? TRACE(r) : r;
        batch = sender->open;
    }
    batch->chunks[batch->n_chunks++] = *chunk;
    memcpy(batch->bytes + batch->len, plain.ptr, plain.len);
    batch->len += plain.len;
    memcpy(sender->last, chunk->sha256, SHA256_BYTES);
    return 0;
}

int sender_end(struct sender *sender, struct sender_counts *ret)
{
    OWN(buf_fini) struct buf bits = BUF_INIT(ANSWER_MAX_BYTES);
    struct sender_counts counts = {0};
    int r;

    lock(sender);
    queue_open(sender);
    unlock(sender);
    join(sender);
    r = sender->outcome;
    if (r == 0) /* with the answer to a question everything that was sent is durable */
        r = ask(
            &sender->threads[0], (struct bytes){sender->last, SHA256_BYTES}, &sender->why, &bits);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    for (size_t i = 0; i < THREADS; i++) {
        counts.new_bytes += sender->threads[i].counts.new_bytes;
        counts.sent_bytes += sender->threads[i].counts.sent_bytes;
    }
    *ret = counts;
    return 0;
}

const char *sender_why(const struct sender *sender)
{
    return buf_str(&sender->why);
}
