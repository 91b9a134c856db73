/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/disk/disk_layout.h"

#include <string.h>

#define MIB         ((uint64_t)1024 * 1024)
#define GIB         (1024 * MIB)
#define MBR_SECTORS ((uint64_t)1 << 32)

enum {
    TAIL_BYTES = DISK_ALIGN_BYTES, /* the second GPT, and what firmware RAID would write */
    BIOS_BOOT_MIB = 1,
    ESP_MIB = 512,
    SMALL_ESP_MIB = 64,
    SMALL_DISK_GIB = 8,
    FAT32_CLUSTERS_MIN = 65525, /* by its definition */
    FAT32_SYSTEM_MIB = 1,       /* two tables of these clusters, and what is reserved before them */
    XFS_MIB = 300,
    BTRFS_MIB = 110,
    EXT4_MIB = 2,
};

static uint64_t align_down(uint64_t bytes)
{
    return bytes - bytes % DISK_ALIGN_BYTES;
}

uint64_t disk_file_system_min(enum disk_file_system file_system, uint32_t sector_bytes)
{
    switch (file_system) {
    case DISK_FS_FAT32:
        return ((uint64_t)FAT32_CLUSTERS_MIN * sector_bytes / MIB + 1 + FAT32_SYSTEM_MIB) * MIB;
    case DISK_FS_XFS:
        return XFS_MIB * MIB;
    case DISK_FS_BTRFS:
        return BTRFS_MIB * MIB;
    case DISK_FS_EXT4:
    case DISK_FS_NTFS:
        return EXT4_MIB * MIB;
    case DISK_FS_SWAP:
    case DISK_FS_NONE:
    default:
        return MIB;
    }
}

static uint64_t wanted_bytes(const struct disk_wish *wish, uint64_t left)
{
    switch (wish->unit) {
    case DISK_SIZE_BYTES: /* up, so that a wish for 1 byte is not a partition of none */
        return wish->size > left ? wish->size : align_down(wish->size + DISK_ALIGN_BYTES - 1);
    case DISK_SIZE_PERCENT:
        return wish->size >= 100 ? left : align_down(left / 100 * wish->size);
    case DISK_SIZE_REST:
    default:
        return left;
    }
}

struct placing {                         /* how far it is */
    uint64_t start, end;                 /* the free space of the disk */
    uint64_t logical_start, logical_end; /* that of the extended partition; 0: there is none */
    size_t n_primary;                    /* with the extended one */
    size_t n_logical;
    bool has_active;
};

/* What has nothing to do with sizes. Return: 0 or an outcome. */
static int check_wish(enum disk_style style, const struct disk_wish *wish, const struct placing *at)
{
    bool is_logical = wish->type == DISK_TYPE_LOGICAL;

    if (style == DISK_STYLE_GPT)
        return is_logical || wish->type == DISK_TYPE_EXTENDED ? DISK_LAYOUT_E_STYLE : 0;
    if (wish->type == DISK_TYPE_MSR || wish->type == DISK_TYPE_BIOS_BOOT)
        return DISK_LAYOUT_E_STYLE;
    if (wish->is_bootable && (at->has_active || is_logical || wish->type == DISK_TYPE_EXTENDED))
        return DISK_LAYOUT_E_ACTIVE;
    if (is_logical ? at->logical_end == 0
                   : wish->type == DISK_TYPE_EXTENDED && at->logical_end != 0)
        return DISK_LAYOUT_E_EXTENDED;
    if (is_logical ? at->n_logical >= DISK_LOGICAL_MAX : at->n_primary >= DISK_MBR_PARTITIONS_MAX)
        return DISK_LAYOUT_E_TOO_MANY;
    return 0;
}

