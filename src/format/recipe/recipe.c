/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/recipe/recipe.h"

#include <string.h>

#include "format/pack/pack.h"

static const char magic[] = "SLWRECP\n";

int recipe_parse_head(struct bytes src, struct recipe_head *ret)
{
    struct recipe_head head;
    struct bytes name;
    uint32_t zero;
    uint64_t n_chunks;

    if (!bytes_take(&src, sizeof(magic) - 1, &name) || !bytes_eq(name, bytes_of(magic)))
        return RECIPE_E_OTHER;
    if (!bytes_take_u32le(&src, &head.info_bytes) || !bytes_take_u32le(&src, &zero) ||
        !bytes_take_u64le(&src, &n_chunks))
        return RECIPE_E_MALFORMED;
    if (head.info_bytes < 2 || head.info_bytes > RECIPE_INFO_MAX_BYTES || zero != 0 ||
        n_chunks < 1 || n_chunks > RECIPE_MAX_CHUNKS)
        return RECIPE_E_MALFORMED;
    head.n_chunks = (uint32_t)n_chunks;
    *ret = head;
    return 0;
}

uint64_t recipe_file_bytes(const struct recipe_head *head)
{
    return RECIPE_HEAD_BYTES + (uint64_t)head->info_bytes +
           (uint64_t)head->n_chunks * RECIPE_ROW_BYTES;
}

bool recipe_take_chunk(struct bytes *src, struct recipe_chunk *ret)
{
    struct bytes name;

    if (!bytes_take(src, SHA256_BYTES, &name) || !bytes_take_u32le(src, &ret->size_bytes))
        return false;
    memcpy(ret->sha256, name.ptr, SHA256_BYTES);
    return ret->size_bytes >= 1 && ret->size_bytes <= PACK_CHUNK_MAX_BYTES;
}

void recipe_put_head(struct sink *dst, const struct recipe_head *head)
{
    sink_bytes(dst, bytes_of(magic));
    sink_u32le(dst, head->info_bytes);
    sink_u32le(dst, 0);
    sink_u64le(dst, head->n_chunks);
}

void recipe_put_chunk(struct sink *dst, const struct recipe_chunk *chunk)
{
    sink_bytes(dst, (struct bytes){chunk->sha256, SHA256_BYTES});
    sink_u32le(dst, chunk->size_bytes);
}
