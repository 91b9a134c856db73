/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Packs: some chunks of content behind a table that says which they are (docs/protocol/content.md)
 *
 * This is the plain form. A pack is named by the SHA-256 of all its plain bytes and stored as one zstd
 * frame (plat/frame.h).
 */

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/text.h"

enum {
    PACK_HEAD_BYTES = 16,  /* before the table */
    PACK_ENTRY_BYTES = 36, /* of the table: a name and a length */
    PACK_MAX_CHUNKS = 16384,
    PACK_CHUNK_MAX_BYTES = 256 * 1024,
    PACK_TARGET_BYTES = 4 * 1024 * 1024, /* of chunks: with them a pack is closed */
    PACK_MAX_BYTES = 5 * 1024 * 1024,    /* plain, with the table */
    PACK_MIN_BYTES = PACK_HEAD_BYTES + PACK_ENTRY_BYTES + 1,
    PACK_STORED_MAX_BYTES = PACK_MAX_BYTES + 64 * 1024, /* of the frame: more is not a pack */
};

struct pack_chunk {
    uint8_t sha256[SHA256_BYTES]; /* of its bytes: the chunk's name */
    uint32_t offset;              /* in the plain pack, table included */
    uint32_t size_bytes;          /* 1..PACK_CHUNK_MAX_BYTES */
};

struct pack {
    struct pack_chunk *chunks; /* owned */
    size_t n_chunks;           /* 1..PACK_MAX_CHUNKS */
};

/* Outcome of pack_parse() beside 0 */
enum {
    PACK_E_MALFORMED = 1,
};

/* Release; may be called twice. Fits OWN(). */
void pack_fini(struct pack *pack);

/* Bytes before the first chunk: head and table. */
size_t pack_table_bytes(size_t n_chunks);

/**
 * pack_parse() - read the table
 * @plain: all of the pack; its chunks must fill it exactly
 * @ret:   owned by the caller, pack_fini(); set on 0
 *
 * Whether a chunk's bytes are what its name says is for the caller to check.
 *
 * Return: 0, PACK_E_MALFORMED, or -ENOMEM.
 */
int pack_parse(struct bytes plain, struct pack *ret);

/* How many chunks a head says that there are. @head: PACK_HEAD_BYTES. Return: 0 if it is none. */
size_t pack_count(struct bytes head);

/**
 * pack_read_table() - head and table alone
 * @src: exactly these
 * @ret: room for pack_count() chunks; offsets are set
 *
 * Return: how many chunks; 0 if it is malformed.
 */
size_t pack_read_table(struct bytes src, struct pack_chunk *ret);

/**
 * pack_put_table() - append head and table; the chunks' bytes follow, in the same order
 * @chunks: 1..PACK_MAX_CHUNKS of them; their offsets do not matter
 */
void pack_put_table(struct sink *dst, const struct pack_chunk *chunks, size_t n_chunks);
