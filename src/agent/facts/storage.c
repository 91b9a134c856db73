/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Disks as the namespaces of storage and BitLocker show them, and drives for CDs. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/facts/parts.h"
#include "agent/run/sysfs.h"
#include "base/bytes.h"
#include "base/own.h"
#include "plat/file.h"

#define SPINDLE_UNKNOWN UINT32_MAX /* MSFT_PhysicalDisk.SpindleSpeed */

enum {
    BUS_SCSI = 1, /* MSFT_Disk.BusType */
    BUS_USB = 7,
    BUS_SATA = 11,
    BUS_SD = 12,
    BUS_NVME = 17,
    STYLE_RAW = 0, /* MSFT_Disk.PartitionStyle */
    STYLE_MBR = 1,
    STYLE_GPT = 2,
    MEDIA_HDD = 3, /* MSFT_PhysicalDisk.MediaType */
    MEDIA_SSD = 4,
    ONLINE = 0xd010,    /* MSFT_Disk.OperationalStatus */
    PHYSICAL_OK = 2,    /* the same of a physical disk */
    PROTECTION_OFF = 0, /* Win32_EncryptableVolume.ProtectionStatus */
    PROTECTION_ON = 1,
    PROTECTION_UNKNOWN = 2, /* locked */
    HEAD_BYTES = 8192,      /* enough for the second sector, whatever its size */
    SIGNATURE_AT = 510,
    TEXT_MAX = 512,
    SECTOR_OF_SYSFS = 512,
};

static unsigned bus_type(const struct machine_disk *disk)
{
    static const struct {
        const char *transport;
        unsigned type;
    } types[] = {{"usb", BUS_USB}, {"sata", BUS_SATA}, {"mmc", BUS_SD}, {"nvme", BUS_NVME}};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(disk->transport, types[i].transport) == 0)
            return types[i].type;
    return BUS_SCSI;
}

/* The beginning of a device; what cannot be read is zero. */
static void read_head(const struct gather *g, const char *name, uint8_t head[static HEAD_BYTES])
{
    char path[TEXT_MAX];
    OWN(fd_closep) int fd = -1;

    memset(head, 0, HEAD_BYTES);
    if (snprintf(path, sizeof(path), "%s/dev/%s", g->root, name) >= (int)sizeof(path))
        return;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && pread(fd, head, HEAD_BYTES, 0) < 0)
        memset(head, 0, HEAD_BYTES);
}

static unsigned partition_style(const struct gather *g, const struct machine_disk *disk)
{
    static const char gpt[] = "EFI PART";
    uint8_t head[HEAD_BYTES];

    read_head(g, disk->name, head);
    if (disk->sector_bytes <= HEAD_BYTES - sizeof(gpt) &&
        memcmp(head + disk->sector_bytes, gpt, sizeof(gpt) - 1) == 0)
        return STYLE_GPT;
    return head[SIGNATURE_AT] == 0x55 && head[SIGNATURE_AT + 1] == 0xaa ? STYLE_MBR : STYLE_RAW;
}

