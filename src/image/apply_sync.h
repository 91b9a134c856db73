/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Bringing a file system to the disk while it is being written
 *
 * The kernel lets much lie in memory before it begins: then all waits for the disk at the end. A thread begins
 * earlier, and the end has little left to do.
 */

#include <stddef.h>

#include "base/own.h"

enum {
    APPLY_SYNC_EVERY_BYTES = 128 * 1024 * 1024,
};

struct apply_sync;

/* @fd: of the file system; borrowed until it is freed. @ret: owned by the caller */
int apply_sync_new(int fd, struct apply_sync **ret);

/* Does not wait for the end: what was begun is waited for, nothing more is. */
void apply_sync_free(struct apply_sync *sync);
DEFINE_FREEP(struct apply_sync *, apply_sync_free);

/* So many bytes more were written; on any thread, and never waits for the disk. */
void apply_sync_wrote(struct apply_sync *sync, size_t n_bytes);

/**
 * apply_sync_end() - wait until all is on the disk
 *
 * Return: 0, or an errno that one of the attempts gave: something may not be there.
 */
int apply_sync_end(struct apply_sync *sync);
