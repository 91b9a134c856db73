/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdio.h>

#include "agent/fetch/seed.h"
#include "agent/fetch/shelf.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "format/pack/chunk_list.h"

enum {
    LIST_PATH_MAX = sizeof("/content/lists/") + SHA256_TEXT_MAX,
    WHAT_MAX = sizeof("chunk list ") + SHA256_TEXT_MAX,
};

struct list_taker {
    struct buf *text;
};

static int begin_list(void *ctx)
{
    const struct list_taker *taker = ctx;

    buf_clear(taker->text);
    return 0;
}

static int take_list(void *ctx, struct bytes piece)
{
    const struct list_taker *taker = ctx;

    if (piece.len > taker->text->max - taker->text->len)
        return 1;
    buf_add(taker->text, piece);
    return taker->text->failed ? ERR(-ENOMEM) : 0;
}

static int end_list(void *ctx)
{
    (void)ctx; /* nothing says what it should be */
    return 0;
}

/* Most bytes of a list of which anything is used. */
static size_t list_max(const struct manifest *manifest)
{
    return CHUNK_LIST_HEAD_BYTES + manifest->n_packs * sizeof(uint32_t) +
           (size_t)SEED_CHUNKS_MAX * CHUNK_LIST_ENTRY_BYTES;
}

/* Return: 0, also without one; TRANSFER_E_UNREACHABLE, TRANSFER_E_CANCELLED, or -errno. */
static int get_list(struct transfer *transfer, const uint8_t *id, struct buf *ret)
{
    struct list_taker own = {ret};
    const struct transfer_taker taker = {begin_list, take_list, end_list, &own};
    char name[SHA256_TEXT_MAX];
    char path[LIST_PATH_MAX];
    char what[WHAT_MAX];
    int r;

    hex_put(name, (struct bytes){id, SHA256_BYTES});
    (void)snprintf(path, sizeof(path), "/content/lists/%s", name);
    (void)snprintf(what, sizeof(what), "chunk list %s", name);
    r = transfer_get(transfer, path, what, &taker);
    if (r == TRANSFER_E_CONTENT) {
        buf_clear(ret);
        return 0;
    }
    return TRACE(r);
}

static int seed_from(struct shelf *shelf,
                     const struct manifest *manifest,
                     struct bytes list,
                     const struct seed_source *source,
                     struct seed_report *ret)
{
    const struct seed_options options = {.shelf = shelf,
                                         .manifest = manifest,
                                         .list = list,
                                         .root = source->root,
                                         .skip = source->skip,
                                         .tell = source->tell,
                                         .ctx = source->ctx};
    int r = seed_run(&options, ret);

    return r == SEED_E_CANCELLED ? TRANSFER_E_CANCELLED : TRACE(r);
}

/* What comes before the packs. Return: as seed_download(). */
static int seed(struct shelf *shelf,
                const struct transfer_options *options,
                const uint8_t *id,
                const struct seed_source *source,
                struct transfer_report *report,
                struct seed_report *ret)
{
    OWN(transfer_freep) struct transfer *transfer = NULL;
    OWN(manifest_fini) struct manifest manifest = {0};
    OWN(buf_fini) struct buf list = BUF_INIT(0);
    int r = transfer_new(options, report, &transfer);

    if (r == 0)
        r = shelf_get_manifest(shelf, transfer, id, &manifest);
    if (r != 0 || manifest.kind != MANIFEST_OS_IMAGE_INDEX)
        return TRACE(r);
    list = BUF_INIT(list_max(&manifest));
    r = get_list(transfer, id, &list);
    return r == 0 ? TRACE(seed_from(shelf, &manifest, buf_bytes(&list), source, ret)) : TRACE(r);
}

int seed_download(struct shelf *shelf,
                  const struct transfer_options *options,
                  const uint8_t id[static SHA256_BYTES],
                  const struct seed_source *source,
                  struct transfer_report *ret,
                  struct seed_report *ret_seed)
{
    int r = 0;

    *ret_seed = (struct seed_report){0};
    if (source->root && !shelf_has(shelf, id))
        r = seed(shelf, options, id, source, ret, ret_seed);
    return r == 0 ? TRACE(shelf_download(shelf, options, id, ret)) : TRACE(r);
}
