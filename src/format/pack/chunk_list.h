/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Chunk lists: which chunks the packs of a manifest hold, so that who has some of them need not fetch the pack
 * (docs/protocol/content.md)
 *
 * It is a hint: a pack that was put together by it is checked against its name as any other.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "format/pack/pack.h"

enum {
    CHUNK_LIST_HEAD_BYTES = 16,
    CHUNK_LIST_KEY_BYTES = 8,    /* the first of a chunk's name */
    CHUNK_LIST_ENTRY_BYTES = 12, /* with its length */
};

#define CHUNK_LIST_MAX_BYTES ((size_t)256 * 1024 * 1024)

struct chunk_list {    /* where reading stands */
    struct bytes rest; /* borrowed */
    uint32_t n_packs;  /* not taken yet */
};

struct chunk_list_pack {
    struct bytes entries; /* borrowed; CHUNK_LIST_ENTRY_BYTES each */
    size_t n_chunks;      /* 0: not known; up to PACK_MAX_CHUNKS */
};

struct chunk_list_chunk {
    const uint8_t *key; /* CHUNK_LIST_KEY_BYTES; borrowed */
    uint32_t size_bytes;
};

/* Append the head of a list of so many packs; the packs follow, in the order of the manifest. */
void chunk_list_put_head(struct buf *dst, uint32_t n_packs);

/* @table: its offsets do not matter; n_chunks may be 0. */
void chunk_list_put_pack(struct buf *dst, const struct pack *table);

/* Return: whether it begins as a list of @n_packs packs does. @ret borrows @src. */
bool chunk_list_begin(struct bytes src, size_t n_packs, struct chunk_list *ret);

/* The next pack. Return: false if there is none, or if it is cut off or out of range. */
bool chunk_list_next(struct chunk_list *list, struct chunk_list_pack *ret);

/* @i: below @pack->n_chunks */
struct chunk_list_chunk chunk_list_get(const struct chunk_list_pack *pack, size_t i);
