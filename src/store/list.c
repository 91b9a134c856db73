/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "format/pack/chunk_list.h"
#include "plat/file.h"
#include "plat/frame.h"
#include "store/layout.h"

enum {
    BEGIN_BYTES =
        192 * 1024, /* of a frame: holds the table of any usual pack, whose blocks are of 128 KiB */
};

/* The first bytes of a pack's file. Return: how many; 0 if it cannot be read. */
static size_t read_begin(const char *root, const uint8_t *sha256, uint8_t *ret, size_t cap)
{
    char path[STORE_PATH_MAX];
    ssize_t n;

    layout_pack(root, sha256, path);

    OWN(fd_closep) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    n = fd < 0 ? -1 : pread(fd, ret, cap, 0);
    return n > 0 ? (size_t)n : 0;
}

/* Head and table of the pack in @frame, as far as it is there. Return: whether they were read. */
static bool peek_table(struct bytes frame, uint8_t *room, struct pack *ret)
{
    size_t len = frame_peek(frame, room, pack_table_bytes(0));
    struct pack_chunk *chunks;

    if (len < pack_table_bytes(0))
        return false;
    len = pack_table_bytes(pack_count((struct bytes){room, len}));
    if (len == pack_table_bytes(0) || frame_peek(frame, room, len) < len)
        return false;
    chunks = realloc(ret->chunks, PACK_MAX_CHUNKS * sizeof(*chunks));
    if (!chunks)
        return false;
    ret->chunks = chunks;
    ret->n_chunks = pack_read_table((struct bytes){room, len}, chunks);
    return ret->n_chunks > 0;
}

int list_make(const char *root, const struct manifest *manifest, struct buf *dst)
{
    OWN(freep) uint8_t *frame = malloc(BEGIN_BYTES);
    OWN(freep) uint8_t *room = malloc(pack_table_bytes(PACK_MAX_CHUNKS));
    OWN(pack_fini) struct pack table = {0};

    if (!frame || !room)
        return ERR(-ENOMEM);
    chunk_list_put_head(dst, (uint32_t)manifest->n_packs);
    for (size_t i = 0; i < manifest->n_packs; i++) {
        size_t n = read_begin(root, manifest->packs[i].sha256, frame, BEGIN_BYTES);

        if (!peek_table((struct bytes){frame, n}, room, &table))
            table.n_chunks = 0;
        chunk_list_put_pack(dst, &table);
    }
    return dst->failed ? ERR(-ENOMEM) : 0;
}
