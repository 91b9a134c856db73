/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What is said of an image that was captured from a folder
 */

#include "format/wim/metadata.h"
#include "format/wim/wim_put.h"
#include "image/wim_import.h"

/* @ret: owned by the caller, wim_image_fini(); set on 0. Return: 0 or -ENOMEM. */
int folder_describe(const struct metadata *tree,
                    const char *name,
                    const struct wim_info *info,
                    struct wim_image *ret);
