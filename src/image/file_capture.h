/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * One file of a folder that is captured: opened without following anything, its extended attributes, its contents
 */

#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "image/blob_stream.h"

/* Outcomes beside 0, and beside FOLDER_CAPTURE_E_... */
enum {
    FILE_CAPTURE_E_CHANGED = 16,
};

struct file_capture {
    struct blob_stream *stream; /* borrowed, as all */
    struct metadata *image;
    const struct buf *path; /* for messages: of what is being read */
    struct buf *why;
};

/* FOLDER_CAPTURE_E_SOURCE with the path in front; -errno if memory or descriptors are short. */
int file_capture_refuse(const struct file_capture *file, const char *what);
int file_capture_fail(const struct file_capture *file, int error);

/* Whether it is the same file, unchanged. */
bool file_capture_is_same(const struct stat *a, const struct stat *b);

/**
 * file_capture_open() - what was found as @name in @folder
 * @found: as stat() saw it
 * @ret:   owned by the caller: of a file or a folder to read it, else O_PATH
 *
 * Return: 0, FILE_CAPTURE_E_CHANGED, FOLDER_CAPTURE_E_SOURCE, or -errno.
 */
int file_capture_open(const struct file_capture *file,
                      int folder,
                      const char *name,
                      const struct stat *found,
                      int *ret);

/* Its extended attributes, added to the last inode. */
int file_capture_xattrs(const struct file_capture *file, int fd, const struct stat *found);

/**
 * file_capture_contents() - put the blob, unless it is there already
 * @found: of a regular file, with some bytes
 *
 * Return: 0, FILE_CAPTURE_E_CHANGED if nothing was put and another try can be made, FOLDER_CAPTURE_E_..., or -errno.
 */
int file_capture_contents(const struct file_capture *file,
                          int fd,
                          const struct stat *found,
                          uint8_t ret_sha1[static SHA1_BYTES]);
