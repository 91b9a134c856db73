/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The metadata resource of an image, from its model (format/wim/metadata.h): the bytes that wimlib would write
 *
 * What lies in one folder is sorted by the bytes of its names, so that the same tree is the same resource.
 */

#include "base/buf.h"
#include "format/wim/metadata.h"

/* Outcomes beside 0 */
enum {
    METADATA_PUT_E_TEXT = 1,  /* a name that is not UTF-8, or too long */
    METADATA_PUT_E_LARGE = 2, /* above METADATA_MAX_BYTES, or above the limit of @ret */
};

/**
 * metadata_put() - append the resource
 * @m: a tree: names[0] is the root's, each other one lies in a folder that has a name
 *
 * Parsed again it is the same tree; but a group of hard links that is a reparse point comes back as
 * inodes of their own, because the place for its number has the tag. An unnamed stream of a reparse point comes
 * back behind the point's own.
 *
 * Return: 0, an outcome, or -ENOMEM.
 */
int metadata_put(const struct metadata *m, struct buf *ret);
