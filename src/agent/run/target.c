/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/target.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/run/machine.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "image/disk_write.h"
#include "plat/file.h"

#define LOOK_FOLDER "/run/slipway/look"

/* What a state can lie on. Anything else is not mounted at all. */
static const char *const root_types[] = {"ext4", "ext3", "ext2", "xfs", "btrfs", "f2fs"};

static bool is_root_type(const char *type)
{
    for (size_t i = 0; i < sizeof(root_types) / sizeof(root_types[0]); i++)
        if (strcmp(type, root_types[i]) == 0)
            return true;
    return false;
}

static bool is_mount_point(const char *path)
{
    char parent[PATH_MAX];
    struct stat here;
    struct stat above;

    return snprintf(parent, sizeof(parent), "%s/..", path) < (int)sizeof(parent) &&
           stat(path, &here) == 0 && stat(parent, &above) == 0 && here.st_dev != above.st_dev;
}

static int mount_device(const char *device, const char *folder, unsigned long flags)
{
    struct disk_content content;
    int r = dir_make(folder, 0700);

    if (r < 0)
        return TRACE(r);
    if (is_mount_point(folder))
        return 0;
    r = disk_read_content(device, &content);
    if (r < 0)
        return TRACE(r);
    if (r != 0 || mount(device, folder, content.type, flags, NULL) != 0)
        return TARGET_E_MISSING;
    return 0;
}

int target_mount(struct step_target *target)
{
    int r = mount_device(target->root_device, TARGET_ROOT, MS_NOATIME);

    if (r != 0)
        return TRACE(r);
    if (target->esp_device[0] != '\0') {
        r = mount_device(target->esp_device, TARGET_ESP, MS_NOATIME | MS_NODEV | MS_NOEXEC);
        if (r != 0) {
            (void)umount(TARGET_ROOT);
            return TRACE(r);
        }
    }
    target->is_mounted = true;
    return 0;
}

int target_unmount(struct step_target *target)
{
    static const char *const folders[] = {TARGET_ESP, TARGET_ROOT};

    sync();
    for (size_t i = 0; i < 2; i++)
        if (is_mount_point(folders[i]) && umount(folders[i]) != 0)
            return ERR(-errno);
    target->is_mounted = false;
    return 0;
}

/* The partitions of a disk, from sysfs: "vda1" below /sys/block/vda. */
static bool is_partition(const char *disk, const char *name)
{
    char path[PATH_MAX];

    return strncmp(name, disk, strlen(disk)) == 0 &&
           snprintf(path, sizeof(path), "/sys/block/%s/%s/partition", disk, name) <
               (int)sizeof(path) &&
           file_exists(path);
}

/* Call @look for each partition until it returns something else than TARGET_E_MISSING. */
static int each_partition(const char *disk, int (*look)(void *ctx, const char *device), void *ctx)
{
    char path[PATH_MAX];
    struct dirent **names = NULL;
    int found = TARGET_E_MISSING;

    (void)snprintf(path, sizeof(path), "/sys/block/%s", disk);
    int n = scandir(path, &names, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        if (found == TARGET_E_MISSING && is_partition(disk, names[i]->d_name)) {
            (void)snprintf(path, sizeof(path), "/dev/%s", names[i]->d_name);
            found = look(ctx, path);
        }
        free(names[i]);
    }
    free(names);
    return found;
}

struct search {
    const struct machine_disk *disk;
    const char *order_id;
    struct step_target *target;
    struct buf *state;
    const char *uuid; /* of the file system looked for */
    char *device;     /* where to put its path, DEVICE_PATH_MAX */
};

static int look_for_uuid(void *ctx, const char *device)
{
    const struct search *search = ctx;
    struct disk_content content;

    if (disk_read_content(device, &content) != 0 || strcmp(content.uuid, search->uuid) != 0)
        return TARGET_E_MISSING;
    (void)snprintf(search->device, DEVICE_PATH_MAX, "%s", device);
    return 0;
}

/* Whether the state is of the order, and about the disk it lies on; then the target is filled. */
static bool is_state_of(const struct search *search, const json_t *state)
{
    const json_t *target = json_object_get(state, "target");
    const char *order_id =
        json_string_value(json_object_get(json_object_get(state, "order"), "order_id"));
    const char *serial = json_string_value(json_object_get(target, "disk_serial"));
    const char *esp = json_string_value(json_object_get(target, "esp_uuid"));
    json_int_t size = json_integer_value(json_object_get(target, "disk_size_bytes"));

    if (!order_id || !serial || (search->order_id && strcmp(order_id, search->order_id) != 0) ||
        strcmp(serial, search->disk->serial) != 0 || size < 0 ||
        (uint64_t)size != search->disk->size_bytes)
        return false;
    (void)snprintf(
        search->target->esp_uuid, sizeof(search->target->esp_uuid), "%s", esp ? esp : "");
    return true;
}

static void fill_target(const struct search *search, const char *device, const char *uuid)
{
    struct step_target *target = search->target;

    (void)snprintf(target->disk, sizeof(target->disk), "/dev/%s", search->disk->name);
    (void)snprintf(target->disk_serial, sizeof(target->disk_serial), "%s", search->disk->serial);
    target->disk_size_bytes = search->disk->size_bytes;
    (void)snprintf(target->root_device, sizeof(target->root_device), "%s", device);
    (void)snprintf(target->root_uuid, sizeof(target->root_uuid), "%s", uuid);
    target->is_gpt = disk_is_gpt(target->disk);
    if (target->esp_uuid[0] != '\0') {
        struct search esp = {.uuid = target->esp_uuid, .device = target->esp_device};

        (void)each_partition(search->disk->name, look_for_uuid, &esp);
    }
}

