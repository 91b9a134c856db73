/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "format/pack/pack.h"
#include "plat/checksum.h"
#include "plat/digest.h"
#include "store/check.h"
#include "store/state.h"

enum {
    FIRST_PACKS = 64,
};

static uint64_t place_number(uint32_t pack, uint32_t offset)
{
    return (uint64_t)pack << 32 | offset;
}

static void free_added(struct store *store)
{
    for (size_t i = 0; i < store->n_added; i++)
        aside_free(store->root, store->added[i]);
    store->n_added = 0;
}

void put_reset(struct store *store)
{
    press_free(store->press);
    store->press = NULL;
    store->open = NULL;
    store->n_pressing = 0;
    free_added(store);
    free(store->packs);
    store->packs = NULL;
    store->n_packs = 0;
    store->packs_cap = 0;
    names_fini(&store->pack_numbers);
    names_fini(&store->chunks);
    store->failed = 0;
}

/* What adding comes to is what it will come to again. */
static int keep_failure(struct store *store, int r)
{
    store->failed = r;
    return r < 0 ? TRACE(r) : r;
}

static void drop_index(struct store *store)
{
    index_close(store->index);
    store->index = NULL;
}

static int new_pack(struct store *store, uint32_t *ret)
{
    size_t cap = store->packs_cap > 0 ? 2 * store->packs_cap : FIRST_PACKS;

    if (store->n_packs == store->packs_cap) {
        struct state_pack *grown = realloc(store->packs, cap * sizeof(*grown));

        if (!grown)
            return ERR(-ENOMEM);
        store->packs = grown;
        store->packs_cap = cap;
    }
    store->packs[store->n_packs] = (struct state_pack){0};
    *ret = (uint32_t)store->n_packs++;
    return 0;
}

/* The number of a pack of which the index speaks. */
static int number_of(struct store *store, const struct index_pack *in, uint32_t *ret)
{
    uint64_t number;
    int r;

    if (names_get(&store->pack_numbers, in->pack.sha256, &number)) {
        *ret = (uint32_t)number;
        return 0;
    }
    r = new_pack(store, ret);
    if (r == 0)
        r = names_put(&store->pack_numbers, in->pack.sha256, *ret);
    if (r < 0)
        return TRACE(r);
    store->packs[*ret] = (struct state_pack){
        .pack = in->pack,
        .n_chunks = in->n_chunks,
        .is_there = store_has_pack(store, &in->pack),
    };
    return 0;
}

enum {
    PUT_E_NEW = 64, /* of find_chunk(): it is not there */
};

static int
find_chunk(struct store *store, const uint8_t *sha256, size_t size, struct store_place *ret)
{
    struct index_place place;
    uint64_t number;
    int r;

    if (names_get(&store->chunks, sha256, &number)) {
        *ret = (struct store_place){.pack = (uint32_t)(number >> 32), .offset = (uint32_t)number};
        return 0;
    }
    if (!store->index)
        return PUT_E_NEW;
    r = index_find(store->index, sha256, &place);
    if (r == INDEX_E_UNUSABLE)
        drop_index(store);
    if (r != 0 || place.size_bytes != size)
        return PUT_E_NEW;
    r = number_of(store, &place.in, &ret->pack);
    if (r < 0)
        return TRACE(r);
    ret->offset = place.offset;
    ret->is_new = false;
    return store->packs[ret->pack].is_there ? 0 : PUT_E_NEW;
}

static int open_pack(struct store *store)
{
    uint32_t number = 0;
    int r = 0;

    if (store->open)
        return 0;
    if (!store->press)
        r = press_new(store->root, 0, &store->press);
    if (r == 0)
        r = new_pack(store, &number);
    if (r == 0)
        r = press_open(store->press, number, &store->open);
    return TRACE(r);
}

static void close_pack(struct store *store)
{
    if (!store->open)
        return;
    press_submit(store->press, store->open);
    store->open = NULL;
    store->n_pressing++;
}

static int put_new_chunk(struct store *store,
                         const uint8_t *sha256,
                         struct bytes plain,
                         struct store_place *ret)
{
    int r = open_pack(store);

    if (r < 0)
        return TRACE(r);
    *ret = (struct store_place){
        .pack = store->open->aside->number,
        .offset = (uint32_t)store->open->chunks_bytes,
        .is_new = true,
    };
    r = press_add(store->open, plain, sha256);
    if (r == 0)
        r = names_put(&store->chunks, sha256, place_number(ret->pack, ret->offset));
    if (r < 0)
        return TRACE(r);
    if (press_is_full(store->open))
        close_pack(store);
    return 0;
}

int store_put_chunk(struct store *store, struct bytes plain, struct store_place *ret)
{
    uint8_t sha256[SHA256_BYTES];
    int r;

    assert(store->lock_fd >= 0);
    assert(plain.len > 0 && plain.len <= PACK_CHUNK_MAX_BYTES);
    if (store->failed != 0)
        return store->failed;
    r = digest_sha256(plain, sha256);
    if (r == 0)
        r = find_chunk(store, sha256, plain.len, ret);
    if (r == PUT_E_NEW)
        r = put_new_chunk(store, sha256, plain, ret);
    if (r != 0)
        return keep_failure(store, r);
    return store->n_pressing >= STATE_BATCH_PACKS ? store_flush(store) : 0;
}

