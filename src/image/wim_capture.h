/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A volume of NTFS, in a file or a device and not mounted, as the stream that wim_apply() wants
 *
 * wimlib reads it. What a folder of Linux has is read by folder_capture().
 */

#include "base/buf.h"
#include "image/wim_import.h"

struct folder_filter; /* image/folder_capture.h */

/* Outcome beside 0 and WIM_IMPORT_E_CANCELLED */
enum {
    WIM_CAPTURE_E_SOURCE = 8, /* it cannot be read, or changes while it is */
};

/**
 * wim_capture() - read the volume once, and write it into @sink
 * @name: of the image
 * @filter: NULL: nothing is left out
 * @why:  on WIM_CAPTURE_E_SOURCE, what is wrong
 * @ret:  owned by the caller, wim_image_fini(); set on 0
 *
 * Return: 0, an outcome, or -errno.
 */
int wim_capture(const char *path,
                const char *name,
                const struct folder_filter *filter,
                const struct wim_sink *sink,
                struct buf *why,
                struct wim_image *ret);
