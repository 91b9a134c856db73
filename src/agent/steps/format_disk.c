/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Format and Partition Disk (SMS_TaskSequence_PartitionDiskAction)
 *
 * Settings as Configuration Manager has them, and ours for choosing a disk (docs/protocol/task-sequence.md). Everything
 * is planned before anything is written. The first disk that a sequence formats gets the operating system; others
 * hold data. Killed anywhere, the step is begun again: it begins with an empty partition table.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/run/machine.h"
#include "agent/run/target.h"
#include "agent/steps/format_parts.h"
#include "agent/steps/step.h"
#include "agent/steps/volumes.h"
#include "agent/steps/without_effect.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "format/disk/disk_layout.h"
#include "image/disk_format.h"
#include "image/disk_write.h"
#include "ts/vars.h"

#define MIB ((uint64_t)1024 * 1024)

enum {
    WHY_MAX = 4096,
};

struct overwriting {
    struct step_context *c;
    const char *device;
    unsigned from; /* percent of the step that are done before it */
    unsigned to;
};

static bool tell_overwritten(void *ctx, unsigned percent)
{
    const struct overwriting *o = ctx;

    return o->c->progress(o->c->ctx, o->from + (o->to - o->from) * percent / 100, 0, o->device);
}

/* Of the step, when the first @n of the partitions are made: by their number, as most are made in no time. */
static unsigned percent_after(const struct disk_layout *layout, size_t n)
{
    enum {
        TABLE_PERCENT = 20,
        ALL_PERCENT = 90
    };

    return (unsigned)(TABLE_PERCENT + (ALL_PERCENT - TABLE_PERCENT) * n / layout->n_partitions);
}

/* Return: 0, 1 with @result as the failure, or -errno. */
static int make_file_system(struct step_context *c,
                            const struct disk_layout *layout,
                            size_t i,
                            struct step_result *result)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    const struct disk_partition *p = &layout->partitions[i];
    struct overwriting overwriting = {
        c, p->device, percent_after(layout, i), percent_after(layout, i + 1)};
    int r = 0;

    if (!p->wish.is_quick && p->wish.file_system != DISK_FS_NONE)
        r = disk_overwrite(p, tell_overwritten, &overwriting, &why);
    if (r == 0)
        r = disk_make_file_system(p, &why);
    if (r <= 0)
        return TRACE(r);
    if (r == DISK_E_CANCELLED)
        (void)step_fail(result, "SLW-0406", "Formatting %s was cancelled at the site", p->device);
    else
        (void)step_fail(result, "SLW-0456", "%s got no file system: %s", p->device, buf_str(&why));
    return 1;
}

/* So that later steps find it. Return: 0, 1 with @result as the failure, or -errno. */
static int remember_volume(struct step_context *c,
                           const struct machine_disk *disk,
                           const struct disk_partition *p,
                           struct step_result *result)
{
    struct volume volume = {.disk = (uint64_t)(disk - c->machine->disks), .partition = p->number};
    bool has_volume = p->wish.file_system != DISK_FS_NONE;
    struct disk_content content = {0};

    if (has_volume && disk_read_content(p->device, &content) != 0) {
        (void)step_fail(result,
                        "SLW-0456",
                        "The new file system on %s cannot be found again: test the disk",
                        p->device);
        return 1;
    }
    (void)snprintf(volume.device, sizeof(volume.device), "%s", p->device);
    (void)snprintf(volume.uuid, sizeof(volume.uuid), "%s", content.uuid);
    (void)snprintf(volume.disk_serial, sizeof(volume.disk_serial), "%s", disk->serial);
    int r = volumes_add(c->vars, &volume, has_volume && p->wish.file_system != DISK_FS_SWAP);

    if (r < 0)
        return TRACE(r);
    const char drive[] = {volume.letter, '\0'};

    c->log(c->ctx,
           "%s: %" PRIu64 " MiB at %" PRIu64 " MiB, %s%s%s",
           p->device,
           p->size_bytes / MIB,
           p->start_bytes / MIB,
           has_volume ? content.type : "no file system",
           drive[0] != '\0' ? ", drive " : "",
           drive);
    if (p->wish.variable[0] != '\0' &&
        ts_vars_set(c->vars, p->wish.variable, p->device, TS_BY_SEQUENCE) != 0) {
        (void)step_fail(
            result,
            "SLW-0454",
            "The variable %s of %s cannot be set: it is no name that a sequence may use",
            p->wish.variable,
            p->device);
        return 1;
    }
    return 0;
}

