/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Format and Partition Disk (SMS_TaskSequence_PartitionDiskAction)
 *
 * Settings as Configuration Manager has them: OSDDiskIndex, OSDDiskIndexVariable, OSDPartitionStyle and
 * the array OSDPartitions<n>. NTFS, which sequences made for Windows ask for, becomes ext4: the target is
 * Linux. Without an array the disk gets what its firmware needs and one root.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/run/machine.h"
#include "agent/run/target.h"
#include "agent/steps/step.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "image/disk_layout.h"
#include "image/disk_write.h"
#include "ts/vars.h"

#define MIB ((uint64_t)1024 * 1024)
#define GIB (1024 * MIB)

enum {
    WHY_MAX = 4096,
    SETTING_NAME_MAX = 64,
    SIZE_GIB_MAX = 1024 * 1024,
};

#define TARGET_MIN_BYTES (256 * MIB) /* no operating system fits on less */

static const char *setting(struct step_context *c, size_t i, const char *property)
{
    char name[SETTING_NAME_MAX];

    (void)snprintf(name, sizeof(name), "OSDPartitions%zu%s", i, property);
    return step_value(c, name);
}

static bool is_word(const char *value, const char *word)
{
    return bytes_eq_nocase(bytes_of(value), word);
}

static bool is_true(const char *value)
{
    return is_word(value, "true") || is_word(value, "yes") || is_word(value, "1");
}

static const struct {
    const char *word;
    enum disk_type type;
} types[] = {
    {"Primary", DISK_TYPE_PRIMARY},
    {"EFI", DISK_TYPE_EFI},
    {"MSR", DISK_TYPE_MSR},
    {"Recovery", DISK_TYPE_RECOVERY},
    {"Hidden", DISK_TYPE_RECOVERY},
};

static const struct {
    const char *word;
    enum disk_file_system file_system;
} file_systems[] = {
    {"", DISK_FS_NONE},
    {"NTFS", DISK_FS_EXT4},
    {"EXT4", DISK_FS_EXT4},
    {"XFS", DISK_FS_XFS},
    {"BTRFS", DISK_FS_BTRFS},
    {"FAT32", DISK_FS_FAT32},
    {"VFAT", DISK_FS_FAT32},
};

static bool read_type(const char *word, enum disk_type *ret)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (is_word(word, types[i].word)) {
            *ret = types[i].type;
            return true;
        }
    }
    return false;
}

static bool read_file_system(const char *word, enum disk_file_system *ret)
{
    for (size_t i = 0; i < sizeof(file_systems) / sizeof(file_systems[0]); i++) {
        if (is_word(word, file_systems[i].word)) {
            *ret = file_systems[i].file_system;
            return true;
        }
    }
    return false;
}

static bool read_size(const char *size, const char *units, struct disk_wish *ret)
{
    uint64_t n;

    ret->unit = DISK_SIZE_REST;
    if (size[0] == '\0')
        return true;
    if (is_word(units, "Percent")) {
        ret->unit = DISK_SIZE_PERCENT;
        return bytes_parse_u64(bytes_of(size), 1, 100, &ret->size);
    }
    ret->unit = DISK_SIZE_BYTES;
    if (units[0] == '\0' || is_word(units, "MB")) {
        if (!bytes_parse_u64(bytes_of(size), 1, (uint64_t)SIZE_GIB_MAX * 1024, &n))
            return false;
        ret->size = n * MIB;
        return true;
    }
    if (!is_word(units, "GB") || !bytes_parse_u64(bytes_of(size), 1, SIZE_GIB_MAX, &n))
        return false;
    ret->size = n * GIB;
    return true;
}

/* Return: whether the step's partition @i makes sense; @result is the failure if not. */
static bool
read_wish(struct step_context *c, size_t i, struct disk_wish *ret, struct step_result *result)
{
    const char *type = setting(c, i, "Type");
    const char *file_system = setting(c, i, "FileSystem");
    const char *size = setting(c, i, "Size");
    const char *units = setting(c, i, "SizeUnits");
    const char *bad = NULL;

    *ret = (struct disk_wish){.is_bootable = is_true(setting(c, i, "Bootable")),
                              .is_quick = !is_word(setting(c, i, "QuickFormat"), "false")};
    (void)snprintf(ret->label, sizeof(ret->label), "%.36s", setting(c, i, "VolumeName"));
    (void)snprintf(
        ret->variable, sizeof(ret->variable), "%.256s", setting(c, i, "VolumeLetterVariable"));
    if (!read_type(type, &ret->type))
        bad = "Type";
    else if (!read_file_system(file_system, &ret->file_system))
        bad = "FileSystem";
    else if (!read_size(size, units, ret))
        bad = "Size or SizeUnits";
    if (bad) {
        (void)step_fail(
            result,
            "SLW-0454",
            "Partition %zu has an unusable %s (Type \"%s\", FileSystem \"%s\", Size \"%s\" %s): "
            "correct the step Format and Partition Disk",
            i,
            bad,
            type,
            file_system,
            size,
            units);
        return false;
    }
    if (ret->type == DISK_TYPE_MSR)
        ret->file_system = DISK_FS_NONE;
    if (ret->type == DISK_TYPE_EFI)
        ret->file_system = DISK_FS_FAT32;
    if (is_word(file_system, "NTFS"))
        c->log(c->ctx, "Partition %zu: NTFS is made ext4, because the target is Linux", i);
    return true;
}