int store_find_chunk(struct store *store,
                     const uint8_t sha256[static SHA256_BYTES],
                     size_t size,
                     struct store_place *ret)
{
    int r;

    assert(store->lock_fd >= 0);
    r = find_chunk(store, sha256, size, ret);
    return r == PUT_E_NEW ? STORE_E_MISSING : TRACE(r);
}

bool store_has_chunk(struct store *store, const uint8_t sha256[static SHA256_BYTES])
{
    struct index_place place;
    int r;

    assert(store->lock_fd >= 0);
    if (!store->index)
        return false;
    r = index_find(store->index, sha256, &place);
    if (r == INDEX_E_UNUSABLE)
        drop_index(store);
    return r == 0 && store_has_pack(store, &place.in.pack);
}

void store_pack(const struct store *store,
                uint32_t number,
                struct manifest_pack *ret,
                uint32_t *ret_table_bytes)
{
    assert(number < store->n_packs && store->packs[number].is_there);
    *ret = store->packs[number].pack;
    *ret_table_bytes = (uint32_t)pack_table_bytes(store->packs[number].n_chunks);
}

int store_add_pack(struct store *store, const struct manifest_pack *pack, struct bytes frame)
{
    OWN(buf_fini) struct buf plain = BUF_INIT(PACK_MAX_BYTES);
    struct aside *aside;
    int r;

    assert(store->lock_fd >= 0);
    if (store->failed != 0)
        return store->failed;
    r = aside_new(&aside);
    if (r < 0)
        return TRACE(keep_failure(store, r));
    r = check_frame(pack, frame, &plain);
    if (r == 0)
        r = check_chunks(buf_bytes(&plain), &aside->table);
    if (r == 0) {
        aside->pack = *pack;
        checksum_of(frame, aside->pack.check);
        aside->is_foreign = true;
        r = aside_write(store->root, frame, aside);
    }
    if (r != 0) {
        aside_free(store->root, aside);
        return r == STORE_E_CORRUPT ? STORE_E_CORRUPT : keep_failure(store, r);
    }
    store->added[store->n_added++] = aside;
    return store->n_added == STATE_BATCH_PACKS ? store_flush(store) : 0;
}

/* Packs that are published: their numbers are good from now on. */
static int note_packs(struct store *store, struct aside *const *asides, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t number = asides[i]->number;
        int r = names_put(&store->pack_numbers, asides[i]->pack.sha256, number);

        if (r < 0)
            return TRACE(r);
        store->packs[number] = (struct state_pack){
            .pack = asides[i]->pack,
            .n_chunks = (uint32_t)asides[i]->table.n_chunks,
            .is_there = true,
        };
    }
    return 0;
}

/* Return: 0, or INDEX_E_UNUSABLE. */
static int add_to_index(struct store_index *index, struct aside *const *asides, size_t n)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++)
        r = index_add(index, &asides[i]->pack, &asides[i]->table);
    return r;
}

/* Without an index the chunks stay in memory, to be found as long as the handle lives. */
static void update_index(struct store *store, struct aside *const *pressed, size_t n_pressed)
{
    int r;

    if (!store->index || n_pressed + store->n_added == 0)
        return;
    r = index_begin(store->index);
    if (r == 0)
        r = add_to_index(store->index, pressed, n_pressed);
    if (r == 0)
        r = add_to_index(store->index, store->added, store->n_added);
    if (r == 0)
        r = index_commit(store->index);
    if (r == 0)
        names_fini(&store->chunks);
    else
        drop_index(store);
}

static void forget_pressed(struct store *store, struct aside *const *pressed, size_t n)
{
    for (size_t i = 0; i < n; i++)
        aside_free(store->root, pressed[i]);
    if (store->press)
        press_forget(store->press);
    store->n_pressing = 0;
}

/* Return: 0, STORE_E_FULL, or -errno. */
static int flush(struct store *store)
{
    struct aside **pressed = NULL;
    size_t n_pressed = 0;
    int r = 0;

    close_pack(store);
    if (store->press)
        r = press_collect(store->press, &pressed, &n_pressed);
    if (r == 0)
        r = aside_publish(store->root, pressed, n_pressed);
    if (r == 0)
        r = aside_publish(store->root, store->added, store->n_added);
    if (r == 0)
        r = note_packs(store, pressed, n_pressed);
    if (r == 0)
        update_index(store, pressed, n_pressed);
    forget_pressed(store, pressed, n_pressed);
    free_added(store);
    return r < 0 ? TRACE(r) : r;
}

int store_flush(struct store *store)
{
    int r;

    assert(store->lock_fd >= 0);
    if (store->failed != 0)
        return store->failed;
    r = flush(store);
    return r == 0 ? 0 : keep_failure(store, r);
}
