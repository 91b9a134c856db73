/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Where the partitions of a disk come to lie: arithmetic only
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DISK_PARTITIONS_MAX = 128, /* GPT; on an MBR DISK_MBR_PARTITIONS_MAX and DISK_LOGICAL_MAX */
    DISK_MBR_PARTITIONS_MAX = 4,
    DISK_LOGICAL_MAX = 56,
    DISK_LABEL_MAX = 145, /* 36 characters of a GPT name in UTF-8, and the NUL */
    DISK_VARIABLE_MAX = 257,
    DISK_ALIGN_BYTES = 1024 * 1024,
    DISK_SECTOR_MIN = 512,
    DISK_SECTOR_MAX = 4096,
    DISK_OS_MIN_MIB = 256, /* no operating system fits on less */
};

enum disk_style {
    DISK_STYLE_GPT,
    DISK_STYLE_MBR,
};

enum disk_type {
    DISK_TYPE_PRIMARY,   /* holds an operating system or data */
    DISK_TYPE_EFI,       /* EFI system partition */
    DISK_TYPE_BIOS_BOOT, /* GRUB's core image on a GPT disk of a BIOS machine */
    DISK_TYPE_MSR,       /* reserved for Windows, never formatted; GPT only */
    DISK_TYPE_RECOVERY,
    DISK_TYPE_HIDDEN,
    DISK_TYPE_EXTENDED, /* holds the logical ones; MBR only */
    DISK_TYPE_LOGICAL,  /* as primary, but in the extended one */
};

enum disk_file_system {
    DISK_FS_NONE,
    DISK_FS_EXT4,
    DISK_FS_XFS,
    DISK_FS_BTRFS,
    DISK_FS_FAT32,
    DISK_FS_NTFS,
    DISK_FS_SWAP,
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
    uint64_t size;     /* bytes or percent */
    bool is_bootable;  /* MBR: the active one */
    bool is_quick;     /* not every byte is overwritten first */
    bool has_no_drive; /* no drive letter in the installed system: an attribute of GPT */
    char label[DISK_LABEL_MAX];
    char
        variable[DISK_VARIABLE_MAX]; /* task sequence variable that gets the device's path; or "" */
};

struct disk_partition { /* a partition as it will be */
    struct disk_wish wish;
    size_t number; /* from 1; of logical ones from 5; of DISK_TYPE_BIOS_BOOT behind all others */
    uint64_t start_bytes; /* a multiple of DISK_ALIGN_BYTES */
    uint64_t size_bytes;  /* the same */
    char device[64];      /* "/dev/vda2"; set by disk_write() */
    char uuid[37];        /* of the partition on GPT, in lower case; set by disk_write() */
};

struct disk_space { /* what there is */
    enum disk_style style;
    uint64_t bytes;
    uint32_t sector_bytes; /* logical: a power of two, DISK_SECTOR_MIN to DISK_SECTOR_MAX */
};

struct disk_layout {
    enum disk_style style;
    uint32_t sector_bytes;
    struct disk_partition partitions[DISK_PARTITIONS_MAX]; /* in the order of the wishes */
    size_t n_partitions;
};

/* Outcomes of disk_layout_plan() beside 0 */
enum {
    DISK_LAYOUT_E_TOO_SMALL = 1,    /* the partitions do not fit */
    DISK_LAYOUT_E_TOO_MANY = 2,     /* more than the style has room for */
    DISK_LAYOUT_E_STYLE = 3,        /* a type that the style does not have */
    DISK_LAYOUT_E_EXTENDED = 4,     /* a logical one without, or a second, extended partition */
    DISK_LAYOUT_E_ACTIVE = 5,       /* more than one active partition, or one that cannot be */
    DISK_LAYOUT_E_FILE_SYSTEM = 6,  /* smaller than the file system can be */
    DISK_LAYOUT_E_SECTOR_BYTES = 7, /* sectors of this size are not known here */
};

/**
 * disk_layout_plan() - place the partitions one after the other
 * @space: on MBR what lies beyond 2^32 sectors is left unused
 * @ret: set on 0; with an outcome n_partitions is the index of the wish that it is about
 *
 * Logical partitions lie in the extended one before them, each with 1 MiB before it, where its table is. Percent
 * and rest are then of what the extended partition has left.
 *
 * Return: 0 or an outcome.
 */
int disk_layout_plan(const struct disk_space *space,
                     const struct disk_wish *wishes,
                     size_t n_wishes,
                     struct disk_layout *ret);

/* What is wrong with the partition that an outcome is about, for people: "does not fit: ...". */
const char *disk_layout_reason(int outcome);

/* Whether it is about room, rather than about what is not possible at all. */
bool disk_layout_is_room(int outcome);

/* The smallest partition that can hold a file system, in bytes. */
uint64_t disk_file_system_min(enum disk_file_system file_system, uint32_t sector_bytes);

/* The EFI system partition of a disk whose step defines none. */
struct disk_wish disk_layout_efi(const struct disk_space *space);

/**
 * disk_layout_default() - what Format and Partition Disk makes when it defines no partitions
 * @ret: room for DISK_MBR_PARTITIONS_MAX
 *
 * UEFI: EFI system partition and the root. BIOS with MBR: one partition. BIOS with GPT: GRUB's partition and the root.
 *
 * Return: number of partitions.
 */
size_t disk_layout_default(bool is_uefi, const struct disk_space *space, struct disk_wish *ret);

/* The same for a disk that holds no operating system: one volume. */
size_t disk_layout_data(struct disk_wish *ret);

/**
 * disk_layout_root() - the partition that gets the operating system: of those of type primary or logical that
 * have a file system Linux can live on, the largest; if none has, the largest with NTFS
 *
 * Return: its index, or n_partitions if there is none.
 */
size_t disk_layout_root(const struct disk_layout *layout);

/* Whether that partition is large enough for one. */
bool disk_layout_has_os(const struct disk_layout *layout);

/* The first partition of a type, or n_partitions. */
size_t disk_layout_find(const struct disk_layout *layout, enum disk_type type);
