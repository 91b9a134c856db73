/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Where the partitions of a disk come to lie: arithmetic only
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DISK_PARTITIONS_MAX = 128, /* GPT */
    DISK_MBR_PARTITIONS_MAX = 4,
    DISK_LABEL_MAX = 37, /* characters of a GPT name, and the NUL */
    DISK_VARIABLE_MAX = 257,
    DISK_ALIGN_BYTES = 1024 * 1024,
};

enum disk_style {
    DISK_STYLE_GPT,
    DISK_STYLE_MBR,
};

enum disk_type {
    DISK_TYPE_PRIMARY,   /* holds an operating system or data */
    DISK_TYPE_EFI,       /* EFI system partition */
    DISK_TYPE_BIOS_BOOT, /* GRUB's core image on a GPT disk of a BIOS machine */
    DISK_TYPE_MSR,       /* reserved for Windows, never formatted */
    DISK_TYPE_RECOVERY,  /* hidden or recovery */
};

enum disk_file_system {
    DISK_FS_NONE,
    DISK_FS_EXT4,
    DISK_FS_XFS,
    DISK_FS_BTRFS,
    DISK_FS_FAT32,
};

enum disk_size_unit {
    DISK_SIZE_REST, /* all that is left */
    DISK_SIZE_BYTES,
    DISK_SIZE_PERCENT, /* of what the partitions before it have left */
};

struct disk_wish { /* a partition as the task sequence wants it */
    enum disk_type type;
    enum disk_file_system file_system;
    enum disk_size_unit unit;
    uint64_t size;    /* bytes or percent */
    bool is_bootable; /* MBR: the active one */
    bool is_quick;    /* lazily initialised file system */
    char label[DISK_LABEL_MAX];
    char
        variable[DISK_VARIABLE_MAX]; /* task sequence variable that gets the device's path; or "" */
};

struct disk_partition { /* a partition as it will be */
    struct disk_wish wish;
    uint64_t start_bytes; /* a multiple of DISK_ALIGN_BYTES */
    uint64_t size_bytes;  /* the same */
    char device[64];      /* "/dev/vda2"; set by disk_write() */
    char uuid[37];        /* of the partition on GPT, in lower case; set by disk_write() */
};

struct disk_layout {
    enum disk_style style;
    struct disk_partition partitions[DISK_PARTITIONS_MAX];
    size_t n_partitions;
};

/* Outcomes of disk_layout_plan() beside 0 */
enum {
    DISK_LAYOUT_E_TOO_SMALL = 1, /* the partitions do not fit */
    DISK_LAYOUT_E_TOO_MANY = 2,  /* more than the style has room for */
};

/**
 * disk_layout_plan() - place the partitions one after the other
 * @disk_bytes: size of the disk; on MBR what lies beyond 2 TiB is left unused
 *
 * Return: 0 with @ret set, or an outcome.
 */
int disk_layout_plan(enum disk_style style,
                     const struct disk_wish *wishes,
                     size_t n_wishes,
                     uint64_t disk_bytes,
                     struct disk_layout *ret);

/**
 * disk_layout_default() - what Format and Partition Disk makes when it defines no partitions
 * @ret: room for DISK_MBR_PARTITIONS_MAX
 *
 * UEFI: EFI system partition (512 MiB; 64 MiB on a disk below 8 GiB) and the root. BIOS with MBR: one
 * partition. BIOS with GPT: GRUB's partition and the root.
 *
 * Return: number of partitions.
 */
size_t disk_layout_default(bool is_uefi,
                           enum disk_style style,
                           uint64_t disk_bytes,
                           struct disk_wish *ret);

/**
 * disk_layout_root() - the partition that gets the operating system: of those of type primary that
 * have a file system an operating system can live on, the largest
 *
 * Return: its index, or n_partitions if there is none.
 */
size_t disk_layout_root(const struct disk_layout *layout);

/* The first partition of a type, or n_partitions. */
size_t disk_layout_find(const struct disk_layout *layout, enum disk_type type);

/* "/dev/vda", 2 -> "/dev/vda2"; "/dev/nvme0n1", 2 -> "/dev/nvme0n1p2" */
void disk_partition_path(const char *disk, size_t number, char *dst, size_t cap);