static enum disk_style read_style(struct step_context *c)
{
    const char *style = step_value(c, "OSDPartitionStyle");

    if (style[0] == '\0')
        style = step_value(c, "OSDDiskType");
    if (is_word(style, "GPT"))
        return DISK_STYLE_GPT;
    if (is_word(style, "MBR") && !c->machine->is_uefi)
        return DISK_STYLE_MBR;
    return c->machine->is_uefi ? DISK_STYLE_GPT : DISK_STYLE_MBR;
}

/* GRUB on a GPT disk of a BIOS machine needs a place of its own, whatever the sequence says. */
static size_t add_bios_boot(struct step_context *c, enum disk_style style, struct disk_wish *wishes)
{
    if (c->machine->is_uefi || style != DISK_STYLE_GPT)
        return 0;
    wishes[0] = (struct disk_wish){
        .type = DISK_TYPE_BIOS_BOOT, .unit = DISK_SIZE_BYTES, .size = MIB, .label = "BIOS boot"};
    return 1;
}

/* Return: whether there is a layout; @result is the failure if not. */
static bool plan(struct step_context *c,
                 uint64_t disk_bytes,
                 struct disk_layout *ret,
                 struct step_result *result)
{
    struct disk_wish wishes[DISK_PARTITIONS_MAX + 1];
    enum disk_style style = read_style(c);
    size_t n = add_bios_boot(c, style, wishes);

    for (size_t i = 0; n <= DISK_PARTITIONS_MAX && setting(c, i, "Type")[0] != '\0'; i++)
        if (!read_wish(c, i, &wishes[n++], result))
            return false;
    if (setting(c, 0, "Type")[0] == '\0')
        n = disk_layout_default(c->machine->is_uefi, style, disk_bytes, wishes);
    switch (disk_layout_plan(style, wishes, n, disk_bytes, ret)) {
    case 0:
        break;
    case DISK_LAYOUT_E_TOO_MANY:
        (void)step_fail(result,
                        "SLW-0454",
                        "%zu partitions are more than the partition style has room for (MBR: 4)",
                        n);
        return false;
    default:
        (void)step_fail(result,
                        "SLW-0452",
                        "The partitions do not fit on the disk of %" PRIu64
                        " MiB: make them smaller",
                        disk_bytes / MIB);
        return false;
    }
    size_t root = disk_layout_root(ret);

    if (root == ret->n_partitions || ret->partitions[root].size_bytes < TARGET_MIN_BYTES) {
        (void)step_fail(result,
                        "SLW-0452",
                        "No partition of type Primary with a Linux file system has %" PRIu64
                        " MiB or more: the operating system has no place",
                        TARGET_MIN_BYTES / MIB);
        return false;
    }
    if (c->machine->is_uefi && disk_layout_find(ret, DISK_TYPE_EFI) == ret->n_partitions) {
        (void)step_fail(
            result,
            "SLW-0454",
            "This computer starts by UEFI, but the step defines no partition of type EFI: "
            "add one, or let the step define no partitions at all");
        return false;
    }
    return true;
}

static const struct machine_disk *choose_disk(struct step_context *c, struct step_result *result)
{
    const char *text = step_value(c, "OSDDiskIndex");
    const char *variable = step_value(c, "OSDDiskIndexVariable");
    uint64_t index = 0;

    if (variable[0] != '\0')
        text = ts_vars_get(c->vars, variable);
    if (text[0] != '\0' && !bytes_parse_u64(bytes_of(text), 0, MACHINE_DISKS_MAX, &index)) {
        (void)step_fail(result,
                        "SLW-0450",
                        "The disk number \"%s\" is no number from 0 to %d",
                        text,
                        MACHINE_DISKS_MAX);
        return NULL;
    }
    if (index >= c->machine->n_disks || c->machine->disks[index].is_removable) {
        (void)step_fail(
            result,
            "SLW-0450",
            "There is no fixed disk number %" PRIu64 " among the %zu disks found: check "
            "the number, the cable, and that the boot image has the controller's driver",
            index,
            c->machine->n_disks);
        return NULL;
    }
    return &c->machine->disks[index];
}

/* The inventory may be minutes old. The disk of that name must still be the one that was meant. */
static bool is_same_disk(const struct machine_disk *disk)
{
    OWN(freep) struct machine *now = malloc(sizeof(*now));

    if (!now || machine_collect(now) != 0)
        return false;
    for (size_t i = 0; i < now->n_disks; i++)
        if (strcmp(now->disks[i].name, disk->name) == 0)
            return strcmp(now->disks[i].serial, disk->serial) == 0 &&
                   now->disks[i].size_bytes == disk->size_bytes && !now->disks[i].is_removable;
    return false;
}

