/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <inttypes.h>
#include <string.h>

#include "agent/run/machine.h"
#include "agent/steps/format_parts.h"
#include "base/bytes.h"
#include "base/own.h"
#include "ts/partitions.h"
#include "ts/values.h"

#define MIB ((uint64_t)1024 * 1024)

enum {
    WHY_MAX_BYTES = 512,
};

static const char *get(void *ctx, const char *name)
{
    return step_value(ctx, name);
}

/* Return: whether the step's partition @i makes sense; @result is the failure if not. */
static bool
read_wish(struct step_context *c, size_t i, struct disk_wish *ret, struct step_result *result)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);

    if (ts_partition_read(&(struct ts_values){get, c}, i, ret, &why) == 0)
        return true;
    (void)step_fail(
        result, "SLW-0454", "%s: correct the step Format and Partition Disk", buf_str(&why));
    return false;
}

/* Return: whether the step says something that is a style. */
static bool read_style(struct step_context *c, enum disk_style *ret, struct step_result *result)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);

    if (ts_partition_style(&(struct ts_values){get, c}, c->machine->is_uefi, ret, &why) == 0)
        return true;
    return step_fail(result, "SLW-0454", "%s", buf_str(&why)) != 0;
}

static bool is_true(const char *value)
{
    struct bytes text = bytes_of(value);

    return bytes_eq_nocase(text, "true") || bytes_eq_nocase(text, "yes") ||
           bytes_eq_nocase(text, "1");
}

static bool has_type(const struct disk_wish *wishes, size_t n, enum disk_type type)
{
    for (size_t i = 0; i < n; i++)
        if (wishes[i].type == type)
            return true;
    return false;
}

static void put_first(struct disk_wish *wishes, size_t *n, const struct disk_wish *wish)
{
    memmove(wishes + 1, wishes, *n * sizeof(*wishes));
    wishes[0] = *wish;
    (*n)++;
}

/* What the disk starts from, though the step does not define it. */
static void add_for_firmware(struct step_context *c,
                             const struct disk_space *space,
                             bool is_for_os,
                             struct disk_wish *wishes,
                             size_t *n)
{
    if (space->style != DISK_STYLE_GPT)
        return;
    if (is_true(step_value(c, "OSDGPTBootDisk")) && !has_type(wishes, *n, DISK_TYPE_EFI)) {
        const struct disk_wish efi = disk_layout_efi(space);

        put_first(wishes, n, &efi);
        c->log(c->ctx, "A partition of type EFI is added, because the disk is to be started from");
    }
    if (is_for_os && !c->machine->is_uefi) { /* GRUB needs a place of its own there */
        put_first(wishes,
                  n,
                  &(struct disk_wish){.type = DISK_TYPE_BIOS_BOOT,
                                      .unit = DISK_SIZE_BYTES,
                                      .size = MIB,
                                      .label = "BIOS boot"});
    }
}

static bool fail_plan(int outcome,
                      const struct machine_disk *disk,
                      const struct disk_wish *wishes,
                      size_t i,
                      struct step_result *result)
{
    (void)step_fail(result,
                    disk_layout_is_room(outcome) ? "SLW-0452" : "SLW-0454",
                    "Partition %zu (\"%s\") on the disk of %" PRIu64
                    " MiB with sectors of %u bytes %s. Nothing was written",
                    i,
                    wishes[i].label,
                    disk->size_bytes / MIB,
                    disk->sector_bytes,
                    disk_layout_reason(outcome));
    return false;
}

/* The operating system is a Linux: what sequences made for Windows call NTFS is then ext4. */
static bool
settle_os(struct step_context *c, struct disk_layout *layout, struct step_result *result)
{
    size_t root = disk_layout_root(layout);

    if (!disk_layout_has_os(layout)) {
        (void)step_fail(result,
                        "SLW-0452",
                        "No partition of type Primary or Logical with a file system for Linux has "
                        "%d MiB or more: the operating system has no place",
                        (int)DISK_OS_MIN_MIB);
        return false;
    }
    if (c->machine->is_uefi && (layout->style != DISK_STYLE_GPT ||
                                disk_layout_find(layout, DISK_TYPE_EFI) == layout->n_partitions)) {
        (void)step_fail(
            result,
            "SLW-0454",
            "This computer starts by UEFI, but the step defines no GPT disk with a partition of type "
            "EFI: set the style and add one, or let the step define no partitions at all");
        return false;
    }
    if (layout->partitions[root].wish.file_system == DISK_FS_NTFS) {
        layout->partitions[root].wish.file_system = DISK_FS_EXT4;
        c->log(c->ctx,
               "Partition %zu: NTFS is made ext4, because the operating system is a Linux",
               layout->partitions[root].number);
    }
    return true;
}

bool format_plan(struct step_context *c,
                 const struct machine_disk *disk,
                 bool is_for_os,
                 struct disk_layout *ret,
                 struct step_result *result)
{
    const struct ts_values values = {get, c};
    struct disk_wish wishes[DISK_PARTITIONS_MAX + 3];
    struct disk_space space = {.bytes = disk->size_bytes, .sector_bytes = disk->sector_bytes};
    size_t n = 0;

    if (!read_style(c, &space.style, result))
        return false;
    if (!ts_partition_exists(&values, 0)) {
        n = is_for_os ? disk_layout_default(c->machine->is_uefi, &space, wishes)
                      : disk_layout_data(wishes);
    } else {
        for (; n <= DISK_PARTITIONS_MAX && ts_partition_exists(&values, n); n++)
            if (!read_wish(c, n, &wishes[n], result))
                return false;
        add_for_firmware(c, &space, is_for_os, wishes, &n);
    }
    int r = disk_layout_plan(&space, wishes, n, ret);

    if (r != 0)
        return fail_plan(r, disk, wishes, ret->n_partitions, result);
    return !is_for_os || settle_os(c, ret, result);
}
