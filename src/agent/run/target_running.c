/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The volume that this system runs from, as the boot image will look for it
 */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/run/machine.h"
#include "agent/run/target.h"
#include "image/disk_write.h"
#include "plat/file.h"

enum {
    LINK_MAX_BYTES = 512,
};

/* "vda" and "vda2" of ".../block/vda/vda2". Return: whether it is a partition. */
static bool split(char *path, const char **ret_disk, const char **ret_partition)
{
    char *slash = strrchr(path, '/');

    if (!slash)
        return false;
    *ret_partition = slash + 1;
    *slash = '\0';
    slash = strrchr(path, '/');
    *ret_disk = slash ? slash + 1 : path;
    return true;
}

static bool read_root_link(char *dst, size_t cap)
{
    struct stat st;
    char link[64];
    ssize_t len;

    if (stat("/", &st) != 0)
        return false;
    (void)snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
    len = readlink(link, dst, cap - 1);
    if (len <= 0)
        return false;
    dst[len] = '\0';
    return true;
}

static const struct machine_disk *find_disk(const struct machine *machine, const char *name)
{
    for (size_t i = 0; i < machine->n_disks; i++)
        if (!machine->disks[i].is_removable && strcmp(machine->disks[i].name, name) == 0)
            return &machine->disks[i];
    return NULL;
}

void target_find_running(const struct machine *machine, struct step_target *ret)
{
    char link[LINK_MAX_BYTES];
    char device[DEVICE_PATH_MAX];
    const char *disk_name = NULL;
    const char *partition = NULL;
    const struct machine_disk *disk;
    struct disk_content content;

    *ret = (struct step_target){0};
    if (!read_root_link(link, sizeof(link)) || !split(link, &disk_name, &partition) ||
        snprintf(device, sizeof(device), "/dev/%s", partition) >= (int)sizeof(device))
        return;
    disk = find_disk(machine, disk_name);
    if (!disk || disk_read_content(device, &content) != 0 || content.uuid[0] == '\0')
        return;
    (void)snprintf(ret->disk, sizeof(ret->disk), "/dev/%s", disk->name);
    (void)snprintf(ret->disk_serial, sizeof(ret->disk_serial), "%s", disk->serial);
    (void)snprintf(ret->root_uuid, sizeof(ret->root_uuid), "%s", content.uuid);
    ret->disk_size_bytes = disk->size_bytes;
    ret->is_old = true;
    target_find_esp(disk, ret);
}