/* Return: 0, -errno, or 1 with @result as the failure. */
static int write_disk(struct step_context *c,
                      const char *device,
                      struct disk_layout *layout,
                      struct step_result *result)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    int r = disk_write(device, layout, &why);

    if (r < 0)
        return TRACE(r);
    switch (r) {
    case 0:
        break;
    case DISK_E_IN_USE:
        (void)step_fail(result, "SLW-0453", "%s is in use: a file system on it is mounted", device);
        return 1;
    default:
        (void)step_fail(
            result, "SLW-0455", "%s could not be partitioned: %s", device, buf_str(&why));
        return 1;
    }
    for (size_t i = 0; i < layout->n_partitions; i++) {
        const struct disk_partition *p = &layout->partitions[i];

        (void)c->progress(c->ctx, (unsigned)(20 + 70 * i / layout->n_partitions), 0, p->device);
        r = disk_make_file_system(p, &why);
        if (r < 0)
            return TRACE(r);
        if (r > 0) {
            (void)step_fail(
                result, "SLW-0456", "%s got no file system: %s", p->device, buf_str(&why));
            return 1;
        }
        c->log(c->ctx,
               "%s: %" PRIu64 " MiB at %" PRIu64 " MiB",
               p->device,
               p->size_bytes / MIB,
               p->start_bytes / MIB);
        if (p->wish.variable[0] != '\0' &&
            ts_vars_set(c->vars, p->wish.variable, p->device, TS_BY_SEQUENCE) != 0)
            c->log(c->ctx, "The variable of %s cannot be set", p->device);
    }
    return 0;
}

static int fill_target(struct step_target *target,
                       const char *device,
                       const struct machine_disk *disk,
                       const struct disk_layout *layout)
{
    struct disk_content content;
    size_t root = disk_layout_root(layout);
    size_t esp = disk_layout_find(layout, DISK_TYPE_EFI);

    *target = (struct step_target){.disk_size_bytes = disk->size_bytes,
                                   .is_gpt = layout->style == DISK_STYLE_GPT};
    (void)snprintf(target->disk, sizeof(target->disk), "%s", device);
    (void)snprintf(target->disk_serial, sizeof(target->disk_serial), "%s", disk->serial);
    (void)snprintf(
        target->root_device, sizeof(target->root_device), "%s", layout->partitions[root].device);
    int r = disk_read_content(target->root_device, &content);

    if (r != 0)
        return r < 0 ? TRACE(r) : ERR(-EIO);
    (void)snprintf(target->root_uuid, sizeof(target->root_uuid), "%s", content.uuid);
    if (esp == layout->n_partitions)
        return 0;
    (void)snprintf(
        target->esp_device, sizeof(target->esp_device), "%s", layout->partitions[esp].device);
    r = disk_read_content(target->esp_device, &content);
    if (r != 0)
        return r < 0 ? TRACE(r) : ERR(-EIO);
    (void)snprintf(target->esp_uuid, sizeof(target->esp_uuid), "%s", content.uuid);
    return 0;
}

int step_format_disk_run(struct step_context *c, struct step_result *ret)
{
    OWN(freep) struct disk_layout *layout = calloc(1, sizeof(*layout));
    const struct machine_disk *disk = choose_disk(c, ret);
    char device[DEVICE_PATH_MAX];

    if (!layout)
        return ERR(-ENOMEM);
    if (!disk || !plan(c, disk->size_bytes, layout, ret))
        return 0;
    (void)snprintf(device, sizeof(device), "/dev/%s", disk->name);
    c->log(c->ctx,
           "Disk %s, model \"%s\", serial \"%s\", %" PRIu64 " MiB: everything on it is replaced",
           device,
           disk->model,
           disk->serial,
           disk->size_bytes / MIB);
    int r = target_unmount(c->target);

    if (r < 0)
        return step_fail(
            ret,
            "SLW-0453",
            "The volume of an earlier run on %s cannot be unmounted (error %d): restart "
            "the computer",
            device,
            -r);
    if (!is_same_disk(disk))
        return step_fail(
            ret,
            "SLW-0451",
            "%s is not the disk any more that it was at the start: nothing was written",
            device);
    (void)c->progress(c->ctx, 10, 0, device);
    r = write_disk(c, device, layout, ret);
    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    r = fill_target(c->target, device, disk, layout);
    if (r < 0)
        return TRACE(r);
    r = target_mount(c->target);
    if (r < 0)
        return TRACE(r);
    if (r > 0)
        return step_fail(
            ret,
            "SLW-0457",
            "The new file system on %s cannot be mounted: the boot image's kernel may lack its driver",
            c->target->root_device);
    return 0;
}
