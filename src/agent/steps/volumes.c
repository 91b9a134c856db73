/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/volumes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/run/machine.h"
#include "agent/run/target.h"
#include "base/bytes.h"
#include "base/err.h"
#include "image/disk_write.h"
#include "plat/file.h"
#include "ts/vars.h"

enum {
    VOLUMES_MAX = 256,
    NAME_MAX_BYTES = 64,
    NUMBER_TEXT_MAX = 24,
    DISK_NUMBER_MAX = 10000,
    PARTITION_NUMBER_MAX = 256,
};

#define BASE "_OSDVolumes"

static const char *get(const struct ts_vars *vars, size_t i, const char *property)
{
    return ts_vars_array(vars, BASE, i, property);
}

static int set(struct ts_vars *vars, size_t i, const char *property, const char *value)
{
    char name[NAME_MAX_BYTES];

    (void)snprintf(name, sizeof(name), BASE "%zu%s", i, property);
    int r = ts_vars_set(vars, name, value, TS_BY_ENGINE);

    return r > 0 ? ERR(-ENOSPC) : TRACE(r);
}

static int set_number(struct ts_vars *vars, size_t i, const char *property, uint64_t value)
{
    char text[NUMBER_TEXT_MAX];

    (void)snprintf(text, sizeof(text), "%" PRIu64, value);
    return TRACE(set(vars, i, property, text));
}

bool volumes_at(const struct ts_vars *vars, size_t i, struct volume *ret)
{
    const char *device = get(vars, i, "Device");

    *ret = (struct volume){0};
    if (device[0] == '\0' ||
        !bytes_parse_u64(bytes_of(get(vars, i, "Disk")), 0, DISK_NUMBER_MAX, &ret->disk) ||
        !bytes_parse_u64(
            bytes_of(get(vars, i, "Partition")), 1, PARTITION_NUMBER_MAX, &ret->partition))
        return false;
    (void)snprintf(ret->device, sizeof(ret->device), "%s", device);
    (void)snprintf(ret->uuid, sizeof(ret->uuid), "%s", get(vars, i, "UUID"));
    (void)snprintf(ret->disk_serial, sizeof(ret->disk_serial), "%s", get(vars, i, "DiskSerial"));
    ret->letter = get(vars, i, "Letter")[0];
    ret->has_data = get(vars, i, "HasData")[0] != '\0';
    return true;
}

static int put(struct ts_vars *vars, size_t i, const struct volume *volume)
{
    const char letter[] = {volume->letter, '\0'};
    int r = set(vars, i, "UUID", volume->uuid);

    if (r == 0)
        r = set(vars, i, "HasData", volume->has_data ? "true" : "");
    if (r == 0)
        r = set(vars, i, "DiskSerial", volume->disk_serial);
    if (r == 0)
        r = set(vars, i, "Letter", letter);
    if (r == 0)
        r = set_number(vars, i, "Disk", volume->disk);
    if (r == 0)
        r = set_number(vars, i, "Partition", volume->partition);
    return r == 0 ? TRACE(set(vars, i, "Device", volume->device)) : TRACE(r);
}

static int drop(struct ts_vars *vars, size_t i)
{
    static const char *const properties[] = {
        "Device", "UUID", "DiskSerial", "Letter", "HasData", "Disk", "Partition"};
    int r = 0;

    for (size_t p = 0; r == 0 && p < sizeof(properties) / sizeof(properties[0]); p++)
        r = set(vars, i, properties[p], "");
    return TRACE(r);
}

int volumes_forget(struct ts_vars *vars, uint64_t disk)
{
    struct volume volume;
    size_t n_kept = 0;
    int r = 0;

    for (size_t i = 0; r == 0 && volumes_at(vars, i, &volume); i++) {
        if (volume.disk != disk && i != n_kept)
            r = put(vars, n_kept, &volume);
        if (volume.disk != disk)
            n_kept++;
        if (r == 0 && i >= n_kept)
            r = drop(vars, i);
    }
    return TRACE(r);
}

/* As Windows PE: from C, without X, where it lives itself. */
static char free_letter(const struct ts_vars *vars)
{
    struct volume volume;

    for (const char *letter = "CDEFGHIJKLMNOPQRSTUVWYZ"; *letter != '\0'; letter++) {
        bool is_taken = false;

        for (size_t i = 0; !is_taken && volumes_at(vars, i, &volume); i++)
            is_taken = volume.letter == *letter;
        if (!is_taken)
            return *letter;
    }
    return '\0';
}