static void fail_disk(int outcome, const char *device, const char *why, struct step_result *result)
{
    switch (outcome) {
    case DISK_E_IN_USE:
        (void)step_fail(result,
                        "SLW-0453",
                        "%s is in use: a file system, swap space or another device on it is being "
                        "used by what runs here. Nothing was written",
                        device);
        break;
    case DISK_E_READ_ONLY:
        (void)step_fail(result, "SLW-0455", "%s is write-protected. Nothing was written", device);
        break;
    case DISK_E_MISSING:
        (void)step_fail(result, "SLW-0455", "%s does not answer any more", device);
        break;
    default:
        (void)step_fail(result, "SLW-0455", "%s could not be partitioned: %s", device, why);
        break;
    }
}

/* Return: 0, -errno, or 1 with @result as the failure. */
static int write_disk(struct step_context *c,
                      const struct machine_disk *disk,
                      const char *device,
                      struct disk_layout *layout,
                      struct step_result *result)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    int r = disk_write(device, layout, &why);

    if (r < 0)
        return TRACE(r);
    if (r > 0) {
        fail_disk(r, device, buf_str(&why), result);
        return 1;
    }
    r = volumes_forget(c->vars, (uint64_t)(disk - c->machine->disks));
    for (size_t i = 0; r == 0 && i < layout->n_partitions; i++) {
        const struct disk_partition *p = &layout->partitions[i];

        if (!c->progress(c->ctx, percent_after(layout, i), 0, p->device)) {
            (void)step_fail(
                result,
                "SLW-0406",
                "Formatting %s was cancelled at the site: %zu of its %zu partitions are made",
                device,
                i,
                layout->n_partitions);
            return 1;
        }
        r = make_file_system(c, layout, i, result);
        if (r == 0)
            r = remember_volume(c, disk, p, result);
    }
    return TRACE(r);
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

/* Whether the operating system goes there: the disk that has it already, or the first that is formatted. */
static bool is_disk_of_os(const struct step_context *c, const char *device)
{
    return c->target->disk[0] == '\0' || strcmp(c->target->disk, device) == 0;
}

/* The new volume becomes the target, and is mounted. Return: 0 or -errno; @ret may be a failure. */
static int take_target(struct step_context *c,
                       const struct machine_disk *disk,
                       const char *device,
                       const struct disk_layout *layout,
                       struct step_result *ret)
{
    int r = fill_target(c->target, device, disk, layout);

    if (r == 0)
        r = target_mount(c->target);
    if (r > 0)
        return step_fail(
            ret,
            "SLW-0457",
            "The new file system on %s cannot be mounted: the boot image's kernel may lack its driver",
            c->target->root_device);
    return TRACE(r);
}

static int format(struct step_context *c, const struct machine_disk *disk, struct step_result *ret)
{
    OWN(freep) struct disk_layout *layout = calloc(1, sizeof(*layout));
    char device[DEVICE_PATH_MAX];
    int r = 0;

    if (!layout)
        return ERR(-ENOMEM);
    (void)snprintf(device, sizeof(device), "/dev/%s", disk->name);
    bool is_for_os = is_disk_of_os(c, device);

    if (!format_plan(c, disk, is_for_os, layout, ret))
        return 0;
    if (is_for_os)
        r = target_unmount(c->target);
    if (r < 0)
        return step_fail(
            ret,
            "SLW-0453",
            "The volume of an earlier run on %s cannot be unmounted (error %d): restart "
            "the computer",
            device,
            -r);
    if (!machine_has_disk(disk))
        return step_fail(
            ret,
            "SLW-0451",
            "%s is not the disk any more that it was at the start: nothing was written",
            device);
    c->log(c->ctx,
           "Disk %s, model \"%s\", serial \"%s\", %" PRIu64 " MiB: everything on it is replaced",
           device,
           disk->model,
           disk->serial,
           disk->size_bytes / MIB);
    if (!c->progress(c->ctx, 10, 0, device))
        return step_fail(ret,
                         "SLW-0406",
                         "Formatting %s was cancelled at the site. Nothing was written",
                         device);
    r = write_disk(c, disk, device, layout, ret);
    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    return is_for_os ? TRACE(take_target(c, disk, device, layout, ret)) : 0;
}

int step_format_disk_run(struct step_context *c, struct step_result *ret)
{
    const struct machine_disk *disk = format_choose_disk(c, ret);

    if (!disk && !ret->error_id)
        c->log(c->ctx, "There is no such disk, and the step is optional: nothing is done");
    if (disk)
        step_log_without_effect(c);
    return disk ? TRACE(format(c, disk, ret)) : 0;
}
