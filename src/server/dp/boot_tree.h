/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Boot images as plain files, dp/boot/PACKAGE/ARCH/, for firmware, which knows nothing of packs
 */

#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"

struct store;

struct boot_tree {
    const char *state_folder;
    const char *package_id;
    const char *arch;
};

/* Outcomes of boot_tree_lay_out() beside 0 */
enum {
    BOOT_TREE_E_CONTENT = 1, /* the content is not there whole, or is no boot image */
    BOOT_TREE_E_FULL = 2,
};

/**
 * boot_tree_lay_out() - write the files of a content, read them again and check them, then let them take the place of
 *                       what was there, in one step
 * @id:  manifest of a tree
 * @why: on an outcome: what is wrong, for people
 */
int boot_tree_lay_out(const struct boot_tree *tree,
                      struct store *store,
                      const uint8_t id[static SHA256_BYTES],
                      struct buf *why);

/* Remove the files; there may be none. */
int boot_tree_remove(const struct boot_tree *tree);

struct worker;

/* What became of a folder of boot files as a content. */
struct boot_tree_stored {
    uint8_t id[SHA256_BYTES];
    uint64_t size_bytes;
    uint64_t new_bytes;
};

/**
 * boot_tree_store() - take a folder of boot files into the store of the worker's state folder
 *
 * The same files give the same manifest, whenever they were made.
 *
 * Return: 0; 1, and the failure has been told; or -errno.
 */
int boot_tree_store(struct worker *worker, const char *folder, struct boot_tree_stored *ret);
