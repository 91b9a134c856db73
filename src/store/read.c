/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "format/pack/pack.h"
#include "store/check.h"
#include "store/layout.h"
#include "store/state.h"

enum {
    CACHE_PACKS = 16, /* that a stream keeps at hand: old packs are used again and again */
    FIRST_BAD = 16,
};

int store_get_pack(struct store *store, const struct manifest_pack *pack, struct buf *ret_plain)
{
    OWN(buf_fini) struct buf frame = BUF_INIT(PACK_STORED_MAX_BYTES);
    int r = check_pack_file(store->root, pack, &frame, ret_plain);

    return r < 0 ? TRACE(r) : r;
}

int store_get_manifest(struct store *store,
                       const uint8_t id[static SHA256_BYTES],
                       struct manifest *ret)
{
    int r = check_manifest_file(store->root, id, ret);

    return r < 0 ? TRACE(r) : r;
}

struct cached {
    struct buf plain; /* owned */
    size_t pack;      /* number in the manifest */
    uint64_t used;    /* when; 0: never */
};

struct cache {
    struct cached slots[CACHE_PACKS];
    uint64_t now;
};

static void cache_fini(struct cache *cache)
{
    for (size_t i = 0; i < CACHE_PACKS; i++)
        buf_fini(&cache->slots[i].plain);
}

/* The slot that has the pack, or else the one that was not used for longest. */
static struct cached *find_slot(struct cache *cache, size_t pack)
{
    struct cached *oldest = &cache->slots[0];

    for (size_t i = 0; i < CACHE_PACKS; i++) {
        struct cached *slot = &cache->slots[i];

        if (slot->used > 0 && slot->pack == pack)
            return slot;
        if (slot->used < oldest->used)
            oldest = slot;
    }
    return oldest;
}

/* Return: as store_get_pack(). @ret: borrowed until the next call */
static int get_cached(struct store *store,
                      struct cache *cache,
                      const struct manifest *manifest,
                      size_t pack,
                      struct bytes *ret)
{
    struct cached *slot = find_slot(cache, pack);
    int r = 0;

    if (slot->used == 0 || slot->pack != pack) {
        slot->used = 0;
        slot->plain.max = PACK_MAX_BYTES;
        r = store_get_pack(store, &manifest->packs[pack], &slot->plain);
    }
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    slot->pack = pack;
    slot->used = ++cache->now;
    *ret = buf_bytes(&slot->plain);
    return 0;
}

int store_read_stream(struct store *store,
                      const uint8_t id[static SHA256_BYTES],
                      const struct store_sink *sink)
{
    OWN(manifest_fini) struct manifest manifest = {0};
    OWN(cache_fini) struct cache cache = {0};
    int r = store_get_manifest(store, id, &manifest);

    for (size_t i = 0; r == 0 && i < manifest.n_runs; i++) {
        const struct manifest_run *run = &manifest.runs[i];
        struct bytes plain = {0};

        r = get_cached(store, &cache, &manifest, run->pack, &plain);
        if (r == 0 &&
            sink->feed(sink->ctx, (struct bytes){plain.ptr + run->offset, run->size_bytes}))
            return STORE_E_STOPPED;
    }
    return r < 0 ? TRACE(r) : r;
}

void store_validation_fini(struct store_validation *validation)
{
    free(validation->bad);
    *validation = (struct store_validation){0};
}

/* The number of bad ones is a power of two when there is no room for another. */
static int add_bad(struct store_validation *validation, const struct manifest_pack *pack)
{
    size_t n = validation->n_bad;

    if (n == 0 || (n >= FIRST_BAD && (n & (n - 1)) == 0)) {
        size_t cap = n == 0 ? FIRST_BAD : 2 * n;
        struct manifest_pack *grown = realloc(validation->bad, cap * sizeof(*grown));

        if (!grown)
            return ERR(-ENOMEM);
        validation->bad = grown;
    }
    validation->bad[validation->n_bad++] = *pack;
    return 0;
}

/* A file that is good, but not as long as one manifest says, is what another one means. */
static int set_aside(const char *root, const struct manifest_pack *pack)
{
    OWN(pack_fini) struct pack table = {0};
    struct manifest_pack there;
    char name[SHA256_TEXT_MAX];
    char from[STORE_PATH_MAX];
    char to[STORE_PATH_MAX];
    int r = check_any_pack_file(root, pack->sha256, &there, &table);

    if (r != STORE_E_CORRUPT)
        return r < 0 ? TRACE(r) : 0;
    layout_pack(root, pack->sha256, from);
    hex_put(name, (struct bytes){pack->sha256, SHA256_BYTES});
    (void)snprintf(to, sizeof(to), "%s/tmp/bad.%s", root, name);
    if (rename(from, to) != 0 && errno != ENOENT)
        return ERR(-errno);
    return 0;
}

/* Return: 0, STORE_E_MISSING, STORE_E_CORRUPT, or -errno. */
static int check_one(const struct store *store,
                     const struct manifest_pack *pack,
                     struct buf *frame,
                     struct buf *plain)
{
    OWN(pack_fini) struct pack table = {0};
    int r = check_pack_file(store->root, pack, frame, plain);

    if (r == 0)
        r = check_chunks(buf_bytes(plain), &table);
    return r < 0 ? TRACE(r) : r;
}

/* Return: 0, or -errno. */
static int validate_one(struct store *store,
                        const struct manifest_pack *pack,
                        struct buf *frame,
                        struct buf *plain,
                        struct store_validation *validation)
{
    int r = check_one(store, pack, frame, plain);

    if (r < 0)
        return TRACE(r);
    validation->checked_bytes += frame->len;
    if (r == 0)
        return 0;
    r = set_aside(store->root, pack);
    return r == 0 ? TRACE(add_bad(validation, pack)) : TRACE(r);
}

static uint64_t stored_bytes(const struct manifest *manifest)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < manifest->n_packs; i++)
        sum += manifest->packs[i].stored_bytes;
    return sum;
}

int store_validate(struct store *store,
                   const uint8_t id[static SHA256_BYTES],
                   const struct store_watch *watch,
                   struct store_validation *ret)
{
    OWN(store_validation_fini) struct store_validation validation = {0};
    OWN(manifest_fini) struct manifest manifest = {0};
    OWN(buf_fini) struct buf frame = BUF_INIT(PACK_STORED_MAX_BYTES);
    OWN(buf_fini) struct buf plain = BUF_INIT(PACK_MAX_BYTES);
    int r = store_get_manifest(store, id, &manifest);
    uint64_t all = stored_bytes(&manifest);
    uint64_t done = 0;

    for (size_t i = 0; r == 0 && i < manifest.n_packs; i++) {
        r = validate_one(store, &manifest.packs[i], &frame, &plain, &validation);
        done += manifest.packs[i].stored_bytes;
        if (watch)
            watch->tell(watch->ctx, done, all);
    }
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    *ret = validation;
    validation = (struct store_validation){0}; /* now in @ret */
    return 0;
}