/* Return: 0 or an outcome. */
static int place(struct placing *at, const struct disk_wish *wish, struct disk_partition *ret)
{
    bool is_logical = wish->type == DISK_TYPE_LOGICAL;
    uint64_t *start = is_logical ? &at->logical_start : &at->start;
    uint64_t end = is_logical ? at->logical_end : at->end;
    uint64_t begin = *start + (is_logical ? DISK_ALIGN_BYTES : 0); /* its table is before it */

    if (begin >= end)
        return DISK_LAYOUT_E_TOO_SMALL;
    uint64_t size = wanted_bytes(wish, end - begin);

    if (size == 0 || size > end - begin)
        return DISK_LAYOUT_E_TOO_SMALL;
    *ret = (struct disk_partition){.wish = *wish, .start_bytes = begin, .size_bytes = size};
    *start = begin + size;
    if (wish->type == DISK_TYPE_EXTENDED) {
        at->logical_start = begin;
        at->logical_end = begin + size;
    }
    at->has_active = at->has_active || wish->is_bootable;
    if (is_logical)
        ret->number = DISK_MBR_PARTITIONS_MAX + ++at->n_logical;
    else if (wish->type != DISK_TYPE_BIOS_BOOT)
        ret->number = ++at->n_primary;
    return 0;
}

/* What a step counts is not changed by a partition that it does not know of. */
static void number_the_last(struct disk_layout *layout, size_t n_primary)
{
    for (size_t i = 0; i < layout->n_partitions; i++)
        if (layout->partitions[i].number == 0)
            layout->partitions[i].number = ++n_primary;
}

static bool is_sector_size(uint32_t bytes)
{
    return bytes >= DISK_SECTOR_MIN && bytes <= DISK_SECTOR_MAX && (bytes & (bytes - 1)) == 0;
}

int disk_layout_plan(const struct disk_space *space,
                     const struct disk_wish *wishes,
                     size_t n_wishes,
                     struct disk_layout *ret)
{
    struct placing at = {.start = DISK_ALIGN_BYTES};
    uint64_t bytes = space->bytes;

    *ret = (struct disk_layout){.style = space->style, .sector_bytes = space->sector_bytes};
    if (!is_sector_size(space->sector_bytes))
        return DISK_LAYOUT_E_SECTOR_BYTES;
    if (n_wishes > DISK_PARTITIONS_MAX)
        return DISK_LAYOUT_E_TOO_MANY;
    if (bytes < DISK_ALIGN_BYTES + TAIL_BYTES)
        return DISK_LAYOUT_E_TOO_SMALL;
    bytes -= TAIL_BYTES;
    if (space->style == DISK_STYLE_MBR && bytes > MBR_SECTORS * space->sector_bytes - TAIL_BYTES)
        bytes = MBR_SECTORS * space->sector_bytes - TAIL_BYTES;
    at.end = align_down(bytes);
    for (size_t i = 0; i < n_wishes; i++) {
        int r = check_wish(space->style, &wishes[i], &at);

        if (r == 0)
            r = place(&at, &wishes[i], &ret->partitions[i]);
        if (r == 0 && wishes[i].type != DISK_TYPE_EXTENDED &&
            ret->partitions[i].size_bytes <
                disk_file_system_min(wishes[i].file_system, space->sector_bytes))
            r = DISK_LAYOUT_E_FILE_SYSTEM;
        if (r != 0)
            return r;
        ret->n_partitions++;
    }
    number_the_last(ret, at.n_primary);
    return 0;
}

const char *disk_layout_reason(int outcome)
{
    static const char *const reasons[] = {
        [DISK_LAYOUT_E_TOO_SMALL] = "does not fit: make the partitions smaller",
        [DISK_LAYOUT_E_TOO_MANY] = "is more than the partition style has room for (MBR: 4 with the "
                                   "extended one, and 56 logical; GPT: 128)",
        [DISK_LAYOUT_E_STYLE] = "is of a type that the partition style does not have (Extended and "
                                "Logical are MBR's, MSR is GPT's)",
        [DISK_LAYOUT_E_EXTENDED] =
            "is a logical one with no extended one before it, or a second extended one",
        [DISK_LAYOUT_E_ACTIVE] = "cannot be the boot partition: there is one on an MBR disk, and "
                                 "it is of no type but Primary, EFI, Recovery or Hidden",
        [DISK_LAYOUT_E_FILE_SYSTEM] = "is smaller than its file system can be",
        [DISK_LAYOUT_E_SECTOR_BYTES] = "cannot be placed: the disk has sectors of unknown size",
    };

    return reasons[outcome];
}

