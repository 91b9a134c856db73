/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Making one file of an image in a folder; what apply_folder lets its threads do
 *
 * What is there under the name of a file is replaced, but for a folder. A file has all its names and attributes when
 * the function returns.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "image/apply_dirs.h"
#include "image/apply_target.h"

struct apply_files { /* shared by the threads; read only but for what the lock guards */
    const struct metadata *image;
    pthread_mutex_t lock; /* guards the two below */
    struct buf *why;      /* borrowed */
    unsigned n_left_out;  /* xattrs */
};

enum apply_kind {
    APPLY_KIND_FILE,
    APPLY_KIND_FOLDER,
    APPLY_KIND_LINK,
    APPLY_KIND_SPECIAL, /* device, pipe, socket */
    APPLY_KIND_UNKNOWN, /* what it says of itself does not fit together */
};

/* What an inode becomes in a folder of Linux. */
enum apply_kind apply_kind_of(const struct metadata_inode *inode);

/* The stream whose blob makes the file or link, or NULL if it has none: empty, a folder, a device. */
const struct metadata_stream *apply_contents(const struct metadata *image,
                                             const struct metadata_inode *inode);

/* The functions below return 0, WIM_APPLY_E_STREAM, WIM_APPLY_E_TARGET, or -errno, and say why. */

/**
 * apply_files_open() - make an empty file, to be written and then passed to apply_files_close()
 * @ret: owned by the caller; open for reading, too
 */
int apply_files_open(struct apply_files *files, struct apply_dirs *dirs, uint32_t inode, int *ret);

int apply_files_write(
    struct apply_files *files, uint32_t inode, int fd, uint64_t offset, struct bytes piece);

/* Attributes and further names; closes the file. */
int apply_files_close(struct apply_files *files, struct apply_dirs *dirs, uint32_t inode, int *fd);

/* The whole of a file, a link or a special file: @contents are its data, or link data. */
int apply_files_make(struct apply_files *files,
                     struct apply_dirs *dirs,
                     uint32_t inode,
                     struct bytes contents);

/* A file with the contents of another one, which is open for reading. */
int apply_files_copy(struct apply_files *files,
                     struct apply_dirs *dirs,
                     uint32_t inode,
                     int from,
                     uint64_t size_bytes);

/* A folder, to which others may write nothing as yet; it may be there. */
int apply_files_folder(struct apply_files *files, struct apply_dirs *dirs, uint32_t inode);

/* Its attributes, when all that is in it is there. */
int apply_files_folder_end(struct apply_files *files, struct apply_dirs *dirs, uint32_t inode);

/* Say what could not be done with a file; @error: an errno, or 0. Return: @outcome. */
int apply_files_fail(
    struct apply_files *files, int outcome, uint32_t inode, const char *what, int error);
