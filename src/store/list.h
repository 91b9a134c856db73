/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The chunk list of a manifest (format/pack/chunk_list.h), from the tables of its packs
 */

#include "base/buf.h"
#include "format/manifest/manifest.h"

/**
 * list_make() - append the list
 * @dst: its failed flag says if it did not fit
 *
 * Of each pack's file only the beginning is read. One that cannot be read has no chunks in the list: it is a hint.
 *
 * Return: 0 or -errno.
 */
int list_make(const char *root, const struct manifest *manifest, struct buf *dst);