/* Whether a volume of it is mounted there. */
static bool has_mount(const struct gather *g, const struct machine_disk *disk, const char *folder)
{
    OWN(buf_fini) struct buf text = BUF_INIT(SYS_FILE_MAX);
    char device[MACHINE_NAME_MAX + 8];
    char place[64];

    (void)snprintf(device, sizeof(device), "/dev/%s", disk->name);
    (void)snprintf(place, sizeof(place), " %s ", folder);
    sys_read(g->root, "proc/mounts", &text);
    for (const char *line = buf_str(&text); *line != '\0';) {
        size_t len = strcspn(line, "\n");
        const char *space = memchr(line, ' ', len);

        if (strncmp(line, device, strlen(device)) == 0 && space &&
            strncmp(space, place, strlen(place)) == 0)
            return true;
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    return false;
}

/* What both classes of disks have. */
static struct ts_instance *begin_disk(struct gather *g, size_t index, const char *class_name)
{
    const struct machine_disk *disk = &g->machine->disks[index];
    struct ts_instance *i =
        ts_class_add(g->table, ts_table_class(g->table, TS_STORAGE, class_name));
    uint64_t physical = sys_number(g->root, "sys/block", disk->name, "queue/physical_block_size");

    gather_text(g, i, "FriendlyName", disk->model);
    gather_text(g, i, "Model", disk->model);
    gather_text(g, i, "SerialNumber", disk->serial);
    gather_number(g, i, "Size", disk->size_bytes);
    gather_number(g, i, "BusType", bus_type(disk));
    gather_number(g, i, "LogicalSectorSize", disk->sector_bytes);
    gather_number(g, i, "PhysicalSectorSize", physical > 0 ? physical : disk->sector_bytes);
    gather_number(g, i, "HealthStatus", 0);
    ts_instance_add_null(g->table, i, "UniqueId");
    ts_instance_add_null(g->table, i, "Manufacturer");
    return i;
}

static size_t count_partitions(const struct gather *g, const struct machine_disk *disk)
{
    const struct ts_class *drives = ts_table_find(g->table, TS_CIMV2, "Win32_DiskDrive");
    size_t index = (size_t)(disk - g->machine->disks);
    const struct ts_property *n = drives && index < drives->n_instances
                                      ? ts_instance_find(drives->instances[index], "Partitions")
                                      : NULL;

    return n && n->n_values > 0 ? (size_t)n->values[0].number : 0;
}

static void put_disk(struct gather *g, size_t index)
{
    const struct machine_disk *disk = &g->machine->disks[index];
    struct ts_instance *i = begin_disk(g, index, "MSFT_Disk");
    bool is_boot = has_mount(g, disk, "/");

    gather_number(g, i, "Number", index);
    gather_number(g, i, "PartitionStyle", partition_style(g, disk));
    gather_number(g, i, "NumberOfPartitions", count_partitions(g, disk));
    ts_instance_add_boolean(g->table, i, "IsBoot", is_boot);
    ts_instance_add_boolean(g->table, i, "BootFromDisk", is_boot);
    ts_instance_add_boolean(g->table, i, "IsSystem", is_boot || has_mount(g, disk, "/boot/efi"));
    ts_instance_add_boolean(
        g->table, i, "IsReadOnly", sys_number(g->root, "sys/block", disk->name, "ro") != 0);
    ts_instance_add_boolean(g->table, i, "IsOffline", false);
    ts_instance_add_array(g->table, i, "OperationalStatus");
    gather_number(g, i, "OperationalStatus", ONLINE);
    ts_instance_add_null(g->table, i, "Location");
}

static void put_physical_disk(struct gather *g, size_t index)
{
    const struct machine_disk *disk = &g->machine->disks[index];
    struct ts_instance *i = begin_disk(g, index, "MSFT_PhysicalDisk");
    bool is_rotating = sys_number(g->root, "sys/block", disk->name, "queue/rotational") != 0;
    char text[TEXT_MAX];

    (void)snprintf(text, sizeof(text), "%zu", index);
    gather_text(g, i, "DeviceId", text);
    gather_number(g, i, "MediaType", is_rotating ? MEDIA_HDD : MEDIA_SSD);
    gather_number(g, i, "SpindleSpeed", is_rotating ? SPINDLE_UNKNOWN : 0);
    sys_line(g->root, "sys/block", disk->name, "device/firmware_rev", text, sizeof(text));
    if (text[0] == '\0')
        sys_line(g->root, "sys/block", disk->name, "device/rev", text, sizeof(text));
    gather_text(g, i, "FirmwareVersion", text);
    ts_instance_add_array(g->table, i, "OperationalStatus");
    gather_number(g, i, "OperationalStatus", PHYSICAL_OK);
    ts_instance_add_null(g->table, i, "CanPool");
}

/* What lies on it and can be encrypted: volumes of Windows, and Linux' own encrypted ones. */
static void put_encryptable(struct gather *g, const char *name)
{
    static const struct {
        size_t at;
        const char *signature;
        unsigned status;
    } kinds[] = {
        {3, "-FVE-FS-", PROTECTION_UNKNOWN},
        {3, "NTFS    ", PROTECTION_OFF},
        {0, "LUKS\xba\xbe", PROTECTION_ON},
    };
    uint8_t head[HEAD_BYTES];

    read_head(g, name, head);
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        struct ts_instance *i;

        if (memcmp(head + kinds[k].at, kinds[k].signature, strlen(kinds[k].signature)) != 0)
            continue;
        i = ts_class_add(g->table,
                         ts_table_class(g->table, TS_BITLOCKER, "Win32_EncryptableVolume"));
        gather_text(g, i, "DeviceID", name);
        gather_number(g, i, "ProtectionStatus", kinds[k].status);
        ts_instance_add_boolean(
            g->table, i, "IsVolumeInitializedForProtection", kinds[k].status != PROTECTION_OFF);
        ts_instance_add_null(g->table, i, "DriveLetter");
        ts_instance_add_null(g->table, i, "EncryptionMethod");
        ts_instance_add_null(g->table, i, "ConversionStatus");
        ts_instance_add_null(g->table, i, "PersistentVolumeID");
        return;
    }
}

