/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The content store: immutable chunks and manifests as static files (docs/protocol/content.md)
 *
 * One process writes at a time; anybody may read the files, also without this code. Whatever a writer
 * is killed in the middle of, a name in chunks/ or manifests/ is a whole file: files are written to
 * tmp/, fsynced and renamed, in batches, and a manifest comes after the last batch of its chunks.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "base/text.h"
#include "format/manifest/manifest.h"

struct store;

/* Outcomes beside 0 */
enum {
    STORE_E_MISSING = 1, /* no such manifest or chunk */
    STORE_E_CORRUPT = 2, /* what lies there is not what its name says */
    STORE_E_FULL = 3,    /* no space left (or over quota): nothing became visible */
};

/**
 * store_new() - open the store at @root, making its folders
 * @root: "dp/content" of the state folder
 */
int store_new(const char *root, struct store **ret);

/* Chunks that were put and are not flushed yet are dropped. */
void store_free(struct store *store);
DEFINE_FREEP(struct store *, store_free);

/**
 * store_clean() - remove what writers that were killed left in tmp/
 *
 * Only while no other process writes.
 */
int store_clean(struct store *store);

/**
 * store_put_chunk() - keep @plain, unless it is there already
 * @plain: 1..CHUNK_MAX_BYTES
 * @ret:   its name and size
 * @ret_is_new: whether it was not there
 *
 * Durable after store_flush(), which comes by itself every few dozen chunks.
 *
 * Return: 0, STORE_E_FULL, or -errno.
 */
int store_put_chunk(struct store *store,
                    struct bytes plain,
                    struct manifest_chunk *ret,
                    bool *ret_is_new);

/* Make every chunk that was put durable and visible. Return: 0, STORE_E_FULL, or -errno. */
int store_flush(struct store *store);

/**
 * store_get_chunk() - read a chunk and check it
 * @ret: emptied, then the plain bytes; made with room for chunk->size_bytes at least
 *
 * Return: 0, STORE_E_MISSING, STORE_E_CORRUPT, or -errno.
 */
int store_get_chunk(struct store *store, const struct manifest_chunk *chunk, struct buf *ret);

/**
 * store_put_manifest() - flush the chunks, then write the manifest
 * @ret_id: the manifest's name
 *
 * Return: 0, STORE_E_FULL, or -errno.
 */
int store_put_manifest(struct store *store,
                       const struct manifest *manifest,
                       uint8_t ret_id[static SHA256_BYTES]);

/**
 * store_get_manifest() - read a manifest and check it against its name
 * @ret: owned by the caller, manifest_fini()
 *
 * Return: 0, STORE_E_MISSING, STORE_E_CORRUPT, or -errno.
 */
int store_get_manifest(struct store *store,
                       const uint8_t id[static SHA256_BYTES],
                       struct manifest *ret);

/**
 * store_verify() - read every chunk of a manifest and check it
 * @ret_bad: on STORE_E_MISSING and STORE_E_CORRUPT, the first bad chunk; all zero: the manifest itself
 */
int store_verify(struct store *store,
                 const uint8_t id[static SHA256_BYTES],
                 struct manifest_chunk *ret_bad);