int volumes_add(struct ts_vars *vars, struct volume *volume, bool is_lettered)
{
    struct volume other;
    size_t n = 0;

    while (n < VOLUMES_MAX && volumes_at(vars, n, &other))
        n++;
    if (n == VOLUMES_MAX)
        return ERR(-ENOSPC);
    volume->letter = '\0';
    if (is_lettered)
        volume->letter = free_letter(vars);
    return TRACE(put(vars, n, volume));
}

int volumes_replace(struct ts_vars *vars, const struct volume *volume)
{
    struct volume other;

    for (size_t i = 0; volumes_at(vars, i, &other); i++)
        if (other.disk == volume->disk && other.partition == volume->partition)
            return TRACE(put(vars, i, volume));
    return VOLUMES_E_NONE;
}

int volumes_next(const struct ts_vars *vars, const struct step_target *target, struct volume *ret)
{
    for (size_t i = 0; volumes_at(vars, i, ret); i++)
        if (ret->letter != '\0' && ret->uuid[0] != '\0' && !ret->has_data &&
            strcmp(ret->uuid, target->root_uuid) != 0 && strcmp(ret->uuid, target->esp_uuid) != 0)
            return 0;
    return VOLUMES_E_NONE;
}

/* "c:", "C:\" -> 'C' */
static char letter_of(const char *name)
{
    char letter = name[0];

    if (letter >= 'a' && letter <= 'z')
        letter = (char)(letter - 'a' + 'A');
    if (letter < 'A' || letter > 'Z')
        return '\0';
    if (name[1] != '\0' && strcmp(name + 1, ":") != 0 && strcmp(name + 1, ":\\") != 0)
        return '\0';
    return letter;
}

int volumes_find(const struct ts_vars *vars, const char *name, struct volume *ret)
{
    char letter = letter_of(name);

    for (size_t i = 0; volumes_at(vars, i, ret); i++)
        if (letter != '\0' ? ret->letter == letter : strcmp(ret->device, name) == 0)
            return 0;
    return VOLUMES_E_NONE;
}

int volumes_find_number(const struct ts_vars *vars,
                        uint64_t disk,
                        uint64_t partition,
                        struct volume *ret)
{
    for (size_t i = 0; volumes_at(vars, i, ret); i++)
        if (ret->disk == disk && ret->partition == partition)
            return 0;
    return VOLUMES_E_NONE;
}

static bool holds(const char *device, const struct volume *volume)
{
    struct disk_content content;

    return volume->uuid[0] != '\0' && disk_read_content(device, &content) == 0 &&
           strcmp(content.uuid, volume->uuid) == 0;
}

int volumes_locate(const struct machine *machine, struct volume *volume)
{
    if (holds(volume->device, volume))
        return 0;
    for (size_t i = 0; i < machine->n_disks; i++) {
        const struct machine_disk *disk = &machine->disks[i];
        char path[DEVICE_PATH_MAX];
        char device[DEVICE_PATH_MAX];

        if (disk->is_removable || strcmp(disk->serial, volume->disk_serial) != 0)
            continue;
        (void)snprintf(path, sizeof(path), "/dev/%s", disk->name);
        disk_partition_path(path, (size_t)volume->partition, device, sizeof(device));
        if (file_exists(device) && holds(device, volume)) {
            memcpy(volume->device, device, sizeof(device));
            return 0;
        }
    }
    return VOLUMES_E_NONE;
}

/* Return: 0, VOLUMES_E_NONE or, if the step names no destination, -ENOENT. @ret_name: for people */
static int find_destination(struct step_context *c, struct volume *ret, const char **ret_name)
{
    const char *variable = step_value(c, "DestinationVariable");
    const char *drive = step_value(c, "DestinationLogicalDrive");
    const char *disk = step_value(c, "DestinationDisk");
    const char *partition = step_value(c, "DestinationPartition");
    uint64_t disk_number;
    uint64_t partition_number;

    if (variable[0] != '\0') {
        *ret_name = variable;
        return volumes_find(c->vars, ts_vars_get(c->vars, variable), ret);
    }
    *ret_name = drive;
    if (drive[0] != '\0')
        return volumes_find(c->vars, drive, ret);
    *ret_name = partition;
    if (disk[0] == '\0' && partition[0] == '\0')
        return -ENOENT;
    if (!bytes_parse_u64(bytes_of(disk), 0, DISK_NUMBER_MAX, &disk_number) ||
        !bytes_parse_u64(bytes_of(partition), 1, PARTITION_NUMBER_MAX, &partition_number))
        return VOLUMES_E_NONE;
    return volumes_find_number(c->vars, disk_number, partition_number, ret);
}

