/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Files and folders, durably
 *
 * Paths are UTF-8. A write is done when it is on the disk: content to a temporary file beside the
 * target, fsync, rename, fsync of the folder. Whoever is killed in between leaves the old file whole.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

/* Outcomes beside 0 */
enum {
    FILE_E_MISSING = 1,
    FILE_E_TOO_LARGE = 2,
    FILE_E_EXISTS = 3,
    FILE_E_FULL = 4,    /* no space left, or over quota: only of the functions ..._if_room() */
    FILE_E_STOPPED = 5, /* only of dir_remove_while() */
};

/* For OWN(fd_closep) int fd = -1; */
void fd_closep(int *fd);

/**
 * file_read() - a whole file
 * @ret: content is appended; its max bounds the size
 *
 * Return: 0, FILE_E_MISSING, FILE_E_TOO_LARGE, or -errno.
 */
int file_read(const char *path, struct buf *ret);

/**
 * file_write() - replace or create a file atomically and durably
 * @mode: permission bits, exactly (umask has no say)
 */
int file_write(const char *path, struct bytes content, unsigned mode);

/* The same, but FILE_E_EXISTS if @path is there already. */
int file_create(const char *path, struct bytes content, unsigned mode);

/* file_write(), for whoever reckons with a full disk. Return: 0, FILE_E_FULL, or -errno. */
int file_write_if_room(const char *path, struct bytes content, unsigned mode);

/* Make a folder and its parents; it may exist. The last one gets @mode exactly if it is made. */
int dir_make(const char *path, unsigned mode);

/* Remove a folder and everything below it, on one file system, following no symbolic link. */
int dir_remove(const char *path);

/* The same while @goes_on, which is asked before each entry; what is left then stays. Return: 0, FILE_E_STOPPED, or -errno. */
int dir_remove_while(const char *path, bool (*goes_on)(void *ctx), void *ctx);

/* fsync a folder, so that a rename in it is durable. */
int dir_sync(const char *path);

/* The same, for whoever reckons with a full disk. Return: 0, FILE_E_FULL, or -errno. */
int dir_sync_if_room(const char *path);

bool file_exists(const char *path);

/* Write all of @src to @fd, resuming after short writes and EINTR. */
int fd_write_all(int fd, struct bytes src);

/* The same, and fsync(), for whoever reckons with a full disk. Return: 0, FILE_E_FULL, or -errno. */
int fd_write_if_room(int fd, struct bytes src);
int fd_sync_if_room(int fd);

/**
 * path_under() - @root, '/', @name, refusing a name that leaves @root
 * @name: relative; "..", "." or empty segments, NUL and backslash are refused
 * @ret:  cleared first
 *
 * Return: whether @name is harmless and the result fits.
 */
bool path_under(const char *root, const char *name, struct buf *ret);
