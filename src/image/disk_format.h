/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * File systems in new partitions; outcomes as in image/disk_write.h
 */

#include <stdbool.h>

#include "base/buf.h"
#include "format/disk/disk_layout.h"

/**
 * disk_overwrite() - what is not quick in a format: zeros into every byte of a partition
 * @tell: called for each MiB; false stops it
 * @why: on DISK_E_FAILED: what could not be written
 *
 * Nothing of the past can be read any more, and a sector that cannot be written is found.
 *
 * Return: 0, DISK_E_IN_USE, DISK_E_CANCELLED, DISK_E_FAILED or -errno.
 */
int disk_overwrite(const struct disk_partition *partition,
                   bool (*tell)(void *ctx, unsigned percent),
                   void *ctx,
                   struct buf *why);

/* The name of a volume as its file system can hold it: cut, and what it does not allow replaced by "_". */
void disk_label(const struct disk_wish *wish, char dst[static DISK_LABEL_MAX]);

/**
 * disk_make_file_system() - by the mkfs program of the file system
 * @why: on DISK_E_FAILED: what the program said
 */
int disk_make_file_system(const struct disk_partition *partition, struct buf *why);
