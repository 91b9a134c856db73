/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Writing a partition table, and reading back what is on a device
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/text.h"
#include "format/disk/disk_layout.h"

struct efiboot_partition; /* format/efiboot/efiboot.h */

/* Outcomes beside 0 */
enum {
    DISK_E_IN_USE = 1,  /* mounted, or held by the kernel */
    DISK_E_FAILED = 2,  /* @why says what did not work */
    DISK_E_MISSING = 3, /* no such device */
    DISK_E_UNKNOWN = 4, /* no file system that is known here */
    DISK_E_READ_ONLY = 5,
    DISK_E_CANCELLED = 6, /* whoever called wants no more of it */
};

struct disk_content {
    char type[32];              /* "ext4", "vfat", ...; "" if there is none */
    char uuid[64];              /* of the file system */
    char label[DISK_LABEL_MAX]; /* of the same; "" */
};

/**
 * disk_write() - replace everything on a disk by an empty partition table with these partitions
 * @disk: "/dev/vda"; must not be in use
 * @layout: device and uuid of each partition are set on success
 * @why: on DISK_E_FAILED: a sentence for people
 *
 * Old signatures at both ends of the disk and of each new partition are zeroed first, so that nothing
 * of the past is found again. Waits until the kernel shows the new partitions; one that cannot read the table is
 * told. Whatever stopped it, it can be done again from its beginning.
 *
 * Return: 0, DISK_E_IN_USE, DISK_E_MISSING, DISK_E_READ_ONLY, DISK_E_FAILED or -errno.
 */
int disk_write(const char *disk, struct disk_layout *layout, struct buf *why);

/* Return: 0, DISK_E_MISSING, DISK_E_UNKNOWN or -errno. */
int disk_read_content(const char *device, struct disk_content *ret);

/* Whether a disk has a GPT. */
bool disk_is_gpt(const char *disk);

/**
 * disk_find_partition() - the first partition of a type on a disk
 * @ret_offset, @ret_bytes: where it lies
 *
 * Return: its number, from 1; 0 if there is none.
 */
size_t disk_find_partition(const char *disk,
                           enum disk_type type,
                           uint64_t *ret_offset,
                           uint64_t *ret_bytes);

/**
 * disk_has_partition() - whether a disk has a partition with this UUID
 * @ret: false also on an error
 *
 * Return: 0, DISK_E_MISSING if there is no such disk, or no medium in the drive, or -errno if nobody can say.
 */
int disk_has_partition(const char *disk, const uint8_t uuid[static UUID_BYTES], bool *ret);

/* The number, start and UUID of a partition of a GPT disk. Return: 0, DISK_E_UNKNOWN or -errno. */
int disk_read_partition(const char *disk, size_t number, struct efiboot_partition *ret);

/* "/dev/vda", 2 -> "/dev/vda2"; "/dev/nvme0n1", 2 -> "/dev/nvme0n1p2" */
void disk_partition_path(const char *disk, size_t number, char *dst, size_t cap);
