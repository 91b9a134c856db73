/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/capture/sender_state.h"
#include "base/err.h"
#include "base/text.h"
#include "plat/clock.h"
#include "plat/digest.h"

enum {
    TABLE_MAX_BYTES = PACK_HEAD_BYTES + PACK_MAX_CHUNKS * PACK_ENTRY_BYTES,
    ROOM_BYTES = TABLE_MAX_BYTES + PACK_TARGET_BYTES + PACK_CHUNK_MAX_BYTES,
    PATH_MAX_BYTES = 128,
    ANSWER_MAX_BYTES = 64 * 1024,
    WHY_MAX_BYTES = 4096,
    BITS = 8,
};

static const char octets[] = "application/octet-stream";

int sender_thread_init(struct sender_thread *thread, struct sender *sender)
{
    int r = http_client_new(&sender->options.http, &thread->client);

    if (r == 0)
        r = frame_packer_new(ROOM_BYTES, &thread->packer);
    if (r == 0)
        r = frame_packer_hurry(thread->packer);
    if (r < 0)
        return TRACE(r);
    thread->sender = sender;
    thread->table = calloc(PACK_MAX_CHUNKS, sizeof(*thread->table));
    thread->room = malloc(ROOM_BYTES);
    return thread->table && thread->room ? 0 : ERR(-ENOMEM);
}

void sender_thread_fini(struct sender_thread *thread)
{
    http_client_free(thread->client);
    frame_packer_free(thread->packer);
    free(thread->table);
    free(thread->room);
}

/* Between the two this thread has a processor; as many do as there are. Return: when it began. */
static uint64_t begin_work(struct sender_thread *thread)
{
    uint64_t before = clock_monotonic_us();
    uint64_t now;

    while (sem_wait(&thread->sender->processors) < 0 && errno == EINTR)
        continue;
    now = clock_monotonic_us();
    thread->counts.processor_us += now - before;
    return now;
}

static void end_work(struct sender_thread *thread, uint64_t began_us)
{
    thread->counts.work_us += clock_monotonic_us() - began_us;
    (void)sem_post(&thread->sender->processors);
}

static int call(struct sender_thread *thread,
                const struct site_request *request,
                struct buf *why,
                struct buf *ret)
{
    const struct sender_options *options = &thread->sender->options;
    const struct site site = {thread->client, options->is_stopped, options->ctx};
    uint64_t began_us = clock_monotonic_us();
    int r = site_call(&site, request, why, ret);

    thread->counts.site_us += clock_monotonic_us() - began_us;
    return r < 0 ? TRACE(r) : r;
}

int sender_ask(struct sender_thread *thread,
               struct bytes names,
               struct buf *why,
               struct buf *ret_bits)
{
    size_t n = names.len / SHA256_BYTES;
    const struct site_request request = {"POST", "/api/v1/captures/chunks", names, octets};
    int r = call(thread, &request, why, ret_bits);

    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    if (ret_bits->len == (n + BITS - 1) / BITS)
        return 0;
    buf_adds(why, "the site answered a question about chunks with too many or too few bits");
    return SITE_E_FAILED;
}

/* Table, name, frame of what is in the pack. @ret: borrowed */
static int
press(struct sender_thread *thread, uint8_t ret_sha256[static SHA256_BYTES], struct bytes *ret)
{
    size_t table_bytes = pack_table_bytes(thread->n_chunks);
    uint8_t *begin = thread->room + TABLE_MAX_BYTES - table_bytes;
    struct bytes plain = {begin, table_bytes + thread->chunks_bytes};
    struct sink table = {.ptr = begin, .cap = table_bytes};
    int r;

    pack_put_table(&table, thread->table, thread->n_chunks);
    r = digest_sha256(plain, ret_sha256);
    if (r == 0)
        r = frame_pack(thread->packer, plain, ret);
    return TRACE(r);
}

/* Return: 0, SITE_E_..., or -errno. */
static int send_pack(struct sender_thread *thread, struct buf *why)
{
    uint8_t sha256[SHA256_BYTES];
    char name[SHA256_TEXT_MAX];
    char path[PATH_MAX_BYTES];
    struct bytes frame = {0};
    uint64_t began_us;
    int r;

    if (thread->n_chunks == 0)
        return 0;
    began_us = begin_work(thread);
    r = press(thread, sha256, &frame);
    end_work(thread, began_us);
    if (r < 0)
        return TRACE(r);
    hex_put(name, (struct bytes){sha256, SHA256_BYTES});
    (void)snprintf(path, sizeof(path), "/api/v1/captures/packs/%s", name);
    r = call(thread, &(struct site_request){"PUT", path, frame, octets}, why, NULL);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    thread->counts.new_bytes += thread->chunks_bytes;
    thread->counts.sent_bytes += frame.len;
    thread->n_chunks = 0;
    thread->chunks_bytes = 0;
    return 0;
}

static int add_chunk(struct sender_thread *thread,
                     const struct recipe_chunk *chunk,
                     const uint8_t *plain,
                     struct buf *why)
{
    struct pack_chunk *entry = &thread->table[thread->n_chunks++];

    memcpy(entry->sha256, chunk->sha256, SHA256_BYTES);
    entry->size_bytes = chunk->size_bytes;
    memcpy(thread->room + TABLE_MAX_BYTES + thread->chunks_bytes, plain, chunk->size_bytes);
    thread->chunks_bytes += chunk->size_bytes;
    if (thread->chunks_bytes < PACK_TARGET_BYTES && thread->n_chunks < PACK_MAX_CHUNKS)
        return 0;
    return send_pack(thread, why);
}

