/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/fetch/seed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/fetch/fetch.h"
#include "agent/fetch/seed_look.h"
#include "agent/fetch/seed_places.h"
#include "agent/fetch/shelf.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "format/pack/chunk_list.h"
#include "format/pack/pack.h"
#include "format/wim/reparse.h"
#include "plat/clock.h"
#include "plat/digest.h"
#include "plat/file.h"

struct making { /* packs are put together */
    const struct seed_options *options;
    struct seed_places *places;
    struct seed_report *report;
    int root;
    uint32_t unit;     /* that was read last; SEED_NOWHERE: none */
    int fd;            /* owned; of it, if it is a file */
    struct buf link;   /* owned; its contents, if it is a link */
    uint8_t *plain;    /* owned; PACK_MAX_BYTES */
    uint64_t left;     /* stored bytes of packs that are not on the shelf */
    struct pack table; /* owned; of the pack that is made */
};

static void making_fini(struct making *making)
{
    fd_closep(&making->fd);
    buf_fini(&making->link);
    pack_fini(&making->table);
    free(making->plain);
}

static bool open_unit(struct making *making, uint32_t unit)
{
    const char *path = seed_places_path(making->places, unit);

    if (unit == making->unit)
        return true;
    fd_closep(&making->fd);
    making->fd = -1;
    making->unit = SEED_NOWHERE;
    if (seed_places_kind(making->places, unit) == SEED_LINK) {
        /* the folder's descriptor keeps links on the way out */
        const char *slash = strrchr(path, '/');
        OWN(freep) char *parent = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
        OWN(fd_closep)
        int folder = parent ? seed_open(making->root, parent, O_PATH | O_DIRECTORY) : -1;

        if (folder < 0 || !seed_read_link(folder, slash ? slash + 1 : path, &making->link))
            return false;
    } else {
        making->fd = seed_open(making->root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME);
        if (making->fd < 0)
            return false;
    }
    making->unit = unit;
    return true;
}

