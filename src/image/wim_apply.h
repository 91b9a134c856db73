/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Applying an image from a stream: an uncompressed pipable WIM with one image, read once, never stored
 */

#include <stdint.h>

#include "base/buf.h"

/* Outcomes beside 0 */
enum {
    WIM_APPLY_E_STREAM = 1, /* the stream ended early or is no such WIM */
    WIM_APPLY_E_TARGET = 2, /* the target cannot hold what is in the image: space, file system */
    WIM_APPLY_E_LOST = 3, /* all that the target has a place for was written, but not all has one */
};

/**
 * wim_apply() - write the image to a folder, with owners, modes, links, devices, times and xattrs; or to an
 *               NTFS volume, with security descriptors, streams, short names, reparse points and times
 * @fd:     the stream; read to its end if all goes well, else no further than to where it failed; stays open
 * @target: the folder, or the file or block device with the volume, which nobody has mounted; must exist;
 *          what is in it stays
 * @why:    on an outcome, the reason, with the file; empty before
 *
 * A folder needs root. An absolute link keeps its target: the folder is to be the root of a system. Everything is on
 * the disk when 0 is returned. Who writes the stream has checked it: blobs are not compared with their SHA-1
 * (docs/decisions/0008). Memory: a few times the metadata, which is about 200 bytes for a file, and
 * APPLY_FOLDER_QUEUE_BYTES, or 64 MiB for a volume. A volume that needs a check, is hibernated or in use is refused;
 * one that was not written to the end needs a check (apply_ntfs.h).
 *
 * Return: 0, an outcome, or -errno.
 */
int wim_apply(int fd, const char *target, struct buf *why);
