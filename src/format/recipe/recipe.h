/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Recipes: which chunks, one after the other, are an image (docs/protocol/content.md, Capturing)
 *
 * Head, a description as JSON, and a row of 36 bytes for each chunk. A file of them is read in blocks: nothing here
 * wants all of it in memory.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/text.h"

enum {
    RECIPE_HEAD_BYTES = 24,
    RECIPE_ROW_BYTES = 36,
    RECIPE_INFO_MAX_BYTES = 16 * 1024,
    RECIPE_MAX_CHUNKS = 1 << 24,
    RECIPE_MAX_IMAGES = 256, /* one behind the other in a file */
};

struct recipe_head {
    uint32_t info_bytes; /* 2..RECIPE_INFO_MAX_BYTES */
    uint32_t n_chunks;   /* 1..RECIPE_MAX_CHUNKS */
};

struct recipe_chunk {
    uint8_t sha256[SHA256_BYTES];
    uint32_t size_bytes; /* 1..PACK_CHUNK_MAX_BYTES */
};

/* Outcomes of recipe_parse_head() beside 0 */
enum {
    RECIPE_E_OTHER = 1,     /* the bytes are no recipe at all */
    RECIPE_E_MALFORMED = 2, /* they begin as one does */
};

/* The first bytes of a file, RECIPE_HEAD_BYTES or more. */
int recipe_parse_head(struct bytes src, struct recipe_head *ret);

/* How long an image with this head is, exactly; behind it the file ends, or the next image begins. */
uint64_t recipe_file_bytes(const struct recipe_head *head);

/* The next row. Return: false if @src is too short, or the row says what no chunk is. */
bool recipe_take_chunk(struct bytes *src, struct recipe_chunk *ret);

void recipe_put_head(struct sink *dst, const struct recipe_head *head);
void recipe_put_chunk(struct sink *dst, const struct recipe_chunk *chunk);
