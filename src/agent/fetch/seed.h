/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Packs put together from what the old disk has, so that they need not be downloaded
 *
 * The chunk list of a manifest says which chunks its packs hold. The files and links below a folder are cut as an
 * image of them would be, and what is wanted is remembered by where it lies. Then each pack of which everything was
 * found is put together and put onto the shelf, if its bytes have the pack's SHA-256: neither the list nor what is on
 * the disk is trusted.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/text.h"
#include "format/manifest/manifest.h"
#include "rt/transfer/transfer.h"

struct shelf;

enum {
    SEED_CHUNKS_MAX = 1 << 21,                /* packs with more than that are downloaded */
    SEED_PLACES_MAX_BYTES = 64 * 1024 * 1024, /* of paths */
    SEED_DEPTH_MAX = 100, /* folders in folders; what lies deeper is not looked at */
};

struct seed_options {
    struct shelf *shelf;             /* borrowed, as all of it */
    const struct manifest *manifest; /* of an image */
    struct bytes list;               /* its chunk list, from anybody */
    const char *root; /* the folder of the old system; what is mounted in it is not looked at */
    const char *skip; /* a name in it that is not looked at; NULL: none */
    /* Called now and then; false ends it. May be NULL. */
    bool (*tell)(void *ctx, uint64_t read_bytes);
    void *ctx;
};

struct seed_report {
    uint64_t n_files;
    uint64_t n_unreadable; /* left out, as if they were not there */
    uint64_t read_bytes;   /* while looking */
    uint64_t hashed_bytes; /* of them, whose length was one that is wanted */
    uint64_t found_bytes;  /* of wanted chunks, each once */
    uint64_t part_bytes;   /* of them, in packs that have others too, and have to be downloaded */
    uint64_t plain_bytes;  /* of the packs that were put together */
    uint64_t stored_bytes; /* the same, as they would have been downloaded */
    uint64_t elapsed_us;
    unsigned n_packs; /* that were put together */
    unsigned n_bad;   /* that were not what their name says: the list lied, or a file changed */
    bool is_full;     /* there was no room for more */
};

/* Outcome beside 0 */
enum {
    SEED_E_CANCELLED = 1,
};

/**
 * seed_run() - put packs onto the shelf
 * @ret: always set
 *
 * What is on the shelf already is left alone. Whatever is not found, cannot be read or has no room is simply not there
 * afterwards. Room is left for all packs that then have to be downloaded.
 *
 * Return: 0, SEED_E_CANCELLED, or -errno.
 */
int seed_run(const struct seed_options *options, struct seed_report *ret);

struct seed_source {
    const char *root; /* as of seed_options, like @skip; NULL: everything is downloaded */
    const char *skip;
    bool (*tell)(void *ctx, uint64_t read_bytes);
    void *ctx;
};

/**
 * seed_download() - make all packs of a content be on the shelf: first from the old system, then by shelf_download()
 * @ret_seed: always set
 *
 * Without a chunk list, and of a content that is no image, everything is downloaded.
 *
 * Return: as of shelf_download(); TRANSFER_E_CANCELLED also if @source->tell said so.
 */
int seed_download(struct shelf *shelf,
                  const struct transfer_options *options,
                  const uint8_t id[static SHA256_BYTES],
                  const struct seed_source *source,
                  struct transfer_report *ret,
                  struct seed_report *ret_seed);
