/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Writing a tree from the bytes of its files: folders, files, links, with modes and times
 *
 * The entries come from a manifest, so their paths are relative and without "..", and a folder comes
 * before what is in it. Still no symbolic link is ever followed, so that nothing is written outside.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "format/manifest/manifest.h"

struct tree_writer {
    const struct manifest *manifest; /* borrowed; MANIFEST_TREE */
    int root;                        /* borrowed; the folder */
    size_t n_done;                   /* entries that are complete */
    int fd;                          /* owned; the file being written; -1: none */
    uint64_t len;                    /* bytes of it that are */
};

/* Outcome beside 0 */
enum {
    TREE_E_FULL = 1, /* no space left, or over quota */
};

/* @n_done: so many entries are there already */
void tree_writer_init(struct tree_writer *w,
                      const struct manifest *manifest,
                      int root,
                      size_t n_done);

/* A file that is not complete stays as it is; may be called twice. */
void tree_writer_fini(struct tree_writer *w);

/**
 * tree_writer_feed() - the next bytes
 *
 * Return: 0, TREE_E_FULL, or -errno; -EINVAL if there are more than the entries have.
 */
int tree_writer_feed(struct tree_writer *w, struct bytes src);

/**
 * tree_writer_end() - all bytes were fed: what needs none, then modes and times of the folders
 *
 * Return: as tree_writer_feed(); -EINVAL if bytes are missing.
 */
int tree_writer_end(struct tree_writer *w);

/**
 * tree_count_good() - how many entries are there as they should be, from the first on
 * @n: of so many at most
 * @is_whole: the folders' modes and times count as well, which are set last
 *
 * Looks at kind, size, mode, time and target, not at the bytes.
 */
size_t tree_count_good(const struct manifest *manifest, int root, size_t n, bool is_whole);

/* What the entries from @from on need on a disk, in blocks of 4 KiB. */
uint64_t tree_disk_bytes(const struct manifest *manifest, size_t from);
