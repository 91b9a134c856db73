/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Open folders of the target, by their inode in the image; of one thread
 *
 * A folder is opened from its parent, by its name, and never through a symbolic link: so nothing that is reached
 * by one lies outside the target, whatever is in the image or was in the target.
 */

#include <stdint.h>

#include "format/wim/metadata.h"

enum {
    APPLY_DIRS_OPEN = 64, /* at once, besides the root */
};

struct apply_dirs {
    const struct metadata *image; /* borrowed, like root */
    int root;
    int fds[APPLY_DIRS_OPEN]; /* owned; -1: none; a folder has its place by its number */
    uint32_t inodes[APPLY_DIRS_OPEN];
};

void apply_dirs_init(struct apply_dirs *dirs, const struct metadata *image, int root);
void apply_dirs_fini(struct apply_dirs *dirs);

/**
 * apply_dirs_get() - an open folder, which is there
 * @ret: borrowed until the next call
 *
 * Return: 0, or -errno (not traced: the caller says which file it was for).
 */
int apply_dirs_get(struct apply_dirs *dirs, uint32_t inode, int *ret);
