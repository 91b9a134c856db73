/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Which files make up an image: one WIM file, or all parts of a split one
 *
 * Only the header is looked at (magic, GUID at 24, part number and number of parts at 40); whether the file is any good, the
 * site says.
 */

#include <stddef.h>

#include "cli/session.h"

enum {
    IMAGE_PARTS_MAX = 64,
    IMAGE_PARTS_PATH_MAX = 4096,
};

struct image_parts {
    char paths[IMAGE_PARTS_MAX][IMAGE_PARTS_PATH_MAX]; /* in the order of the parts */
    size_t n;
};

/**
 * image_parts_find() - put the parts in order, and look for those that are not named
 * @files: one file, which may be the first part of a split image: then the others lie beside it, a2.swm beside a.swm;
 *         or all the parts, in any order
 */
bool image_parts_find(struct session *s,
                      const char *const *files,
                      size_t n,
                      struct image_parts *ret);
