/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/captures.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/text.h"
#include "plat/clock.h"
#include "plat/frame.h"
#include "store/store.h"

enum {
    REST_S = 30, /* a collection waits for at most so long after the last request */
    US_PER_S = 1000 * 1000,
    BITS = 8,
};

#define FREE_RESERVE_BYTES (UINT64_C(256) * 1024 * 1024) /* as for uploads */

struct captures {
    char *state_folder;  /* owned */
    struct store *store; /* owned; NULL: nobody captures */
    uint64_t used_us;
};

static void let_go(struct captures *captures)
{
    store_free(captures->store);
    captures->store = NULL;
}

/* What is added and not flushed yet would be lost. */
static void flush_and_let_go(struct captures *captures)
{
    if (captures->store)
        (void)store_flush(captures->store);
    let_go(captures);
}

void captures_free(struct captures *captures)
{
    if (!captures)
        return;
    flush_and_let_go(captures);
    free(captures->state_folder);
    free(captures);
}

int captures_new(const char *state_folder, struct captures **ret)
{
    OWN(captures_freep) struct captures *captures = calloc(1, sizeof(*captures));

    if (!captures)
        return ERR(-ENOMEM);
    captures->state_folder = strdup(state_folder);
    if (!captures->state_folder)
        return ERR(-ENOMEM);
    *ret = TAKE(captures);
    return 0;
}

void captures_rest(struct captures *captures)
{
    if (captures->store && clock_monotonic_us() - captures->used_us > (uint64_t)REST_S * US_PER_S)
        flush_and_let_go(captures);
}

static bool has_room(const struct captures *captures)
{
    struct statvfs fs;
    uint64_t available;

    if (statvfs(captures->state_folder, &fs) < 0 ||
        __builtin_mul_overflow((uint64_t)fs.f_bavail, (uint64_t)fs.f_frsize, &available))
        return true; /* writing will tell */
    return available > FREE_RESERVE_BYTES;
}

static int reply_bad(struct http_exchange *x, const char *detail)
{
    return http_reply_problem(x, 400, "SLW-0365", "What a capture sent is not valid", "%s", detail);
}

static int reply_full(struct http_exchange *x)
{
    return http_reply_problem(x,
                              507,
                              "SLW-0313",
                              "Not enough free space on the distribution point",
                              "The file system of the server's state folder has too little free "
                              "space for what is captured. Free some, or move the state folder; "
                              "what was sent is kept for a day.");
}

static int reply_busy(struct http_exchange *x)
{
    return http_reply_problem(
        x, 503, "SLW-0361", "The content store is being tidied up", "Ask again in some seconds.");
}

/* Return: 0, STORE_E_BUSY, or -errno. */
static int take_store(struct captures *captures)
{
    OWN(store_freep) struct store *store = NULL;
    char root[STORE_PATH_MAX];
    int n;
    int r;

    captures->used_us = clock_monotonic_us();
    if (captures->store)
        return 0;
    n = snprintf(root, sizeof(root), "%s/dp/content", captures->state_folder);
    if (n < 0 || (size_t)n >= sizeof(root))
        return ERR(-ENAMETOOLONG);
    r = store_new(root, &store);
    if (r > 0)
        return ERR(-EMEDIUMTYPE); /* the role does not start with such a store */
    if (r == 0)
        r = store_try_begin(store);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    captures->store = TAKE(store);
    return 0;
}

/* The store adds nothing any more after a failure: the next request begins anew. */
static int reply_failure(struct captures *captures, struct http_exchange *x, int r)
{
    let_go(captures);
    if (r == STORE_E_FULL)
        return reply_full(x);
    return r < 0 ? TRACE(r) : ERR(-EPROTO);
}

static void find(struct store *store, struct bytes names, uint8_t *bits)
{
    struct bytes name;

    for (size_t i = 0; bytes_take(&names, SHA256_BYTES, &name); i++)
        if (store_has_chunk(store, name.ptr))
            bits[i / BITS] = (uint8_t)(bits[i / BITS] | 1U << (i % BITS));
}

int captures_find_chunks(void *ctx, struct http_exchange *x)
{
    struct captures *captures = ctx;
    struct bytes names = http_body(x);
    size_t n = names.len / SHA256_BYTES;
    uint8_t bits[CAPTURES_ASK_MAX / BITS] = {0};
    int r;

    if (n < 1 || n > CAPTURES_ASK_MAX || names.len % SHA256_BYTES != 0)
        return reply_bad(x, "A question is 1 to 4096 names of 32 bytes.");
    r = take_store(captures);
    if (r != 0)
        return r < 0 ? TRACE(r) : reply_busy(x);
    r = store_flush(captures->store);
    if (r != 0)
        return reply_failure(captures, x, r);
    find(captures->store, names, bits);
    return http_reply_bytes(
        x, 200, "application/octet-stream", (struct bytes){bits, (n + BITS - 1) / BITS});
}

int captures_put_pack(void *ctx, struct http_exchange *x)
{
    struct captures *captures = ctx;
    struct bytes frame = http_body(x);
    struct manifest_pack pack = {.stored_bytes = (uint32_t)frame.len};
    size_t plain_bytes;
    int r;

    if (!hex_parse(bytes_of(http_param(x, "name")), SHA256_BYTES, pack.sha256))
        return reply_bad(x, "A pack is named by 64 hex digits.");
    if (frame_size(frame, PACK_MAX_BYTES, &plain_bytes) != 0 || plain_bytes < PACK_MIN_BYTES)
        return reply_bad(x, "The body is not one zstd frame that declares the size of a pack.");
    pack.plain_bytes = (uint32_t)plain_bytes;
    if (!has_room(captures))
        return reply_full(x);
    r = take_store(captures);
    if (r != 0)
        return r < 0 ? TRACE(r) : reply_busy(x);
    if (store_has_pack(captures->store, &pack))
        return http_reply_empty(x, 204);
    r = store_add_pack(captures->store, &pack, frame);
    if (r == STORE_E_CORRUPT)
        return reply_bad(x, "The pack is not what its name says.");
    if (r != 0)
        return reply_failure(captures, x, r);
    return http_reply_empty(x, 204);
}
