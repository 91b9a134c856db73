/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A stream on its way into the store: cut, kept, listed in a manifest
 */

#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"
#include "base/text.h"
#include "format/manifest/manifest.h"
#include "store/store.h"

struct intake;

struct intake_counts {
    uint64_t size_bytes;
    uint64_t new_bytes; /* plain; the rest was in the store already */
    uint64_t n_chunks;
    uint64_t n_entries;
};

/**
 * intake_new() - start a content
 * @store: between store_begin() and store_end(); borrowed until intake_free(). Several contents may be taken in
 *         one after the other.
 */
int intake_new(struct store *store, enum manifest_kind kind, struct intake **ret);
void intake_free(struct intake *intake);
DEFINE_FREEP(struct intake *, intake_free);

/* Outcomes of the functions below, beside 0 and STORE_E_FULL */
enum {
    INTAKE_E_TOO_LARGE = 16, /* beyond what a manifest can describe */
    INTAKE_E_ENTRY =
        17, /* an entry breaks a rule of the manifest, or its bytes are not as many as it said */
};

/* The next bytes of the stream, in pieces of any size. Return: 0, STORE_E_FULL, INTAKE_E_TOO_LARGE, or -errno. */
int intake_feed(struct intake *intake, struct bytes src);

/**
 * intake_cut() - a unit ends here: a file, a blob of an image
 *
 * Equal units give equal chunks wherever they lie. Nothing since the last cut is fine, too.
 *
 * Return: as intake_feed().
 */
int intake_cut(struct intake *intake);

/**
 * intake_chunk() - the next bytes of the stream are a chunk that the store has
 *
 * Not while bytes are waiting to be cut, nor for a tree.
 *
 * Return: 0, STORE_E_MISSING (nothing is added), INTAKE_E_TOO_LARGE, or -errno.
 */
int intake_chunk(struct intake *intake,
                 const uint8_t sha256[static SHA256_BYTES],
                 uint32_t size_bytes);

/**
 * intake_entry() - the next entry of a tree; its bytes, if it has some, are fed after it
 * @entry: copied; in the order of the bytes of the paths, a folder before what is in it
 *
 * Makes the cut before the bytes.
 *
 * Return: 0, INTAKE_E_ENTRY, STORE_E_FULL, INTAKE_E_TOO_LARGE, or -errno.
 */
int intake_entry(struct intake *intake, const struct manifest_entry *entry);

/**
 * intake_end() - there are no more bytes: everything becomes durable, the manifest last
 * @ret_id: the manifest's name
 *
 * Return: 0, STORE_E_FULL, STORE_E_MISSING (as store_put_manifest()), INTAKE_E_ENTRY, INTAKE_E_TOO_LARGE, or
 *         -errno.
 */
int intake_end(struct intake *intake, uint8_t ret_id[static SHA256_BYTES]);

struct intake_counts intake_counts(const struct intake *intake);
