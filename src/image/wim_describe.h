/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a WIM says about one of its images; what wim_import and wim_capture share
 */

#include <stdbool.h>

#include <wimlib.h>

#include "image/wim_import.h"

struct wim_walk { /* through everything in an image */
    bool has_unix_data;
    bool has_bad_name; /* one that would be a path where it is written */
};

/* Release; may be called twice. Fits OWN(). */
void wim_image_fini(struct wim_image *image);

/* The texts and numbers of the file's XML. Return: 0 or -ENOMEM; then, too, @ret is to be released. */
int wim_describe(const WIMStruct *wim, uint32_t index, struct wim_image *ret);

/* Reads the image's metadata: has_unix_data, is_windows, and arch if the XML has none. Return: 0, or a code of wimlib. */
int wim_describe_kind(WIMStruct *wim, int index, struct wim_image *ret, struct wim_walk *ret_walk);