static int hash(struct sender_thread *thread, struct sender_batch *batch)
{
    uint64_t began_us = begin_work(thread);
    const uint8_t *at = batch->bytes;
    int r = 0;

    for (size_t i = 0; r == 0 && i < batch->n_chunks; i++) {
        struct recipe_chunk *chunk = &batch->chunks[i];

        r = digest_sha256((struct bytes){at, chunk->size_bytes}, chunk->sha256);
        at += chunk->size_bytes;
    }
    end_work(thread, began_us);
    return TRACE(r);
}

/* Between lock and unlock: into the recipe, where its place is. */
static void note_rows(struct sender *sender, const struct sender_batch *batch)
{
    struct sink rows = {
        .ptr = (uint8_t *)sender->rows.ptr + batch->first * RECIPE_ROW_BYTES,
        .cap = batch->n_chunks * RECIPE_ROW_BYTES,
    };

    for (size_t i = 0; i < batch->n_chunks; i++)
        recipe_put_chunk(&rows, &batch->chunks[i]);
}

/* Which chunks nobody has taken on. @ret_names: of those, in order; @ret_is_mine: one for each chunk */
static int choose(struct sender *sender,
                  const struct sender_batch *batch,
                  struct buf *ret_names,
                  bool *ret_is_mine)
{
    int r = 0;

    sender_lock(sender);
    note_rows(sender, batch);
    for (size_t i = 0; r == 0 && i < batch->n_chunks; i++) {
        const uint8_t *name = batch->chunks[i].sha256;
        uint64_t number;

        ret_is_mine[i] = !names_get(&sender->seen, name, &number);
        if (!ret_is_mine[i])
            continue;
        r = names_put(&sender->seen, name, 0);
        buf_add(ret_names, (struct bytes){name, SHA256_BYTES});
    }
    sender_unlock(sender);
    if (r == 0 && ret_names->failed)
        r = ERR(-ENOMEM);
    return TRACE(r);
}

/* Return: 0, SITE_E_..., or -errno. */
static int send_batch(struct sender_thread *thread, struct sender_batch *batch, struct buf *why)
{
    OWN(buf_fini) struct buf names = BUF_INIT((size_t)SENDER_BATCH_CHUNKS * SHA256_BYTES);
    OWN(buf_fini) struct buf bits = BUF_INIT(ANSWER_MAX_BYTES);
    bool is_mine[SENDER_BATCH_CHUNKS] = {false};
    const uint8_t *at = batch->bytes;
    size_t n_asked = 0;
    int r = hash(thread, batch);

    if (r == 0)
        r = choose(thread->sender, batch, &names, is_mine);
    if (r == 0 && names.len > 0)
        r = sender_ask(thread, buf_bytes(&names), why, &bits);
    for (size_t i = 0; r == 0 && i < batch->n_chunks; i++) {
        bool is_wanted =
            is_mine[i] && ((uint8_t)bits.ptr[n_asked / BITS] >> (n_asked % BITS) & 1U) == 0;

        n_asked += is_mine[i] ? 1 : 0;
        if (is_wanted)
            r = add_chunk(thread, &batch->chunks[i], at, why);
        at += batch->chunks[i].size_bytes;
    }
    return r < 0 ? TRACE(r) : r;
}

/* Between lock and unlock: waits. Return: NULL when there is nothing more to do. */
static struct sender_batch *take_batch(struct sender_thread *thread)
{
    struct sender *sender = thread->sender;
    uint64_t began_us = clock_monotonic_us();
    struct sender_batch *batch;

    while (!sender->first && !sender->is_ending && sender->outcome == 0)
        sender_wait_for_change(sender);
    thread->counts.idle_us += clock_monotonic_us() - began_us;
    batch = sender->outcome == 0 ? sender->first : NULL;
    if (batch) {
        sender->first = batch->next;
        if (!sender->first)
            sender->last = NULL;
    }
    return batch;
}

/* Between lock and unlock. @outcome: of site_call(), which is the sender's too */
static void note_outcome(struct sender *sender, int outcome, const struct buf *why)
{
    if (outcome == 0 || sender->outcome != 0)
        return;
    sender->outcome = outcome;
    buf_add(&sender->why, buf_bytes(why));
    sender_tell_change(sender);
}

_Static_assert((int)SENDER_E_FAILED == (int)SITE_E_FAILED &&
                   (int)SENDER_E_STOPPED == (int)SITE_E_STOPPED,
               "what ends a call ends the sender");

void *sender_thread_run(void *ctx)
{
    struct sender_thread *thread = ctx;
    struct sender *sender = thread->sender;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    struct sender_batch *batch;
    int r;

    sender_lock(sender);
    while ((batch = take_batch(thread))) {
        sender_unlock(sender);
        r = send_batch(thread, batch, &why);
        sender_lock(sender);
        batch->next = sender->free;
        sender->free = batch;
        sender_tell_change(sender);
        note_outcome(sender, r, &why);
    }
    if (sender->outcome == 0) {
        sender_unlock(sender);
        r = send_pack(thread, &why);
        sender_lock(sender);
        note_outcome(sender, r, &why);
    }
    sender_unlock(sender);
    return NULL;
}
