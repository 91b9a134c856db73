/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * From BIOS to UEFI: a computer whose firmware was told to start by UEFI from now on finds the boot image on a FAT32 partition, by
 * the path for removable media. TSUEFIDrive names the partition, as documented.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "agent/run/machine.h"
#include "agent/run/restart.h"
#include "agent/run/restart_parts.h"
#include "agent/run/target.h"
#include "agent/steps/loaders.h"
#include "agent/steps/step.h"
#include "agent/steps/volumes.h"
#include "base/err.h"
#include "base/own.h"
#include "image/boot_text.h"
#include "image/disk_write.h"
#include "plat/file.h"
#include "ts/vars.h"

#define VARIABLE     "TSUEFIDrive"
#define STAGE_FOLDER "/run/slipway/uefi"
#define FAT          "vfat"

enum {
    FOLDER_MODE = 0700,
};

bool restart_uefi_is_wanted(const struct step_context *c)
{
    return c->environment == STEP_IN_BOOT_IMAGE && !c->machine->is_uefi &&
           ts_vars_get(c->vars, VARIABLE)[0] != '\0';
}

/* Return: 0, an outcome, or -errno. */
static int find_volume(struct step_context *c, struct volume *ret, struct buf *why)
{
    const char *name = ts_vars_get(c->vars, VARIABLE);
    struct disk_content content;
    int r = volumes_find(c->vars, name, ret);

    if (r == 0)
        r = volumes_locate(c->machine, ret);
    if (r == 0 && disk_read_content(ret->device, &content) == 0 && strcmp(content.type, FAT) == 0)
        return 0;
    if (r < 0)
        return TRACE(r);
    buf_addf(why,
             VARIABLE
             " is \"%.64s\", which is no FAT32 partition that Format and Partition Disk has "
             "made: let the step set the variable with one",
             name);
    return RESTART_E_NOT_BOOTABLE;
}

static int mount_fat(const char *device)
{
    int r = dir_make(STAGE_FOLDER, FOLDER_MODE);

    if (r < 0)
        return TRACE(r);
    return mount(device, STAGE_FOLDER, FAT, MS_NOATIME | MS_NODEV | MS_NOEXEC | MS_NOSUID, NULL) < 0
               ? ERR(-errno)
               : 0;
}

/* What was written is durable only when this has gone well. */
static int unmount_fat(int r)
{
    if (umount(STAGE_FOLDER) < 0 && r >= 0)
        return ERR(-errno);
    return TRACE(r);
}

static int fill(struct step_context *c, const struct volume *volume, struct buf *why)
{
    OWN(buf_fini) struct buf menu = BUF_INIT(BOOT_TEXT_MAX);
    int r = restart_put_boot_image(c, STAGE_FOLDER, why);

    boot_text_staged(volume->uuid, c->target->root_uuid, &menu);
    if (r == 0)
        r = menu.failed ? ERR(-ENOMEM) : loaders_write_uefi(STAGE_FOLDER, buf_bytes(&menu));
    return TRACE(r);
}

int restart_uefi_stage(struct step_context *c, struct buf *why)
{
    struct volume volume;
    int r = find_volume(c, &volume, why);

    if (r != 0)
        return TRACE(r);
    r = mount_fat(volume.device);
    if (r == 0)
        r = unmount_fat(fill(c, &volume, why));
    if (r == 0)
        c->log(c->ctx,
               "The boot image is on %s (" VARIABLE "), for a firmware that starts by UEFI now",
               volume.device);
    if (r < 0) {
        buf_addf(
            why, "%s (" VARIABLE ") cannot be written: %s", volume.device, strerrordesc_np(-r));
        return RESTART_E_NOT_BOOTABLE;
    }
    return r;
}

/* One that has no boot image on it stays as it is. Return: TARGET_E_MISSING, so that all are looked at; or -errno. */
static int look_for_stage(void *ctx, const char *device)
{
    bool *was_found = ctx;
    struct disk_content content;
    int r;

    if (disk_read_content(device, &content) != 0 || strcmp(content.type, FAT) != 0 ||
        mount_fat(device) < 0)
        return TARGET_E_MISSING;
    r = restart_take_boot_image(STAGE_FOLDER);
    *was_found |= r == RESTART_SWITCHED_BACK;
    r = unmount_fat(r);
    return r < 0 ? TRACE(r) : TARGET_E_MISSING;
}

int restart_uefi_done(const struct step_target *target)
{
    static const char devices[] = "/dev/";
    bool was_found = false;
    int r = TARGET_E_MISSING;

    if (target->is_gpt && strncmp(target->disk, devices, sizeof(devices) - 1) == 0)
        r = target_each_partition(target->disk + sizeof(devices) - 1, look_for_stage, &was_found);
    return r < 0 ? TRACE(r) : was_found ? RESTART_SWITCHED_BACK : 0;
}