static void put_encryptables(struct gather *g, const char *disk)
{
    struct dirent **names = NULL;
    char folder[TEXT_MAX];

    (void)snprintf(folder, sizeof(folder), "sys/block/%s", disk);

    int n = sys_list(g->root, folder, &names);

    for (int i = 0; i < n; i++)
        if (strncmp(names[i]->d_name, disk, strlen(disk)) == 0 &&
            sys_exists(g->root, folder, names[i]->d_name, "partition"))
            put_encryptable(g, names[i]->d_name);
    sys_free_names(&names, n);
}

static void put_cd_drive(struct gather *g, const char *name)
{
    struct ts_instance *i = gather_add(g, "Win32_CDROMDrive");
    uint64_t sectors = sys_number(g->root, "sys/block", name, "size");
    char vendor[TEXT_MAX / 4];
    char model[TEXT_MAX / 4];
    char full[TEXT_MAX];

    sys_line(g->root, "sys/block", name, "device/vendor", vendor, sizeof(vendor));
    sys_line(g->root, "sys/block", name, "device/model", model, sizeof(model));
    (void)snprintf(full, sizeof(full), "%s%s%s", vendor, vendor[0] != '\0' ? " " : "", model);
    gather_text(g, i, "DeviceID", name);
    gather_text(g, i, "Drive", name);
    gather_text(g, i, "Id", name);
    gather_text(g, i, "Name", full);
    gather_text(g, i, "Caption", full);
    gather_text(g, i, "Manufacturer", vendor);
    ts_instance_add_boolean(g->table, i, "MediaLoaded", sectors > 0);
    if (sectors > 0)
        gather_number(g, i, "Size", sectors * SECTOR_OF_SYSFS);
    else
        ts_instance_add_null(g->table, i, "Size");
    ts_instance_add_null(g->table, i, "MediaType");
    ts_instance_add_null(g->table, i, "VolumeName");
}

static void put_cd_drives(struct gather *g)
{
    struct dirent **names = NULL;
    int n = sys_list(g->root, "sys/block", &names);

    gather_class(g, "Win32_CDROMDrive");
    for (int i = 0; i < n; i++)
        if (strncmp(names[i]->d_name, "sr", 2) == 0)
            put_cd_drive(g, names[i]->d_name);
    sys_free_names(&names, n);
}

void gather_storage(struct gather *g)
{
    (void)ts_table_class(g->table, TS_STORAGE, "MSFT_Disk");
    (void)ts_table_class(g->table, TS_STORAGE, "MSFT_PhysicalDisk");
    (void)ts_table_class(g->table, TS_BITLOCKER, "Win32_EncryptableVolume");
    for (size_t i = 0; i < g->machine->n_disks; i++) {
        put_disk(g, i);
        put_physical_disk(g, i);
        put_encryptables(g, g->machine->disks[i].name);
    }
    put_cd_drives(g);
}
