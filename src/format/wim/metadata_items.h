/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The tagged items of a dentry: what Windows, wimlib and others know of a file besides
 *
 * Each: tag (4), length (4), so many bytes, padding to 8. Tags that are not known are passed over; what is no item
 * any more ends the list.
 */

#include <stdbool.h>

#include "base/bytes.h"
#include "format/wim/metadata.h"

/* What is part of the inode: UNIX data, object id; borrows from @items. Return: false if it is none of that. */
bool metadata_items_parse(struct bytes items, struct metadata_inode *inode);

/* The xattrs, for the last inode added. Return: like metadata_add_xattr(). */
int metadata_items_add(struct metadata *m, struct bytes items);
