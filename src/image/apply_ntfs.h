/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Writing an image into an NTFS volume, by libntfs-3g
 *
 * Kept: names with their case, short names, links, attributes, times, security descriptors, alternate data
 * streams, reparse points, object identifiers, extended attributes of Windows, compression and holes. Not: what EFS
 * encrypted, and what only UNIX knows of a file; finish() says so.
 *
 * While it is written to, the volume is marked as in need of a check, so that nobody takes half an image for a whole one.
 */

#include "base/buf.h"
#include "base/own.h"
#include "image/apply_target.h"

struct apply_ntfs;

/**
 * apply_ntfs_new() - open the volume
 * @path: a block device or a file
 * @why:  gets the sentences of apply_target.h; borrowed until apply_ntfs_free()
 * @ret:  owned by the caller
 *
 * What is in the volume stays; folders of the image that are there already get what lies in them added.
 *
 * Return: 0; WIM_APPLY_E_TARGET if it is no NTFS volume, in use, hibernated or in need of a check; or -errno.
 */
int apply_ntfs_new(const char *path, struct buf *why, struct apply_ntfs **ret);

/* Also after a failure: what was written so far is on the volume then, which stays marked. */
void apply_ntfs_free(struct apply_ntfs *ntfs);
DEFINE_FREEP(struct apply_ntfs *, apply_ntfs_free);

/* Borrows @ntfs. */
struct apply_target apply_ntfs_target(struct apply_ntfs *ntfs);
