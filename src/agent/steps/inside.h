/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Files inside the volume that is being made
 *
 * The image is not trusted with our own root: every path is resolved by the kernel with the volume as
 * its root (openat2, RESOLVE_IN_ROOT), so that a symbolic link in the image, absolute or full of "..",
 * stays inside. Paths are relative, without a leading '/'.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/bytes.h"

/* @ret: a descriptor of the folder @root, owned by the caller. */
int inside_open(const char *root, int *ret);

bool inside_exists(int root, const char *path);

/* For reading its names. @ret: owned by the caller. Return: 0, FILE_E_MISSING (also if it is no folder), or -errno. */
int inside_open_folder(int root, const char *path, int *ret);

/* Return: 0, FILE_E_MISSING, FILE_E_TOO_LARGE (plat/file.h), or -errno. */
int inside_read(int root, const char *path, struct buf *ret);

/* What a symbolic link says. Return: 0; FILE_E_MISSING: there is none, or it does not fit; -errno. */
int inside_read_link(int root, const char *path, char *ret, size_t cap);

struct inside_mode {
    unsigned bits;
    unsigned uid;
    unsigned gid;
};

/* Replace or create durably; folders above it are made as 0755 root. A link at @path is replaced. */
int inside_write(int root, const char *path, struct bytes content, struct inside_mode mode);

/* The same as a symbolic link to @target. */
int inside_link(int root, const char *path, const char *target);

/* Make the folder @path and those above it; the last one gets @mode. */
int inside_make_dir(int root, const char *path, struct inside_mode mode);

/* Remove a file or link; it may be missing. */
int inside_remove(int root, const char *path);
