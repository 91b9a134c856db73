/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/run/machine.h"
#include "agent/run/target.h"
#include "agent/steps/capture_parts.h"
#include "base/err.h"
#include "base/own.h"
#include "image/disk_write.h"
#include "plat/file.h"

#define FOLDER "/run/slipway/capture"

enum {
    OS_RELEASE_MAX = 64 * 1024,
    READ_ONLY = MS_RDONLY | MS_NODEV | MS_NOEXEC | MS_NOSUID,
};

struct search {
    struct step_context *c;
    const char *disk;
    struct capture_parts *parts;
};

/* What the kernel of the boot image can mount, and an image can keep. */
static bool is_readable(const char *type)
{
    static const char *const types[] = {
        "ext4", "ext3", "ext2", "xfs", "btrfs", "f2fs", "vfat", "exfat"};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return false;
}

static bool is_esp(const struct search *search, const char *device)
{
    uint64_t offset;
    uint64_t bytes;
    char path[DEVICE_PATH_MAX];
    size_t number = disk_find_partition(search->disk, DISK_TYPE_EFI, &offset, &bytes);

    if (number == 0)
        return strcmp(device, search->c->target->esp_device) == 0;
    disk_partition_path(search->disk, number, path, sizeof(path));
    return strcmp(path, device) == 0;
}

/* The target is mounted already, to be written to; this is another view of it. */
static int bind_target(const char *folder)
{
    if (mount(TARGET_ROOT, folder, NULL, MS_BIND, NULL) != 0)
        return ERR(-errno);
    if (mount(NULL, folder, NULL, MS_BIND | MS_REMOUNT | READ_ONLY, NULL) == 0)
        return 0;

    int error = errno;

    (void)umount(folder);
    return ERR(-error);
}

/* "Debian GNU/Linux 12 (bookworm)" of os-release; false: there is no operating system. */
static bool read_os_name(const char *folder, char *ret, size_t cap)
{
    static const char *const paths[] = {"etc/os-release", "usr/lib/os-release"};
    static const char key[] = "PRETTY_NAME=\"";

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(OS_RELEASE_MAX);
        char path[PATH_MAX];
        const char *name;

        (void)snprintf(path, sizeof(path), "%s/%s", folder, paths[i]);
        if (file_read(path, &text) != 0)
            continue;
        name = strstr(buf_str(&text), key);
        name = name ? name + strlen(key) : "Linux\"";
        (void)snprintf(ret, cap, "%.*s", (int)strcspn(name, "\"\n"), name);
        return true;
    }
    return false;
}

static void describe(const struct search *search, struct capture_part *part)
{
    bool has_target = search->c->target->is_mounted;
    bool is_target = strcmp(part->device, search->c->target->root_device) == 0;
    struct statvfs fs;

    if (statvfs(part->folder, &fs) == 0)
        part->used_bytes = (uint64_t)(fs.f_blocks - fs.f_bfree) * fs.f_frsize;
    part->is_os = read_os_name(part->folder, part->name, sizeof(part->name)) &&
                  (has_target ? is_target : true);
    if (part->name[0] == '\0')
        (void)snprintf(part->name, sizeof(part->name), "Volume %s", part->device);
}

static void put_first(struct capture_parts *parts)
{
    struct capture_part last = parts->list[parts->n - 1];

    memmove(&parts->list[1], &parts->list[0], (parts->n - 1) * sizeof(last));
    parts->list[0] = last;
}

/* Of one partition. Return: TARGET_E_MISSING, so that the next one is looked at, or -errno. */
static int look(void *ctx, const char *device)
{
    const struct search *search = ctx;
    struct capture_parts *parts = search->parts;
    const struct step_target *target = search->c->target;
    struct disk_content content;
    struct capture_part part = {0};
    bool is_ntfs;
    int r;

    if (parts->n == CAPTURE_VOLUMES_MAX || disk_read_content(device, &content) != 0)
        return TARGET_E_MISSING;
    is_ntfs = strcmp(content.type, "ntfs") == 0;
    if ((!is_ntfs && !is_readable(content.type)) || is_esp(search, device)) {
        search->c->log(search->c->ctx, "%s (%s) is not captured", device, content.type);
        return TARGET_E_MISSING;
    }
    (void)snprintf(part.device, sizeof(part.device), "%s", device);
    if (is_ntfs) {
        (void)snprintf(part.name, sizeof(part.name), "Volume %s", device);
        parts->list[parts->n++] = part;
        return TARGET_E_MISSING;
    }
    (void)snprintf(part.folder, sizeof(part.folder), FOLDER "/%zu", parts->n);
    r = dir_make(part.folder, 0700);
    if (r < 0)
        return TRACE(r);
    if (target->is_mounted && strcmp(device, target->root_device) == 0)
        r = bind_target(part.folder);
    else
        r = mount(device, part.folder, content.type, READ_ONLY, NULL) == 0 ? 0 : ERR(-errno);
    if (r < 0) {
        search->c->log(search->c->ctx, "%s (%s) cannot be mounted", device, content.type);
        return TARGET_E_MISSING;
    }
    describe(search, &part);
    parts->list[parts->n++] = part;
    if (part.is_os && !parts->list[0].is_os)
        put_first(parts);
    return TARGET_E_MISSING;
}

int capture_parts_find(struct step_context *c, struct capture_parts *ret)
{
    for (size_t i = 0; i < c->machine->n_disks; i++) {
        char disk[DEVICE_PATH_MAX];
        struct search search = {.c = c, .disk = disk, .parts = ret};
        int r;

        if (c->machine->disks[i].is_removable)
            continue;
        (void)snprintf(disk, sizeof(disk), "/dev/%.50s", c->machine->disks[i].name);
        r = target_each_partition(c->machine->disks[i].name, look, &search);
        if (r < 0)
            return TRACE(r);
    }
    if (ret->n == 0 || !ret->list[0].is_os)
        capture_parts_fini(ret);
    return 0;
}

void capture_parts_fini(struct capture_parts *parts)
{
    for (size_t i = 0; i < parts->n; i++)
        if (parts->list[i].folder[0] != '\0')
            (void)umount2(parts->list[i].folder, MNT_DETACH);
    parts->n = 0;
}
