/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Manifests: which chunks, in which order, make up a content (docs/protocol/content.md)
 *
 * The text is canonical: there is exactly one for each manifest, so that its SHA-256 can be its name.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/text.h"

enum {
    CHUNK_MAX_BYTES = 4 * 1024 * 1024,
    MANIFEST_MAX_CHUNKS = 1 << 24,
};

#define MANIFEST_MAX_BYTES (UINT64_C(1) << 44)

/* Room for the text of any manifest: 73 bytes for a chunk, 256 for the rest. */
#define MANIFEST_TEXT_MAX (256 + (size_t)73 * MANIFEST_MAX_CHUNKS)

enum manifest_kind {
    MANIFEST_OS_IMAGE_INDEX, /* one uncompressed pipable WIM with one image */
    MANIFEST_FILE,           /* any bytes */
    MANIFEST_KIND_COUNT,
};

struct manifest_chunk {
    uint8_t sha256[SHA256_BYTES]; /* of the plain bytes: the chunk's name */
    uint32_t size_bytes;          /* plain; 1..CHUNK_MAX_BYTES */
};

struct manifest {
    enum manifest_kind kind;
    uint64_t size_bytes;           /* the sum over the chunks */
    struct manifest_chunk *chunks; /* owned */
    size_t n_chunks;
};

/* Outcome of manifest_parse() beside 0 */
enum {
    MANIFEST_E_MALFORMED = 1,
};

/* Release; may be called twice. Fits OWN(). */
void manifest_fini(struct manifest *manifest);

/**
 * manifest_parse() - read a manifest
 * @src: the whole text; anything that manifest_put() would not have written is refused
 * @ret: owned by the caller, manifest_fini(); set on 0
 *
 * What is allocated is bounded by the length of @src.
 *
 * Return: 0, MANIFEST_E_MALFORMED, or -ENOMEM.
 */
int manifest_parse(struct bytes src, struct manifest *ret);

/**
 * manifest_put() - append the canonical text
 * @dst: its failed flag says if it did not fit
 */
void manifest_put(struct buf *dst, const struct manifest *manifest);
