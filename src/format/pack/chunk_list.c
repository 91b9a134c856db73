/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/pack/chunk_list.h"

#include <string.h>

static const char magic[] = "SLWCHNK\n";

static void put_u32(struct buf *dst, uint32_t number)
{
    uint8_t text[sizeof(number)];
    struct sink sink = {.ptr = text, .cap = sizeof(text)};

    sink_u32le(&sink, number);
    buf_add(dst, (struct bytes){text, sizeof(text)});
}

void chunk_list_put_head(struct buf *dst, uint32_t n_packs)
{
    buf_add(dst, bytes_of(magic));
    put_u32(dst, n_packs);
    put_u32(dst, 0);
}

void chunk_list_put_pack(struct buf *dst, const struct pack *table)
{
    put_u32(dst, (uint32_t)table->n_chunks);
    for (size_t i = 0; i < table->n_chunks; i++) {
        buf_add(dst, (struct bytes){table->chunks[i].sha256, CHUNK_LIST_KEY_BYTES});
        put_u32(dst, table->chunks[i].size_bytes);
    }
}

bool chunk_list_begin(struct bytes src, size_t n_packs, struct chunk_list *ret)
{
    struct bytes name;
    uint32_t zero;

    if (!bytes_take(&src, sizeof(magic) - 1, &name) || !bytes_eq(name, bytes_of(magic)) ||
        !bytes_take_u32le(&src, &ret->n_packs) || !bytes_take_u32le(&src, &zero))
        return false;
    ret->rest = src;
    return ret->n_packs == n_packs && zero == 0;
}

bool chunk_list_next(struct chunk_list *list, struct chunk_list_pack *ret)
{
    uint32_t n;

    if (list->n_packs == 0 || !bytes_take_u32le(&list->rest, &n) || n > PACK_MAX_CHUNKS ||
        !bytes_take(&list->rest, (size_t)n * CHUNK_LIST_ENTRY_BYTES, &ret->entries))
        return false;
    list->n_packs--;
    ret->n_chunks = n;
    return true;
}

struct chunk_list_chunk chunk_list_get(const struct chunk_list_pack *pack, size_t i)
{
    struct bytes rest = {pack->entries.ptr + i * CHUNK_LIST_ENTRY_BYTES, CHUNK_LIST_ENTRY_BYTES};
    struct chunk_list_chunk chunk = {.key = rest.ptr};
    struct bytes key;

    (void)bytes_take(&rest, CHUNK_LIST_KEY_BYTES, &key);
    (void)bytes_take_u32le(&rest, &chunk.size_bytes);
    return chunk;
}
