/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/disk_layout.h"

#include <stdio.h>
#include <string.h>

#define MIB       ((uint64_t)1024 * 1024)
#define GIB       (1024 * MIB)
#define MBR_BYTES (((uint64_t)1 << 32) * 512 - DISK_ALIGN_BYTES)

enum {
    TAIL_BYTES = DISK_ALIGN_BYTES, /* the second GPT, and what firmware RAID would write */
    BIOS_BOOT_MIB = 1,
    ESP_MIB = 512,
    SMALL_ESP_MIB = 64,
    SMALL_DISK_GIB = 8,
};

static uint64_t align_down(uint64_t bytes)
{
    return bytes - bytes % DISK_ALIGN_BYTES;
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

int disk_layout_plan(enum disk_style style,
                     const struct disk_wish *wishes,
                     size_t n_wishes,
                     uint64_t disk_bytes,
                     struct disk_layout *ret)
{
    size_t max =
        style == DISK_STYLE_GPT ? (size_t)DISK_PARTITIONS_MAX : (size_t)DISK_MBR_PARTITIONS_MAX;
    uint64_t start = DISK_ALIGN_BYTES;

    if (n_wishes > max)
        return DISK_LAYOUT_E_TOO_MANY;
    if (style == DISK_STYLE_MBR && disk_bytes > MBR_BYTES)
        disk_bytes = MBR_BYTES;
    if (disk_bytes < DISK_ALIGN_BYTES + TAIL_BYTES)
        return DISK_LAYOUT_E_TOO_SMALL;
    uint64_t end = align_down(disk_bytes - TAIL_BYTES);

    *ret = (struct disk_layout){.style = style};
    for (size_t i = 0; i < n_wishes; i++) {
        uint64_t size = wanted_bytes(&wishes[i], end - start);

        if (size == 0 || size > end - start)
            return DISK_LAYOUT_E_TOO_SMALL;
        ret->partitions[ret->n_partitions++] =
            (struct disk_partition){.wish = wishes[i], .start_bytes = start, .size_bytes = size};
        start += size;
    }
    return 0;
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

    (void)snprintf(wish.label, sizeof(wish.label), "%s", label);
    return wish;
}

size_t
disk_layout_default(bool is_uefi, enum disk_style style, uint64_t disk_bytes, struct disk_wish *ret)
{
    size_t n = 0;
    uint64_t esp_mib = disk_bytes < SMALL_DISK_GIB * GIB ? SMALL_ESP_MIB : ESP_MIB;

    if (is_uefi)
        ret[n++] = make_wish(DISK_TYPE_EFI, DISK_FS_FAT32, esp_mib, "EFI");
    else if (style == DISK_STYLE_GPT)
        ret[n++] = make_wish(DISK_TYPE_BIOS_BOOT, DISK_FS_NONE, BIOS_BOOT_MIB, "BIOS boot");
    ret[n] = make_wish(DISK_TYPE_PRIMARY, DISK_FS_EXT4, 0, "root");
    ret[n++].is_bootable = !is_uefi;
    return n;
}

size_t disk_layout_root(const struct disk_layout *layout)
{
    size_t best = layout->n_partitions;

    for (size_t i = 0; i < layout->n_partitions; i++) {
        const struct disk_partition *p = &layout->partitions[i];

        if (p->wish.type != DISK_TYPE_PRIMARY || p->wish.file_system == DISK_FS_NONE ||
            p->wish.file_system == DISK_FS_FAT32)
            continue;
        if (best == layout->n_partitions || p->size_bytes > layout->partitions[best].size_bytes)
            best = i;
    }
    return best;
}

size_t disk_layout_find(const struct disk_layout *layout, enum disk_type type)
{
    for (size_t i = 0; i < layout->n_partitions; i++)
        if (layout->partitions[i].wish.type == type)
            return i;
    return layout->n_partitions;
}

void disk_partition_path(const char *disk, size_t number, char *dst, size_t cap)
{
    size_t len = strlen(disk);
    bool ends_in_digit = len > 0 && disk[len - 1] >= '0' && disk[len - 1] <= '9';

    (void)snprintf(dst, cap, "%s%s%zu", disk, ends_in_digit ? "p" : "", number);
}
