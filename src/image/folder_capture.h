/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A folder of Linux as the stream of an image, read once, with what UNIX knows of its files
 *
 * Owners, modes, times, links of both kinds, devices, pipes, sockets, extended attributes (so ACLs and
 * capabilities too). What is mounted below it is left out: of a folder that is a mount point comes the empty
 * folder, of a file the empty file. Folders are read in the order of the bytes of their names, so that the
 * same tree is the same stream. Everything is opened below the folder it was found in, and compared with what was
 * found: a path that is changed meanwhile leads nowhere.
 */

#include <stdbool.h>

#include "image/blob_stream.h"
#include "image/wim_import.h"

/* Outcomes beside 0 */
enum {
    FOLDER_CAPTURE_E_SOURCE = 1, /* something cannot be read or kept, or changes while it is read */
    FOLDER_CAPTURE_E_STOPPED = 2, /* the sink said so */
};

/* What is left out, with all that is below it. */
struct folder_filter {
    bool (*is_left_out)(void *ctx, const char *path); /* below the folder: "/etc/fstab" */
    void *ctx;
};

/**
 * folder_capture() - read the tree, and write it into @sink
 * @name:   of the image
 * @filter: NULL: nothing is left out
 * @why:  on FOLDER_CAPTURE_E_SOURCE, the path and what is wrong with it
 * @ret:  owned by the caller, wim_image_fini(); set on 0
 *
 * Memory: the sink's, and about 400 bytes for each file beside its name.
 *
 * Return: 0, an outcome, or -errno.
 */
int folder_capture(const char *path,
                   const char *name,
                   const struct folder_filter *filter,
                   const struct blob_sink *sink,
                   struct buf *why,
                   struct wim_image *ret);
