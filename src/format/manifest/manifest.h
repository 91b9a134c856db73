/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Manifests: which parts of which packs, in which order, make up a content (docs/protocol/content.md)
 *
 * The text is canonical: there is exactly one for each manifest, so that its SHA-256 can be its name.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/text.h"

enum {
    MANIFEST_MAX_PACKS = 1 << 22,
    MANIFEST_MAX_RUNS = 1 << 24,
    MANIFEST_MAX_ENTRIES = 1 << 22,
    MANIFEST_PATH_MAX_BYTES = 4096, /* of a path, and of a target, decoded, without the NUL */
    MANIFEST_MODE_MAX = 07777,
    MANIFEST_CHECK_BYTES = 16,
};

#define MANIFEST_MAX_BYTES (UINT64_C(1) << 44)

/* The longest text that is a manifest. */
#define MANIFEST_TEXT_MAX ((size_t)256 * 1024 * 1024)

enum manifest_kind {
    MANIFEST_OS_IMAGE_INDEX, /* one uncompressed pipable WIM with one image */
    MANIFEST_FILE,           /* any bytes */
    MANIFEST_TREE,           /* the bytes of its files, one after the other, as the entries say */
    MANIFEST_KIND_COUNT,
};

struct manifest_pack {
    uint8_t sha256[SHA256_BYTES]; /* of the plain bytes: the pack's name */
    uint32_t plain_bytes;         /* PACK_MIN_BYTES..PACK_MAX_BYTES */
    uint32_t stored_bytes;        /* length of the frame; 1..PACK_STORED_MAX_BYTES */
    uint8_t check
        [MANIFEST_CHECK_BYTES]; /* XXH3-128 of the frame, canonical: finds damage, not forgery */
};

struct manifest_run { /* a piece of the content */
    uint32_t pack;    /* number in the manifest, from 0 */
    uint32_t offset;  /* in the plain pack, behind its table */
    uint32_t size_bytes;
};

enum manifest_entry_kind {
    MANIFEST_FOLDER,
    MANIFEST_REGULAR,
    MANIFEST_LINK, /* symbolic */
    MANIFEST_ENTRY_KIND_COUNT,
};

struct manifest_entry {
    enum manifest_entry_kind kind;
    unsigned mode;       /* permission bits, 0..MANIFEST_MODE_MAX */
    uint64_t size_bytes; /* 0 but for MANIFEST_REGULAR */
    uint64_t mtime_ns;   /* last change, since 1970; 0..INT64_MAX */
    char *path;          /* relative, decoded, UTF-8; never leaves the tree */
    char *target;        /* of a link, decoded; otherwise NULL */
};

struct manifest {
    enum manifest_kind kind;
    uint64_t size_bytes;         /* the sum over the runs */
    struct manifest_pack *packs; /* owned, like the two below, and the texts of the entries */
    size_t n_packs;              /* in the order of first use */
    struct manifest_run *runs;
    size_t n_runs;
    struct manifest_entry *entries; /* of MANIFEST_TREE; sorted by the bytes of the path */
    size_t n_entries;
};

/* Outcome of manifest_parse() beside 0 */
enum {
    MANIFEST_E_MALFORMED = 1,
};

/* Release; may be called twice. Fits OWN(). */
void manifest_fini(struct manifest *manifest);

/* Release the texts of one entry. */
void manifest_entry_fini(struct manifest_entry *entry);

/**
 * manifest_parse() - read a manifest
 * @src: the whole text; anything that manifest_put() would not have written is refused
 * @ret: owned by the caller, manifest_fini(); set on 0
 *
 * What is allocated is bounded by the length of @src. On 0 every rule of docs/protocol/content.md holds:
 * numbers of packs are in range, sums are right, paths stay below the tree and their folders come first.
 *
 * Return: 0, MANIFEST_E_MALFORMED, or -ENOMEM.
 */
int manifest_parse(struct bytes src, struct manifest *ret);

/**
 * manifest_put() - append the canonical text
 * @dst: its failed flag says if it did not fit
 *
 * @manifest has to keep the rules: what breaks them is written, and not accepted by manifest_parse().
 */
void manifest_put(struct buf *dst, const struct manifest *manifest);

/**
 * manifest_takes_entry() - whether @entry may be the next of @manifest, as far as rules for one entry go
 *
 * Its path and target are fine, mode and times are in range, only a file has a size, it comes behind all
 * that are there, and its folder is one of them.
 */
bool manifest_takes_entry(const struct manifest *manifest, const struct manifest_entry *entry);

/**
 * manifest_path_is_valid() - whether @path may name an entry
 *
 * Relative, '/' between names, no empty name, "." or "..", at most MANIFEST_PATH_MAX_BYTES, UTF-8.
 */
bool manifest_path_is_valid(const char *path);
