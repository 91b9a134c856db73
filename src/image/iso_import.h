/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Reading a disc image without mounting it: UDF by libudfread, as media of Windows have it, or else ISO 9660 by
 * libarchive (with Rock Ridge and Joliet)
 *
 * Folders, files and, of Rock Ridge, symbolic links, in the order of their paths. UDF's times and modes are not
 * to be had from the library: the time is 0, folders are 755 and files 644.
 */

#include "base/buf.h"
#include "image/tree_list.h"

/**
 * iso_import() - read a disc image
 * @spool_folder: ISO 9660 is read in the order of the disc and put aside there, in a file without a name
 * @why: on an outcome but TREE_E_CANCELLED, what is wrong
 *
 * Return: 0, TREE_E_UNKNOWN (no disc image), TREE_E_REFUSED, TREE_E_FULL, TREE_E_CANCELLED, or -errno.
 */
int iso_import(const char *path,
               const char *spool_folder,
               const struct tree_sink *sink,
               struct buf *why);

/* The two behind it; TREE_E_UNKNOWN: it has no such file system. */
int iso_import_udf(const char *path, const struct tree_sink *sink, struct buf *why);
int iso_import_9660(const char *path,
                    const char *spool_folder,
                    const struct tree_sink *sink,
                    struct buf *why);