/* Return: whether it is mounted at LOOK_FOLDER now, read-only. */
static bool mount_to_look(const char *device, struct disk_content *ret)
{
    if (disk_read_content(device, ret) != 0 || !is_root_type(ret->type))
        return false;
    return dir_make(LOOK_FOLDER, 0700) == 0 && mount(device,
                                                     LOOK_FOLDER,
                                                     ret->type,
                                                     MS_RDONLY | MS_NODEV | MS_NOEXEC | MS_NOSUID,
                                                     NULL) == 0;
}

static int look_for_state(void *ctx, const char *device)
{
    const struct search *search = ctx;
    struct disk_content content;
    size_t before = search->state->len;

    if (!mount_to_look(device, &content))
        return TARGET_E_MISSING;
    int r = file_read(LOOK_FOLDER "/" TARGET_STATE_FILE, search->state);

    (void)umount(LOOK_FOLDER);
    json_t *state = r == 0 ? json_loadb(search->state->ptr + before,
                                        search->state->len - before,
                                        JSON_REJECT_DUPLICATES,
                                        NULL)
                           : NULL;
    bool is_found = state && is_state_of(search, state);

    json_decref(state);
    if (!is_found) {
        buf_clear(search->state);
        return TARGET_E_MISSING;
    }
    fill_target(search, device, content.uuid);
    return 0;
}

int target_find_state(const struct machine *machine,
                      const char *order_id,
                      struct step_target *ret,
                      struct buf *ret_state)
{
    for (size_t i = 0; i < machine->n_disks; i++) {
        struct step_target found = {0};
        struct search search = {
            .disk = &machine->disks[i], .order_id = order_id, .target = &found, .state = ret_state};

        if (machine->disks[i].is_removable)
            continue;
        if (each_partition(machine->disks[i].name, look_for_state, &search) == 0) {
            *ret = found;
            return 0;
        }
    }
    return TARGET_E_MISSING;
}

static bool is_system(const char *root)
{
    static const char *const releases[] = {"etc/os-release", "usr/lib/os-release"};
    char path[PATH_MAX];
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s/etc", root);
    if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return false;
    for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", root, releases[i]);
        if (lstat(path, &st) == 0)
            return true;
    }
    return false;
}

struct system_search {
    const struct machine_disk *disk;
    const struct target_wish *wish;
    struct step_target found;
    unsigned n_found;
};

/* The number of a partition, from 1; 0: it has none. */
static uint64_t partition_number(const char *disk, const char *device)
{
    OWN(buf_fini) struct buf text = BUF_INIT(DEVICE_PATH_MAX);
    const char *name = strrchr(device, '/');
    char path[PATH_MAX];
    uint64_t n = 0;

    (void)snprintf(path, sizeof(path), "/sys/block/%s%s/partition", disk, name ? name : "/");
    if (file_read(path, &text) == 0 && text.len > 0)
        (void)bytes_parse_u64(
            (struct bytes){(const uint8_t *)text.ptr, strcspn(text.ptr, "\n")}, 1, INT_MAX, &n);
    return n;
}

static bool is_wanted(const struct system_search *search, const char *device)
{
    const struct target_wish *wish = search->wish;

    return (!wish->device || strcmp(wish->device, device) == 0) &&
           (wish->partition == 0 ||
            partition_number(search->disk->name, device) == wish->partition);
}

static int look_for_system(void *ctx, const char *device)
{
    struct system_search *search = ctx;
    struct disk_content content;
    bool has_system;

    if (!is_wanted(search, device) || !mount_to_look(device, &content))
        return TARGET_E_MISSING;
    has_system = is_system(LOOK_FOLDER);
    (void)umount(LOOK_FOLDER);
    if (has_system && search->n_found++ == 0) {
        const struct search here = {.disk = search->disk, .target = &search->found};

        fill_target(&here, device, content.uuid);
    }
    return TARGET_E_MISSING; /* perhaps there is another one */
}

struct number_search {
    const char *disk;
    size_t number;
    char *device; /* DEVICE_PATH_MAX */
};

static int look_for_number(void *ctx, const char *device)
{
    const struct number_search *search = ctx;

    if (partition_number(search->disk, device) != search->number)
        return TARGET_E_MISSING;
    (void)snprintf(search->device, DEVICE_PATH_MAX, "%s", device);
    return 0;
}

/* The EFI system partition of the disk, if it has one that can be used. */
static void find_esp(const struct machine_disk *disk, struct step_target *target)
{
    uint64_t offset;
    uint64_t size;
    struct disk_content content;
    struct number_search search = {.disk = disk->name, .device = target->esp_device};

    search.number = disk_find_partition(target->disk, DISK_TYPE_EFI, &offset, &size);
    if (search.number == 0 || each_partition(disk->name, look_for_number, &search) != 0)
        return;
    if (disk_read_content(target->esp_device, &content) == 0 && strcmp(content.type, "vfat") == 0)
        (void)snprintf(target->esp_uuid, sizeof(target->esp_uuid), "%s", content.uuid);
    else
        target->esp_device[0] = '\0';
}

int target_find_system(const struct machine *machine,
                       const struct target_wish *wish,
                       struct step_target *ret)
{
    const struct machine_disk *disk = NULL;
    struct system_search search = {.wish = wish};

    for (size_t i = 0; i < machine->n_disks; i++) {
        search.disk = &machine->disks[i];
        if (search.disk->is_removable || (wish->has_disk && wish->disk != i))
            continue;
        (void)each_partition(search.disk->name, look_for_system, &search);
        if (!disk && search.n_found > 0)
            disk = search.disk;
    }
    if (!disk)
        return TARGET_E_MISSING;
    if (search.n_found > 1)
        return TARGET_E_SEVERAL;
    *ret = search.found;
    ret->is_old = true;
    find_esp(disk, ret);
    return 0;
}
