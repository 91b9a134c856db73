/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/pack/pack.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"

static const char magic[] = "SLWPACK\n";

void pack_fini(struct pack *pack)
{
    free(pack->chunks);
    *pack = (struct pack){0};
}

size_t pack_table_bytes(size_t n_chunks)
{
    return PACK_HEAD_BYTES + n_chunks * PACK_ENTRY_BYTES;
}

static bool take_head(struct bytes *src, uint32_t *ret_n)
{
    struct bytes name;
    uint32_t zero;

    return bytes_take(src, sizeof(magic) - 1, &name) && bytes_eq(name, bytes_of(magic)) &&
           bytes_take_u32le(src, ret_n) && *ret_n >= 1 && *ret_n <= PACK_MAX_CHUNKS &&
           bytes_take_u32le(src, &zero) && zero == 0;
}

static bool take_entry(struct bytes *src, struct pack_chunk *ret)
{
    struct bytes name;

    if (!bytes_take(src, SHA256_BYTES, &name) || !bytes_take_u32le(src, &ret->size_bytes))
        return false;
    memcpy(ret->sha256, name.ptr, SHA256_BYTES);
    return ret->size_bytes >= 1 && ret->size_bytes <= PACK_CHUNK_MAX_BYTES;
}

/* @src: behind the head. Return: whether the table is there and the chunks fill what is behind it. */
static bool take_table(struct bytes src, struct pack *pack)
{
    size_t offset = pack_table_bytes(pack->n_chunks);
    size_t end = PACK_HEAD_BYTES + src.len;

    for (size_t i = 0; i < pack->n_chunks; i++) {
        struct pack_chunk *chunk = &pack->chunks[i];

        if (!take_entry(&src, chunk) || chunk->size_bytes > end - offset)
            return false;
        chunk->offset = (uint32_t)offset;
        offset += chunk->size_bytes;
    }
    return offset == end;
}

size_t pack_count(struct bytes head)
{
    uint32_t n;

    return take_head(&head, &n) ? n : 0;
}

size_t pack_read_table(struct bytes src, struct pack_chunk *ret)
{
    size_t offset = src.len;
    uint32_t n;

    if (!take_head(&src, &n) || src.len != (size_t)n * PACK_ENTRY_BYTES)
        return 0;
    for (size_t i = 0; i < n; i++) {
        if (!take_entry(&src, &ret[i]))
            return 0;
        ret[i].offset = (uint32_t)offset;
        offset += ret[i].size_bytes;
    }
    return n;
}

int pack_parse(struct bytes plain, struct pack *ret)
{
    OWN(pack_fini) struct pack pack = {0};
    struct bytes rest = plain;
    uint32_t n_chunks;

    if (plain.len > PACK_MAX_BYTES || !take_head(&rest, &n_chunks) ||
        plain.len < pack_table_bytes(n_chunks))
        return PACK_E_MALFORMED;
    pack.chunks = calloc(n_chunks, sizeof(*pack.chunks));
    if (!pack.chunks)
        return ERR(-ENOMEM);
    pack.n_chunks = n_chunks;
    if (!take_table(rest, &pack))
        return PACK_E_MALFORMED;
    *ret = pack;
    pack.chunks = NULL; /* now in @ret */
    return 0;
}

void pack_put_table(struct sink *dst, const struct pack_chunk *chunks, size_t n_chunks)
{
    sink_bytes(dst, bytes_of(magic));
    sink_u32le(dst, (uint32_t)n_chunks);
    sink_u32le(dst, 0);
    for (size_t i = 0; i < n_chunks; i++) {
        sink_bytes(dst, (struct bytes){chunks[i].sha256, SHA256_BYTES});
        sink_u32le(dst, chunks[i].size_bytes);
    }
}
