/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What of an image has no place in a folder of Linux
 */

#include <stdbool.h>

#include "base/buf.h"
#include "format/wim/metadata.h"

/**
 * apply_lost() - say what was left out
 * @n_xattrs: that the file system of the target has no place for
 * @why: appended
 *
 * Return: whether anything was.
 */
bool apply_lost(const struct metadata *image, unsigned n_xattrs, struct buf *why);