bool disk_layout_is_room(int outcome)
{
    return outcome == DISK_LAYOUT_E_TOO_SMALL || outcome == DISK_LAYOUT_E_FILE_SYSTEM;
}

static struct disk_wish
make_wish(enum disk_type type, enum disk_file_system file_system, uint64_t mib, const char *label)
{
    struct disk_wish wish = {
        .type = type,
        .file_system = file_system,
        .unit = mib == 0 ? DISK_SIZE_REST : DISK_SIZE_BYTES,
        .size = mib * MIB,
        .is_quick = true,
    };

    memcpy(wish.label, label, strlen(label)); /* ours, and short */
    return wish;
}

struct disk_wish disk_layout_efi(const struct disk_space *space)
{
    uint64_t mib = space->bytes < SMALL_DISK_GIB * GIB ? SMALL_ESP_MIB : ESP_MIB;
    uint64_t min = disk_file_system_min(DISK_FS_FAT32, space->sector_bytes) / MIB;

    return make_wish(DISK_TYPE_EFI, DISK_FS_FAT32, mib < min ? min : mib, "EFI");
}

size_t disk_layout_default(bool is_uefi, const struct disk_space *space, struct disk_wish *ret)
{
    size_t n = 0;

    if (is_uefi)
        ret[n++] = disk_layout_efi(space);
    else if (space->style == DISK_STYLE_GPT)
        ret[n++] = make_wish(DISK_TYPE_BIOS_BOOT, DISK_FS_NONE, BIOS_BOOT_MIB, "BIOS boot");
    ret[n] = make_wish(DISK_TYPE_PRIMARY, DISK_FS_EXT4, 0, "root");
    ret[n++].is_bootable = !is_uefi;
    return n;
}

size_t disk_layout_data(struct disk_wish *ret)
{
    ret[0] = make_wish(DISK_TYPE_PRIMARY, DISK_FS_EXT4, 0, "data");
    return 1;
}

static unsigned fitness(const struct disk_partition *p)
{
    if (p->wish.type != DISK_TYPE_PRIMARY && p->wish.type != DISK_TYPE_LOGICAL)
        return 0;
    switch (p->wish.file_system) {
    case DISK_FS_EXT4:
    case DISK_FS_XFS:
    case DISK_FS_BTRFS:
        return 2;
    case DISK_FS_NTFS:
        return 1;
    case DISK_FS_FAT32:
    case DISK_FS_SWAP:
    case DISK_FS_NONE:
    default:
        return 0;
    }
}

size_t disk_layout_root(const struct disk_layout *layout)
{
    size_t best = layout->n_partitions;
    unsigned best_fitness = 1;

    for (size_t i = 0; i < layout->n_partitions; i++) {
        const struct disk_partition *p = &layout->partitions[i];
        unsigned fits = fitness(p);

        if (fits < best_fitness)
            continue;
        if (best == layout->n_partitions || fits > best_fitness ||
            p->size_bytes > layout->partitions[best].size_bytes)
            best = i;
        best_fitness = fits;
    }
    return best;
}

bool disk_layout_has_os(const struct disk_layout *layout)
{
    size_t root = disk_layout_root(layout);

    return root < layout->n_partitions &&
           layout->partitions[root].size_bytes >= DISK_OS_MIN_MIB * MIB;
}

size_t disk_layout_find(const struct disk_layout *layout, enum disk_type type)
{
    for (size_t i = 0; i < layout->n_partitions; i++)
        if (layout->partitions[i].wish.type == type)
            return i;
    return layout->n_partitions;
}
