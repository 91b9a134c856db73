/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "agent/facts/parts.h"
#include "agent/run/sysfs.h"
#include "base/buf.h"
#include "base/own.h"

enum {
    SECTOR_OF_SYSFS = 512, /* "size" and "start" count these */
    DRIVE_REMOVABLE = 2,   /* Win32_LogicalDisk.DriveType */
    DRIVE_FIXED = 3,
    MOUNTS_MAX = 256,
    TEXT_MAX = 512,
};

static const char *bus_of(const struct machine_disk *disk)
{
    if (disk->is_removable)
        return "USB";
    return strncmp(disk->name, "hd", 2) == 0 ? "IDE"
                                             : "SCSI"; /* Windows shows SATA, NVMe and virtio so */
}

static void put_partition(struct gather *g, size_t disk, const char *name, unsigned index)
{
    struct ts_instance *i = gather_add(g, "Win32_DiskPartition");
    char text[64];

    (void)snprintf(text, sizeof(text), "Disk #%zu, Partition #%u", disk, index);
    gather_text(g, i, "Name", text);
    gather_text(g, i, "DeviceID", text);
    gather_number(g, i, "DiskIndex", disk);
    gather_number(g, i, "Index", index);
    gather_number(
        g, i, "Size", sys_number(g->root, "sys/class/block", name, "size") * SECTOR_OF_SYSFS);
    gather_number(g,
                  i,
                  "StartingOffset",
                  sys_number(g->root, "sys/class/block", name, "start") * SECTOR_OF_SYSFS);
    ts_instance_add_null(g->table, i, "Type");
    ts_instance_add_null(g->table, i, "Bootable");
    ts_instance_add_null(g->table, i, "BootPartition");
    ts_instance_add_null(g->table, i, "PrimaryPartition");
}

/* Return: how many. */
static unsigned put_partitions(struct gather *g, size_t disk)
{
    const char *disk_name = g->machine->disks[disk].name;
    struct dirent **names = NULL;
    char folder[TEXT_MAX];
    unsigned n_partitions = 0;

    (void)snprintf(folder, sizeof(folder), "sys/block/%s", disk_name);

    int n = sys_list(g->root, folder, &names);

    for (int i = 0; i < n; i++)
        if (strncmp(names[i]->d_name, disk_name, strlen(disk_name)) == 0 &&
            sys_exists(g->root, folder, names[i]->d_name, "partition"))
            put_partition(g, disk, names[i]->d_name, n_partitions++);
    sys_free_names(&names, n);
    return n_partitions;
}

static void put_disk(struct gather *g, size_t index)
{
    const struct machine_disk *disk = &g->machine->disks[index];
    struct ts_instance *i = gather_add(g, "Win32_DiskDrive");
    char text[64];

    (void)snprintf(text, sizeof(text), "\\\\.\\PHYSICALDRIVE%zu", index);
    gather_text(g, i, "DeviceID", text);
    gather_text(g, i, "Name", text);
    gather_number(g, i, "Index", index);
    gather_text(g, i, "Model", disk->model);
    gather_text(g, i, "Caption", disk->model);
    gather_text(g, i, "SerialNumber", disk->serial);
    gather_number(g, i, "Size", disk->size_bytes);
    gather_number(g, i, "BytesPerSector", disk->sector_bytes);
    gather_text(g, i, "InterfaceType", bus_of(disk));
    gather_text(
        g, i, "MediaType", disk->is_removable ? "Removable Media" : "Fixed hard disk media");
    gather_number(g, i, "Partitions", put_partitions(g, index));
    gather_text(g, i, "Status", "OK");
    gather_text(g, i, "Description", "Disk drive");
    gather_number(
        g, i, "TotalSectors", disk->sector_bytes > 0 ? disk->size_bytes / disk->sector_bytes : 0);
    ts_instance_add_boolean(g->table, i, "MediaLoaded", true);
    sys_line(g->root, "sys/block", disk->name, "device/firmware_rev", text, sizeof(text));
    if (text[0] == '\0')
        sys_line(g->root, "sys/block", disk->name, "device/rev", text, sizeof(text));
    gather_text(g, i, "FirmwareRevision", text);
    gather_nulls(g,
                 i,
                 "PNPDeviceID Manufacturer Signature SCSIBus SCSILogicalUnit SCSIPort SCSITargetId "
                 "Capabilities");
}