/* Contents of the unit, from @offset. Return: whether there are that many. */
static bool read_contents(const struct making *making, uint64_t offset, uint8_t *ret, size_t len)
{
    if (making->fd < 0) {
        if (offset != 0 || making->link.len < len)
            return false;
        memcpy(ret, making->link.ptr, len);
        return true;
    }
    while (len > 0) {
        ssize_t n = pread(making->fd, ret, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        ret += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

/* The bytes of a chunk, as they are now. */
static bool read_chunk(struct making *making, const struct seed_place *place, uint8_t *ret)
{
    size_t head = place->offset == 0 ? WIM_RESOURCE_HEADER_BYTES : 0;
    uint64_t offset = place->offset == 0 ? 0 : place->offset - WIM_RESOURCE_HEADER_BYTES;

    if (place->size_bytes < head || !open_unit(making, place->unit))
        return false;
    if (head > 0)
        memcpy(ret, seed_places_header(making->places, place->unit), head);
    return read_contents(making, offset, ret + head, place->size_bytes - head);
}

/* Plain bytes of the pack, of those chunks that are known. Return: of all its chunks; @ret_known: of these */
static uint64_t count_known(const struct seed_places *places,
                            const struct chunk_list_pack *pack,
                            uint64_t *ret_known)
{
    uint64_t all = 0;

    *ret_known = 0;
    for (size_t i = 0; i < pack->n_chunks; i++) {
        struct chunk_list_chunk chunk = chunk_list_get(pack, i);
        const struct seed_place *place = seed_places_find(places, chunk.key, chunk.size_bytes);

        all += chunk.size_bytes;
        *ret_known += place && place->unit != SEED_NOWHERE ? chunk.size_bytes : 0;
    }
    return all;
}

/* Table and chunks, as the list has them. Return: 0, 1 if a chunk cannot be read any more, or -errno. */
static int put_together(struct making *making, const struct chunk_list_pack *pack)
{
    size_t at = pack_table_bytes(pack->n_chunks);
    struct sink head = {.ptr = making->plain, .cap = at};

    for (size_t i = 0; i < pack->n_chunks; i++) {
        struct chunk_list_chunk chunk = chunk_list_get(pack, i);
        const struct seed_place *place =
            seed_places_find(making->places, chunk.key, chunk.size_bytes);
        struct pack_chunk *row = &making->table.chunks[i];
        int r;

        if (!place || !read_chunk(making, place, making->plain + at))
            return 1;
        r = digest_sha256((struct bytes){making->plain + at, chunk.size_bytes}, row->sha256);
        if (r < 0)
            return TRACE(r);
        row->size_bytes = chunk.size_bytes;
        at += chunk.size_bytes;
    }
    pack_put_table(&head, making->table.chunks, pack->n_chunks);
    return 0;
}

/* Return: 0 or -errno. */
static int make_pack(struct making *making,
                     const struct manifest_pack *pack,
                     const struct chunk_list_pack *listed)
{
    struct seed_report *report = making->report;
    int r = put_together(making, listed);

    if (r == 0)
        r = shelf_put_plain(
            making->options->shelf, pack, (struct bytes){making->plain, pack->plain_bytes});
    if (r < 0)
        return TRACE(r);
    if (r == FETCH_E_FULL) {
        report->is_full = true;
    } else if (r > 0) {
        report->n_bad++;
    } else {
        report->n_packs++;
        report->plain_bytes += pack->plain_bytes;
        report->stored_bytes += pack->stored_bytes;
        making->left -= pack->stored_bytes;
    }
    return 0;
}

/* A pack of the manifest: put together, if all of it is known and there is room for it and for what is downloaded. */
static int consider(struct making *making,
                    const struct manifest_pack *pack,
                    const struct chunk_list_pack *listed)
{
    struct seed_report *report = making->report;
    uint64_t known = 0;
    uint64_t all;

    if (listed->n_chunks == 0 || shelf_has_pack(making->options->shelf, pack))
        return 0;
    all = count_known(making->places, listed, &known);
    if (known < all) {
        report->part_bytes += known;
        return 0;
    }
    if (all + pack_table_bytes(listed->n_chunks) != pack->plain_bytes) {
        report->n_bad++; /* the list is of something else */
        return 0;
    }
    if (shelf_free_bytes(making->options->shelf) <
        making->left - pack->stored_bytes + pack->plain_bytes)
        report->is_full = true;
    return report->is_full ? 0 : TRACE(make_pack(making, pack, listed));
}

static int make_all(struct making *making)
{
    const struct seed_options *options = making->options;
    const struct manifest *manifest = options->manifest;
    struct chunk_list_pack listed;
    struct chunk_list list;
    int r = 0;

    making->plain = malloc(PACK_MAX_BYTES);
    making->table.chunks = calloc(PACK_MAX_CHUNKS, sizeof(*making->table.chunks));
    if (!making->plain || !making->table.chunks)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < manifest->n_packs; i++)
        if (!shelf_has_pack(options->shelf, &manifest->packs[i]))
            making->left += manifest->packs[i].stored_bytes;
    if (!chunk_list_begin(options->list, manifest->n_packs, &list))
        return 0;
    for (size_t i = 0; r == 0 && i < manifest->n_packs && chunk_list_next(&list, &listed); i++) {
        r = consider(making, &manifest->packs[i], &listed);
        if (r == 0 && options->tell && !options->tell(options->ctx, making->report->read_bytes))
            r = SEED_E_CANCELLED;
    }
    return TRACE(r);
}

/* Want each chunk of the packs that are not on the shelf; @places may be NULL. Return: how many, SEED_CHUNKS_MAX at most. */
static size_t want_chunks(const struct seed_options *options, struct seed_places *places)
{
    const struct manifest *manifest = options->manifest;
    struct chunk_list_pack listed;
    struct chunk_list list;
    size_t n = 0;

    if (!chunk_list_begin(options->list, manifest->n_packs, &list))
        return 0;
    for (size_t i = 0; i < manifest->n_packs && chunk_list_next(&list, &listed); i++) {
        if (shelf_has_pack(options->shelf, &manifest->packs[i]) ||
            listed.n_chunks > SEED_CHUNKS_MAX - n)
            continue;
        n += listed.n_chunks;
        for (size_t j = 0; places && j < listed.n_chunks; j++)
            seed_places_want(places, chunk_list_get(&listed, j));
    }
    return n;
}

static int look_and_make(const struct seed_options *options,
                         struct seed_places *places,
                         struct seed_report *report)
{
    OWN(making_fini)
    struct making making = {
        .options = options,
        .places = places,
        .report = report,
        .unit = SEED_NOWHERE,
        .fd = -1,
        .link = BUF_INIT((size_t)2 * REPARSE_DATA_MAX),
    };
    OWN(fd_closep) int root = open(options->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r;

    if (root < 0)
        return ERR(-errno);
    making.root = root;
    r = seed_look(options, root, places, report);
    if (r == 0)
        r = make_all(&making);
    return TRACE(r);
}

int seed_run(const struct seed_options *options, struct seed_report *ret)
{
    OWN(freep) struct seed_places *places = calloc(1, sizeof(*places));
    uint64_t begin_us = clock_monotonic_us();
    size_t n = want_chunks(options, NULL);
    int r;

    *ret = (struct seed_report){0};
    if (!places)
        return ERR(-ENOMEM);
    if (n == 0)
        return 0;
    places->units = BUF_INIT(SEED_PLACES_MAX_BYTES);
    r = seed_places_begin(places, n);
    if (r == 0) {
        (void)want_chunks(options, places);
        r = look_and_make(options, places, ret);
    }
    seed_places_fini(places);
    ret->elapsed_us = clock_monotonic_us() - begin_us;
    return TRACE(r);
}
