/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/intake.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "store/cut.h"

enum {
    WINDOW_BYTES = 4 * CUT_MAX_BYTES,
    FIRST_CHUNKS = 256,
};

struct intake {
    struct store *store; /* borrowed */
    struct cut cut;
    struct manifest manifest; /* owned */
    size_t cap_chunks;
    uint8_t *window; /* owned; WINDOW_BYTES: bytes that are not cut yet */
    size_t window_len;
    uint64_t new_bytes;
};

void intake_free(struct intake *intake)
{
    if (!intake)
        return;
    manifest_fini(&intake->manifest);
    free(intake->window);
    free(intake);
}

int intake_new(struct store *store, enum manifest_kind kind, struct intake **ret)
{
    OWN(intake_freep) struct intake *intake = calloc(1, sizeof(*intake));

    if (!intake)
        return ERR(-ENOMEM);
    intake->store = store;
    intake->manifest.kind = kind;
    cut_init(&intake->cut);
    intake->window = malloc(WINDOW_BYTES);
    if (!intake->window)
        return ERR(-ENOMEM);
    *ret = TAKE(intake);
    return 0;
}

static int reserve_chunk(struct intake *intake)
{
    struct manifest *manifest = &intake->manifest;
    size_t cap = intake->cap_chunks > 0 ? 2 * intake->cap_chunks : FIRST_CHUNKS;

    if (manifest->n_chunks < intake->cap_chunks)
        return 0;
    if (manifest->n_chunks == MANIFEST_MAX_CHUNKS)
        return INTAKE_E_TOO_LARGE;

    struct manifest_chunk *grown = realloc(manifest->chunks, cap * sizeof(*grown));

    if (!grown)
        return ERR(-ENOMEM);
    manifest->chunks = grown;
    intake->cap_chunks = cap;
    return 0;
}

static int add_chunk(struct intake *intake, struct bytes plain)
{
    struct manifest *manifest = &intake->manifest;
    bool is_new;
    int r = reserve_chunk(intake);

    if (r != 0)
        return r;
    if (plain.len > MANIFEST_MAX_BYTES - manifest->size_bytes)
        return INTAKE_E_TOO_LARGE;
    r = store_put_chunk(intake->store, plain, &manifest->chunks[manifest->n_chunks], &is_new);
    if (r != 0)
        return r;
    manifest->n_chunks++;
    manifest->size_bytes += plain.len;
    intake->new_bytes += is_new ? plain.len : 0;
    return 0;
}

/* Cut off every chunk whose end is known. */
static int cut_window(struct intake *intake, bool is_end)
{
    struct bytes rest = {intake->window, intake->window_len};

    for (;;) {
        size_t len = cut_next(&intake->cut, rest, is_end);
        struct bytes plain;

        if (len == 0 || !bytes_take(&rest, len, &plain))
            break;

        int r = add_chunk(intake, plain);

        if (r != 0)
            return r;
    }
    if (rest.len > 0)
        memmove(intake->window, rest.ptr, rest.len);
    intake->window_len = rest.len;
    return 0;
}

int intake_feed(struct intake *intake, struct bytes src)
{
    while (src.len > 0) {
        size_t room = WINDOW_BYTES - intake->window_len;
        struct bytes piece;
        int r;

        (void)bytes_take(&src, src.len < room ? src.len : room, &piece);
        memcpy(intake->window + intake->window_len, piece.ptr, piece.len);
        intake->window_len += piece.len;
        if (intake->window_len < WINDOW_BYTES)
            continue;
        r = cut_window(intake, false);
        if (r != 0)
            return r;
    }
    return 0;
}

int intake_end(struct intake *intake, uint8_t ret_id[static SHA256_BYTES])
{
    int r = cut_window(intake, true);

    if (r != 0)
        return r;
    return store_put_manifest(intake->store, &intake->manifest, ret_id);
}

struct intake_counts intake_counts(const struct intake *intake)
{
    return (struct intake_counts){
        .size_bytes = intake->manifest.size_bytes,
        .new_bytes = intake->new_bytes,
        .n_chunks = intake->manifest.n_chunks,
    };
}
