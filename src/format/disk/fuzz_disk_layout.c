/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "format/disk/disk_layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    HEAD_BYTES = 12, /* style, log2 of the sector's size, two of padding, the disk's size */
    WISH_BYTES = 12, /* type, file system, unit, boot flag, size */
    TYPES = 8,
    FILE_SYSTEMS = 7,
    UNITS = 3,
};

static bool is_apart(const struct disk_partition *a, const struct disk_partition *b)
{
    return a->start_bytes + a->size_bytes <= b->start_bytes ||
           b->start_bytes + b->size_bytes <= a->start_bytes;
}

static bool is_within(const struct disk_partition *outer, const struct disk_partition *inner)
{
    return outer->wish.type == DISK_TYPE_EXTENDED && inner->wish.type == DISK_TYPE_LOGICAL &&
           inner->start_bytes > outer->start_bytes &&
           inner->start_bytes + inner->size_bytes <= outer->start_bytes + outer->size_bytes;
}

static void check(const struct disk_layout *layout, uint64_t disk_bytes)
{
    for (size_t i = 0; i < layout->n_partitions; i++) {
        const struct disk_partition *p = &layout->partitions[i];

        if (p->size_bytes == 0 || p->start_bytes < DISK_ALIGN_BYTES ||
            p->start_bytes % DISK_ALIGN_BYTES != 0 || p->size_bytes % DISK_ALIGN_BYTES != 0 ||
            p->size_bytes > disk_bytes || p->start_bytes > disk_bytes - p->size_bytes)
            abort();
        for (size_t k = 0; k < i; k++)
            if (layout->partitions[k].number == p->number ||
                !(is_apart(&layout->partitions[k], p) || is_within(&layout->partitions[k], p)))
                abort();
    }
}

/* Any wishes on any disk: refused, or aligned, apart and on the disk. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(freep) struct disk_layout *layout = calloc(1, sizeof(*layout));
    OWN(freep) struct disk_wish *wishes = calloc(DISK_PARTITIONS_MAX + 1, sizeof(*wishes));
    struct disk_space space = {0};
    size_t n = 0;

    if (!layout || !wishes || size < HEAD_BYTES)
        return 0;
    space.style = data[0] % 2 ? DISK_STYLE_MBR : DISK_STYLE_GPT;
    space.sector_bytes = 1u << data[1] % 16;
    memcpy(&space.bytes, data + 4, sizeof(space.bytes));
    for (size_t at = HEAD_BYTES; n <= DISK_PARTITIONS_MAX && size - at >= WISH_BYTES;
         at += WISH_BYTES, n++) {
        wishes[n] = (struct disk_wish){
            .type = (enum disk_type)(data[at] % TYPES),
            .file_system = (enum disk_file_system)(data[at + 1] % FILE_SYSTEMS),
            .unit = (enum disk_size_unit)(data[at + 2] % UNITS),
            .is_bootable = data[at + 3] % 2 != 0,
        };
        memcpy(&wishes[n].size, data + at + 4, sizeof(wishes[n].size));
    }
    if (disk_layout_plan(&space, wishes, n, layout) == 0)
        check(layout, space.bytes);
    return 0;
}
