/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Files of an image, for people
 */

#include <stdint.h>

#include "base/buf.h"
#include "format/wim/metadata.h"

/* "/etc/fstab": the first name of the inode; appended. "/" is the root. What is no text is escaped. */
void apply_path(const struct metadata *image, uint32_t inode, struct buf *ret);