static bool is_on_removable(const struct gather *g, const char *device)
{
    for (size_t i = 0; i < g->machine->n_disks; i++)
        if (g->machine->disks[i].is_removable &&
            strncmp(device, g->machine->disks[i].name, strlen(g->machine->disks[i].name)) == 0)
            return true;
    return false;
}

/* As Windows spells it. */
static void put_file_system(struct gather *g, struct ts_instance *i, const char *kind)
{
    char text[32] = "";

    if (strcmp(kind, "vfat") == 0)
        kind = "fat32";
    else if (strcmp(kind, "ntfs3") == 0 || strcmp(kind, "fuseblk") == 0)
        kind = "ntfs";
    for (size_t k = 0; kind[k] != '\0' && k < sizeof(text) - 1; k++)
        text[k] = (char)(kind[k] >= 'a' && kind[k] <= 'z' ? kind[k] - ('a' - 'A') : kind[k]);
    gather_text(g, i, "FileSystem", text);
}

static void put_volume(struct gather *g, const char *device, const char *mount, const char *kind)
{
    struct ts_instance *disk;
    struct ts_instance *volume;
    struct statvfs st;
    char path[PATH_MAX];
    unsigned type = is_on_removable(g, device) ? DRIVE_REMOVABLE : DRIVE_FIXED;

    if (snprintf(path, sizeof(path), "%s%s", g->root, mount) >= (int)sizeof(path) ||
        statvfs(path, &st) != 0)
        return;
    disk = gather_add(g, "Win32_LogicalDisk");
    gather_text(g, disk, "DeviceID", mount);
    gather_text(g, disk, "Name", mount);
    gather_text(g, disk, "Caption", mount);
    gather_number(g, disk, "DriveType", type);
    gather_number(g, disk, "Size", (uint64_t)st.f_blocks * st.f_frsize);
    gather_number(g, disk, "FreeSpace", (uint64_t)st.f_bavail * st.f_frsize);
    put_file_system(g, disk, kind);
    gather_text(
        g, disk, "Description", type == DRIVE_FIXED ? "Local Fixed Disk" : "Removable Disk");
    gather_nulls(
        g, disk, "VolumeName VolumeSerialNumber ProviderName MediaType Compressed VolumeDirty");
    volume = gather_add(g, "Win32_Volume");
    gather_text(g, volume, "DeviceID", device);
    gather_text(g, volume, "Name", mount);
    gather_number(g, volume, "DriveType", type);
    gather_number(g, volume, "Capacity", (uint64_t)st.f_blocks * st.f_frsize);
    gather_number(g, volume, "FreeSpace", (uint64_t)st.f_bavail * st.f_frsize);
    gather_number(g, volume, "BlockSize", st.f_bsize);
    put_file_system(g, volume, kind);
    gather_nulls(
        g, volume, "DriveLetter Label SerialNumber BootVolume SystemVolume Compressed DirtyBitSet");
}

/* The next word of a line, cut off in place; NULL at its end. */
static char *take_word(char **line)
{
    char *word = *line + strspn(*line, " ");
    size_t len = strcspn(word, " ");

    if (len == 0)
        return NULL;
    *line = word + len + (word[len] != '\0' ? 1 : 0);
    word[len] = '\0';
    return word;
}

static void put_mount(struct gather *g, char *line)
{
    static const char devices[] = "/dev/";
    char *device = take_word(&line);
    char *mount = device ? take_word(&line) : NULL;
    char *kind = mount ? take_word(&line) : NULL;

    if (kind && strncmp(device, devices, sizeof(devices) - 1) == 0 &&
        strncmp(device, "/dev/loop", 9) != 0)
        put_volume(g, device + sizeof(devices) - 1, mount, kind);
}

static void put_volumes(struct gather *g)
{
    OWN(buf_fini) struct buf text = BUF_INIT(SYS_FILE_MAX);
    unsigned n = 0;

    gather_class(g, "Win32_LogicalDisk");
    gather_class(g, "Win32_Volume");
    sys_read(g->root, "proc/mounts", &text);
    if (!text.ptr)
        return;
    for (char *line = text.ptr; *line != '\0' && n < MOUNTS_MAX; n++) {
        size_t len = strcspn(line, "\n");
        char *next = line + len + (line[len] == '\n' ? 1 : 0);

        line[len] = '\0';
        put_mount(g, line);
        line = next;
    }
}

void gather_disks(struct gather *g)
{
    gather_class(g, "Win32_DiskDrive");
    gather_class(g, "Win32_DiskPartition");
    for (size_t i = 0; i < g->machine->n_disks; i++)
        put_disk(g, i);
    put_volumes(g);
}