int volumes_destination(struct step_context *c, struct volume *ret, struct step_result *result)
{
    const char *name = "";
    int r = find_destination(c, ret, &name);

    if (r == -ENOENT)
        return VOLUMES_E_NONE;
    if (r == 0)
        r = volumes_locate(c->machine, ret);
    if (r <= 0)
        return TRACE(r);
    (void)step_fail(
        result,
        "SLW-0459",
        "The step's destination \"%s\" (disk \"%s\") is no volume that Format and "
        "Partition Disk has made here: correct the destination, or put that step before",
        name,
        step_value(c, "DestinationDisk"));
    return VOLUMES_E_NONE;
}

static const struct machine_disk *disk_of(const struct machine *machine,
                                          const struct volume *volume)
{
    for (size_t i = 0; i < machine->n_disks; i++) {
        char path[DEVICE_PATH_MAX];
        char device[DEVICE_PATH_MAX];

        (void)snprintf(path, sizeof(path), "/dev/%s", machine->disks[i].name);
        disk_partition_path(path, (size_t)volume->partition, device, sizeof(device));
        if (strcmp(device, volume->device) == 0)
            return &machine->disks[i];
    }
    return NULL;
}

static bool is_for_linux(const char *device)
{
    struct disk_content content;

    return disk_read_content(device, &content) == 0 &&
           (strcmp(content.type, "ext4") == 0 || strcmp(content.type, "xfs") == 0 ||
            strcmp(content.type, "btrfs") == 0);
}

static bool find_esp(struct step_target *target)
{
    struct disk_content content;
    uint64_t offset;
    uint64_t bytes;
    size_t number = disk_find_partition(target->disk, DISK_TYPE_EFI, &offset, &bytes);

    if (number == 0)
        return false;
    disk_partition_path(target->disk, number, target->esp_device, sizeof(target->esp_device));
    if (disk_read_content(target->esp_device, &content) != 0)
        return false;
    (void)snprintf(target->esp_uuid, sizeof(target->esp_uuid), "%s", content.uuid);
    return true;
}

/* Return: NULL, or why it cannot be. */
static const char *
describe_target(const struct step_context *c, const struct volume *volume, struct step_target *ret)
{
    const struct machine_disk *disk = disk_of(c->machine, volume);

    if (!disk)
        return "lies on no disk of this computer";
    *ret = (struct step_target){.disk_size_bytes = disk->size_bytes};
    (void)snprintf(ret->disk, sizeof(ret->disk), "/dev/%s", disk->name);
    (void)snprintf(ret->disk_serial, sizeof(ret->disk_serial), "%s", disk->serial);
    (void)snprintf(ret->root_device, sizeof(ret->root_device), "%s", volume->device);
    (void)snprintf(ret->root_uuid, sizeof(ret->root_uuid), "%s", volume->uuid);
    ret->is_gpt = disk_is_gpt(ret->disk);
    if (!is_for_linux(volume->device))
        return "has no file system that Linux can live on (ext4, xfs, btrfs)";
    if (c->machine->is_uefi && !find_esp(ret))
        return "lies on a disk without an EFI system partition";
    return NULL;
}

int volumes_take_target(struct step_context *c,
                        const struct volume *volume,
                        struct step_result *result)
{
    struct step_target to;

    if (strcmp(volume->uuid, c->target->root_uuid) == 0)
        return 0;
    const char *why = describe_target(c, volume, &to);
    int r = why ? 0 : target_move(c->target, &to);

    if (r < 0)
        return TRACE(r);
    if (r > 0)
        why = "cannot be mounted";
    if (!why) {
        c->log(c->ctx, "The operating system goes to %s", volume->device);
        return 0;
    }
    (void)step_fail(result,
                    "SLW-0459",
                    "The step's destination %s %s: correct it. Nothing was written",
                    volume->device,
                    why);
    return VOLUMES_E_NONE;
}
