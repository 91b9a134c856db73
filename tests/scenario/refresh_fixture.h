/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Two versions of a system, captured into a real store, and a distribution point that serves the second
 */

#include <stdint.h>

#include "agent/fetch/seed.h"
#include "agent/fetch/shelf.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "format/manifest/manifest.h"
#include "format/pack/cut.h"
#include "rt/transfer/transfer.h"
#include "store/store.h"
#include "tests/dp.h"

enum {
    REFRESH_LARGE_BYTES = 6 * 1024 * 1024, /* more than one pack */
    REFRESH_SMALL_FILES = 60,
    REFRESH_PACKAGE_FILES = 8,
};

struct refresh_bench { /* the old system is root/old, the shelf root/shelf */
    char root[64];
    struct dp *dp;
    struct store *store;
    struct shelf *shelf;
    struct cut cut;
    uint8_t id[2][SHA256_BYTES]; /* of the versions */
    struct manifest manifest[2];
    struct buf list; /* of the second version */
    struct transfer_options options;
    struct transfer_report report;
    struct seed_report seed;
};

/* For cmocka: makes a struct refresh_bench in a new folder. Not yet served is the chunk list. */
int refresh_set_up(void **state);
/* @more: puts something into the second version too, below @root; 0 or -errno. NULL: nothing */
int refresh_set_up_with(void **state, int (*more)(const char *root));
int refresh_tear_down(void **state);

/* A path below the bench's folder, or @name itself if it begins with a slash; borrowed until three more were asked for. */
const char *refresh_at(const struct refresh_bench *b, const char *name);

/* Noise, the same for one @seed. */
void refresh_fill(uint8_t *dst, size_t len, uint64_t seed);

/* @version: from 0. The second has a few bytes more in the middle of the large file, and a new and a changed one. */
void refresh_make_tree(const struct refresh_bench *b, const char *root, unsigned version);

/* Serve it as the chunk list of the second version. */
void refresh_serve_list(struct refresh_bench *b, struct bytes list);

struct refresh_file {
    const char *path; /* without folders */
    unsigned mode;
    struct bytes content; /* of one chunk */
};

/* Serve a package; @files: sorted by path. @ret_id: its manifest's name */
void refresh_serve_package(struct refresh_bench *b,
                           const struct refresh_file *files,
                           size_t n,
                           uint8_t ret_id[static SHA256_BYTES]);
