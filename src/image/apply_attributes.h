/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Owner, mode, xattrs and times of a file that was just made
 */

#include <stdbool.h>
#include <stdint.h>

#include "format/wim/metadata.h"

/* Where it is. */
struct apply_place {
    int parent;       /* the open folder it lies in */
    const char *name; /* in it */
    int fd;           /* the file, open; -1: a symbolic link or a special file */
};

/* What could not be set */
enum apply_attribute {
    APPLY_OWNER,
    APPLY_MODE,
    APPLY_XATTR,
    APPLY_TIMES,
};

struct apply_refusal {
    enum apply_attribute attribute;
    const char *xattr; /* of APPLY_XATTR; borrows from the metadata */
    int error;         /* an errno */
};

/**
 * apply_attributes() - set them all, in an order in which none undoes another
 * @ret: if false is returned
 *
 * Of an inode without what UNIX knows only the times are set. A xattr that is no part of its security, in a file system that has no
 * such ones, is left out, and counted in @n_left_out.
 *
 * Return: whether everything could be set.
 */
bool apply_attributes(const struct metadata *image,
                      const struct metadata_inode *inode,
                      const struct apply_place *place,
                      unsigned *n_left_out,
                      struct apply_refusal *ret);

/* The mode, without the type, that a new file gets: so that it is never open to more people than at last. */
unsigned apply_first_mode(const struct metadata_inode *inode);
