/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/run/machine.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "image/disk_write.h"
#include "image/ntfs_find.h"
#include "image/ntfs_free.h"
#include "plat/file.h"

#define LOOK_FOLDER "/run/slipway/look"

enum {
    STATE_FILE_MAX = 16 * 1024 * 1024,
    MOUNT_LINE_MAX = 16 * 1024,
};

static void endmntentp(FILE **mounts)
{
    if (*mounts)
        (void)endmntent(*mounts);
}

static int add_text(const char *text, size_t len, void *ctx)
{
    buf_add(ctx, (struct bytes){(const uint8_t *)text, len});
    return 0;
}

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

static bool is_below(const char *path, const char *root)
{
    size_t len = strlen(root);

    return strncmp(path, root, len) == 0 && (len == 0 || path[len] == '/' || path[len] == '\0');
}

int target_settle(const char *root)
{
    static const char devices[] = "/dev/";
    OWN(endmntentp) FILE *mounts = setmntent("/proc/self/mounts", "re");
    struct mntent entry;
    char line[MOUNT_LINE_MAX];
    int r = mounts ? 0 : ERR(-errno);

    while (mounts && getmntent_r(mounts, &entry, line, sizeof(line))) {
        bool is_ours = strncmp(entry.mnt_fsname, devices, sizeof(devices) - 1) == 0 &&
                       is_below(entry.mnt_dir, root);
        OWN(fd_closep)
        int fd = is_ours ? open(entry.mnt_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

        if (fd >= 0 && syncfs(fd) != 0)
            r = ERR(-errno);
    }
    return r;
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

/* The state as it is to be on the new volume; nothing if there is none yet. Return: 0 or -errno. */
static int write_moved(const struct buf *old, const struct step_target *to)
{
    OWN(buf_fini) struct buf text = BUF_INIT(STATE_FILE_MAX);
    OWN(json_decrefp) json_t *state = json_loadb(old->ptr, old->len, JSON_REJECT_DUPLICATES, NULL);
    OWN(json_decrefp)
    json_t *target = json_pack("{s:s,s:I,s:s,s:s}",
                               "disk_serial",
                               to->disk_serial,
                               "disk_size_bytes",
                               (json_int_t)to->disk_size_bytes,
                               "root_uuid",
                               to->root_uuid,
                               "esp_uuid",
                               to->esp_uuid);

    if (!state || !target || json_object_set(state, "target", target) != 0)
        return ERR(-EIO);
    if (json_dump_callback(state, add_text, &text, JSON_COMPACT) != 0 || text.failed)
        return ERR(-ENOMEM);
    int r = dir_make(TARGET_ROOT "/" TARGET_STATE_FOLDER, 0700);

    return r < 0 ? TRACE(r)
                 : TRACE(file_write(TARGET_ROOT "/" TARGET_STATE_FILE, buf_bytes(&text), 0600));
}

static int forget_state(const char *device)
{
    OWN(fd_closep) int folder = -1;
    int r = mount_device(device, LOOK_FOLDER, MS_NODEV | MS_NOEXEC | MS_NOSUID);

    if (r != 0)
        return r < 0 ? TRACE(r) : ERR(-EIO);
    if (unlink(LOOK_FOLDER "/" TARGET_STATE_FILE) != 0 && errno != ENOENT)
        r = ERR(-errno);
    folder = open(LOOK_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r == 0 && (folder < 0 || syncfs(folder) != 0))
        r = ERR(-errno);
    fd_closep(&folder);
    if (umount(LOOK_FOLDER) != 0 && r == 0)
        r = ERR(-errno);
    return TRACE(r);
}

int target_move(struct step_target *target, struct step_target *to)
{
    OWN(buf_fini) struct buf state = BUF_INIT(STATE_FILE_MAX);
    bool has_state = target->is_mounted && file_exists(TARGET_ROOT "/" TARGET_STATE_FILE);
    int r = has_state ? file_read(TARGET_ROOT "/" TARGET_STATE_FILE, &state) : 0;

    if (r == 0)
        r = target_unmount(target);
    if (r < 0)
        return TRACE(r);
    r = target_mount(to);
    if (r != 0) {
        (void)target_mount(target);
        return TRACE(r);
    }
    if (has_state)
        r = write_moved(&state, to);
    if (r == 0 && has_state)
        r = forget_state(target->root_device);
    if (r == 0)
        *target = *to;
    return TRACE(r);
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

int target_each_partition(const char *disk, int (*look)(void *ctx, const char *device), void *ctx)
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

struct uuid_search {
    const char *uuid; /* of the file system looked for */
    char *device;     /* where to put its path, DEVICE_PATH_MAX */
};

struct search {
    const struct machine_disk *disk;
    const char *order_id;
    struct step_target *target; /* the newest state's, and the next two */
    struct buf text;
    json_int_t seq; /* -1: none yet */
};

static void search_fini(struct search *search)
{
    buf_fini(&search->text);
}

static int look_for_uuid(void *ctx, const char *device)
{
    const struct uuid_search *search = ctx;
    struct disk_content content;

    if (disk_read_content(device, &content) != 0 || strcmp(content.uuid, search->uuid) != 0)
        return TARGET_E_MISSING;
    (void)snprintf(search->device, DEVICE_PATH_MAX, "%s", device);
    return 0;
}

/* Whether the state is of the order, about the disk it lies on, and newer than what was found before. */
static bool is_better(const struct search *search, const json_t *state)
{
    const json_t *target = json_object_get(state, "target");
    const char *order_id =
        json_string_value(json_object_get(json_object_get(state, "order"), "order_id"));
    const char *serial = json_string_value(json_object_get(target, "disk_serial"));
    json_int_t size = json_integer_value(json_object_get(target, "disk_size_bytes"));

    return order_id && serial && (!search->order_id || strcmp(order_id, search->order_id) == 0) &&
           strcmp(serial, search->disk->serial) == 0 && size >= 0 &&
           (uint64_t)size == search->disk->size_bytes &&
           json_integer_value(json_object_get(state, "seq")) > search->seq;
}

/* @state: where the ESP is said; NULL: nowhere */
static void
fill_target(const struct search *search, const json_t *state, const char *device, const char *uuid)
{
    struct step_target *target = search->target;
    const char *esp_uuid =
        json_string_value(json_object_get(json_object_get(state, "target"), "esp_uuid"));

    *target = (struct step_target){.disk_size_bytes = search->disk->size_bytes};
    (void)snprintf(target->disk, sizeof(target->disk), "/dev/%s", search->disk->name);
    (void)snprintf(target->disk_serial, sizeof(target->disk_serial), "%s", search->disk->serial);
    (void)snprintf(target->root_device, sizeof(target->root_device), "%s", device);
    (void)snprintf(target->root_uuid, sizeof(target->root_uuid), "%s", uuid);
    (void)snprintf(target->esp_uuid, sizeof(target->esp_uuid), "%s", esp_uuid ? esp_uuid : "");
    target->is_gpt = disk_is_gpt(target->disk);
    if (target->esp_uuid[0] != '\0') {
        struct uuid_search esp = {target->esp_uuid, target->esp_device};

        (void)target_each_partition(search->disk->name, look_for_uuid, &esp);
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

/* Return: TARGET_E_MISSING, so that all are looked at, or -errno. */
static int look_for_state(void *ctx, const char *device)
{
    struct search *search = ctx;
    struct disk_content content;
    OWN(buf_fini) struct buf text = BUF_INIT(search->text.max);
    OWN(json_decrefp) json_t *state = NULL;

    if (!mount_to_look(device, &content))
        return TARGET_E_MISSING;
    int r = file_read(LOOK_FOLDER "/" TARGET_STATE_FILE, &text);

    (void)umount(LOOK_FOLDER);
    if (r == 0)
        state = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (!state || !is_better(search, state))
        return TARGET_E_MISSING;
    search->seq = json_integer_value(json_object_get(state, "seq"));
    buf_clear(&search->text);
    buf_add(&search->text, buf_bytes(&text));
    fill_target(search, state, device, content.uuid);
    return search->text.failed ? ERR(-ENOMEM) : TARGET_E_MISSING;
}

int target_find_state(const struct machine *machine,
                      const char *order_id,
                      struct step_target *ret,
                      struct buf *ret_state)
{
    struct step_target found = {0};
    OWN(search_fini)
    struct search search = {
        .order_id = order_id, .target = &found, .text = BUF_INIT(ret_state->max), .seq = -1};

    for (size_t i = 0; i < machine->n_disks; i++) {
        search.disk = &machine->disks[i];
        if (search.disk->is_removable)
            continue;
        int r = target_each_partition(search.disk->name, look_for_state, &search);

        if (r < 0)
            return TRACE(r);
    }
    if (search.seq < 0)
        return TARGET_E_MISSING;
    *ret = found;
    buf_add(ret_state, buf_bytes(&search.text));
    return ret_state->failed ? ERR(-ENOMEM) : 0;
}

static int look_for_room(void *ctx, const char *device)
{
    uint64_t *most = ctx;
    uint64_t n = 0;
    struct disk_content content;
    struct statvfs st;

    if (mount_to_look(device, &content)) {
        if (statvfs(LOOK_FOLDER, &st) == 0)
            n = (uint64_t)st.f_bavail * st.f_frsize;
        (void)umount(LOOK_FOLDER);
    } else if (disk_read_content(device, &content) == 0 && strcmp(content.type, "ntfs") == 0) {
        n = ntfs_free_bytes(device);
    }
    *most = n > *most ? n : *most;
    return TARGET_E_MISSING;
}

uint64_t target_most_free(const struct machine *machine)
{
    uint64_t most = 0;

    for (size_t i = 0; i < machine->n_disks; i++)
        if (!machine->disks[i].is_removable)
            (void)target_each_partition(machine->disks[i].name, look_for_room, &most);
    return most;
}

static int look_for_windows(void *ctx, const char *device)
{
    static const char *const files[] = {
        "Windows/System32/ntoskrnl.exe", "Windows/System32/config/SOFTWARE", NULL};
    char *ret = ctx;
    struct disk_content content;

    if (disk_read_content(device, &content) != 0 || strcmp(content.type, "ntfs") != 0 ||
        !ntfs_has_files(device, files))
        return TARGET_E_MISSING;
    (void)snprintf(ret, TARGET_DEVICE_MAX, "%s", device);
    return 0;
}

bool target_find_windows(const struct machine *machine, char ret[static TARGET_DEVICE_MAX])
{
    int r = TARGET_E_MISSING;

    ret[0] = '\0';
    for (size_t i = 0; i < machine->n_disks && r == TARGET_E_MISSING; i++)
        if (!machine->disks[i].is_removable)
            r = target_each_partition(machine->disks[i].name, look_for_windows, ret);
    return r == 0;
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

        fill_target(&here, NULL, device, content.uuid);
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

void target_find_esp(const struct machine_disk *disk, struct step_target *target)
{
    uint64_t offset;
    uint64_t size;
    struct disk_content content;
    struct number_search search = {.disk = disk->name, .device = target->esp_device};

    search.number = disk_find_partition(target->disk, DISK_TYPE_EFI, &offset, &size);
    if (search.number == 0 || target_each_partition(disk->name, look_for_number, &search) != 0)
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
        (void)target_each_partition(search.disk->name, look_for_system, &search);
        if (!disk && search.n_found > 0)
            disk = search.disk;
    }
    if (!disk)
        return TARGET_E_MISSING;
    if (search.n_found > 1)
        return TARGET_E_SEVERAL;
    *ret = search.found;
    ret->is_old = true;
    target_find_esp(disk, ret);
    return 0;
}
