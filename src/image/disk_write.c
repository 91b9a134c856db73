/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/disk_write.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <libfdisk/libfdisk.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "format/efiboot/efiboot.h"
#include "plat/clock.h"
#include "plat/file.h"

enum {
    WIPE_BYTES = 1024 * 1024, /* every signature that blkid knows lies this close to an end */
    WAIT_STEP_US = 100 * 1000,
    WAIT_STEPS = 100,
    DISK_EXTENDED_SHOWN_BYTES = 4096, /* the kernel itself shows no more of it than its table */
};

static void context_unrefp(struct fdisk_context **context)
{
    fdisk_unref_context(*context);
}

static void partition_unrefp(struct fdisk_partition **partition)
{
    fdisk_unref_partition(*partition);
}

static void probe_freep(blkid_probe *probe)
{
    blkid_free_probe(*probe);
}

/* Whether Windows is to see a volume in it. */
static bool is_of_windows(const struct disk_wish *wish)
{
    return wish->file_system == DISK_FS_NTFS || wish->file_system == DISK_FS_FAT32;
}

/* What the partition table calls a type: a GUID on GPT, a byte on MBR. */
static const char *gpt_type(const struct disk_wish *wish)
{
    switch (wish->type) {
    case DISK_TYPE_EFI:
        return "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
    case DISK_TYPE_BIOS_BOOT:
        return "21686148-6449-6E6F-744E-656564454649";
    case DISK_TYPE_MSR:
        return "E3C9E316-0B5C-4DB8-817D-F92DF00215AE";
    case DISK_TYPE_RECOVERY:
        return "DE94BBA4-06D1-4D40-A16A-BFD50179D6AC";
    case DISK_TYPE_PRIMARY:
    case DISK_TYPE_HIDDEN:
    case DISK_TYPE_EXTENDED:
    case DISK_TYPE_LOGICAL:
    default:
        break;
    }
    if (wish->file_system == DISK_FS_SWAP)
        return "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F";
    return is_of_windows(wish) ? "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
                               : "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
}

static unsigned hidden_mbr_type(enum disk_file_system file_system)
{
    if (file_system == DISK_FS_FAT32)
        return 0x1c;
    return file_system == DISK_FS_NTFS || file_system == DISK_FS_NONE ? 0x17 : 0x93;
}

static unsigned mbr_type(const struct disk_wish *wish)
{
    switch (wish->type) {
    case DISK_TYPE_EFI:
        return 0xef;
    case DISK_TYPE_RECOVERY:
        return 0x27;
    case DISK_TYPE_EXTENDED:
        return 0x0f; /* by logical block addresses */
    case DISK_TYPE_HIDDEN:
        return hidden_mbr_type(wish->file_system);
    case DISK_TYPE_PRIMARY:
    case DISK_TYPE_LOGICAL:
    case DISK_TYPE_BIOS_BOOT:
    case DISK_TYPE_MSR:
    default:
        break;
    }
    switch (wish->file_system) {
    case DISK_FS_NTFS:
        return 0x07;
    case DISK_FS_FAT32:
        return 0x0c;
    case DISK_FS_SWAP:
        return 0x82;
    case DISK_FS_NONE:
    case DISK_FS_EXT4:
    case DISK_FS_XFS:
    case DISK_FS_BTRFS:
    default:
        return 0x83;
    }
}

/* Bit 0: firmware needs it; 62: hidden; 63: no drive letter by itself. NULL: none. */
static const char *gpt_attributes(const struct disk_wish *wish)
{
    if (wish->type == DISK_TYPE_RECOVERY)
        return "RequiredPartition GUID:63";
    if (wish->type == DISK_TYPE_HIDDEN)
        return "GUID:62 GUID:63";
    return wish->has_no_drive && is_of_windows(wish) && wish->type == DISK_TYPE_PRIMARY ? "GUID:63"
                                                                                        : NULL;
}

static int zero(int fd, const uint8_t *zeros, uint64_t offset)
{
    for (size_t done = 0; done < WIPE_BYTES;) {
        ssize_t n = pwrite(fd, zeros, WIPE_BYTES - done, (off_t)(offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR(n < 0 ? -errno : -EIO);
        done += (size_t)n;
    }
    return 0;
}

/*
 * A BIOS starts whatever has the signature of a boot sector, and a partition table has it: until Setup
 * writes GRUB there, the sector hands on to the next boot device, the network. The table keeps this code.
 */
static int write_hand_on(int fd)
{
    static const uint8_t code[] = {
        0xcd, 0x18 /* int 0x18 */, 0xf4 /* hlt */, 0xeb, 0xfd /* jmp hlt */};

    return pwrite(fd, code, sizeof(code), 0) == (ssize_t)sizeof(code) ? 0 : ERR(-EIO);
}

/* Both ends of the disk and of each partition that will be. */
static int wipe(int fd, const struct disk_layout *layout, uint64_t disk_bytes)
{
    OWN(freep) uint8_t *zeros = calloc(1, WIPE_BYTES);
    int r;

    if (!zeros)
        return ERR(-ENOMEM);
    r = zero(fd, zeros, 0);
    if (r == 0)
        r = write_hand_on(fd);
    if (r == 0)
        r = zero(fd, zeros, disk_bytes - WIPE_BYTES);
    for (size_t i = 0; r == 0 && i < layout->n_partitions; i++) {
        const struct disk_partition *p = &layout->partitions[i];

        r = zero(fd, zeros, p->start_bytes);
        if (r == 0)
            r = zero(fd, zeros, p->start_bytes + p->size_bytes - WIPE_BYTES);
    }
    if (r == 0 && fsync(fd) != 0)
        r = ERR(-errno);
    return TRACE(r);
}

/* A regular file serves as a disk too, for media and tests. */
static int open_disk(const char *disk, int *ret_fd, uint64_t *ret_bytes)
{
    struct stat st;
    int is_read_only = 0;
    int fd = open(disk, O_RDWR | O_EXCL | O_CLOEXEC); /* O_EXCL: nobody may have it mounted */

    if (fd < 0 && errno == EBUSY)
        return DISK_E_IN_USE;
    if (fd < 0 && (errno == EROFS || errno == EACCES))
        return DISK_E_READ_ONLY;
    if (fd < 0 && (errno == ENOENT || errno == ENXIO || errno == ENOMEDIUM))
        return DISK_E_MISSING;
    if (fd < 0)
        return ERR(-errno);
    *ret_fd = fd;
    if (fstat(fd, &st) != 0)
        return ERR(-errno);
    *ret_bytes = (uint64_t)st.st_size;
    if (S_ISBLK(st.st_mode) &&
        (ioctl(fd, BLKROGET, &is_read_only) != 0 || ioctl(fd, BLKGETSIZE64, ret_bytes) != 0))
        return ERR(-errno);
    if (is_read_only)
        return DISK_E_READ_ONLY;
    return *ret_bytes < (uint64_t)4 * WIPE_BYTES ? DISK_E_MISSING : 0;
}

static int set_type(struct fdisk_context *context,
                    struct fdisk_partition *p,
                    const struct disk_layout *layout,
                    const struct disk_wish *wish)
{
    struct fdisk_label *label = fdisk_get_label(context, NULL);
    struct fdisk_parttype *known = layout->style == DISK_STYLE_GPT
                                       ? fdisk_label_get_parttype_from_string(label, gpt_type(wish))
                                       : fdisk_label_get_parttype_from_code(label, mbr_type(wish));

    return known ? fdisk_partition_set_type(p, known) : -EINVAL;
}

/* What only one of the styles has. */
static int set_more(struct fdisk_partition *p, enum disk_style style, const struct disk_wish *wish)
{
    const char *attributes = gpt_attributes(wish);
    int r = 0;

    if (style == DISK_STYLE_MBR)
        return 0;
    if (wish->label[0] != '\0')
        r = fdisk_partition_set_name(p, wish->label);
    return r == 0 && attributes ? fdisk_partition_set_attrs(p, attributes) : r;
}

static int add_partition(struct fdisk_context *context, const struct disk_layout *layout, size_t i)
{
    OWN(partition_unrefp) struct fdisk_partition *p = fdisk_new_partition();
    const struct disk_partition *want = &layout->partitions[i];
    uint64_t sector = fdisk_get_sector_size(context);
    size_t number;

    if (!p)
        return ERR(-ENOMEM);
    int r = set_type(context, p, layout, &want->wish);

    if (r == 0)
        r = fdisk_partition_set_partno(p, want->number - 1);
    if (r == 0)
        r = fdisk_partition_set_start(p, want->start_bytes / sector);
    if (r == 0)
        r = fdisk_partition_set_size(p, want->size_bytes / sector);
    if (r == 0)
        r = fdisk_partition_size_explicit(p, 1);
    if (r == 0)
        r = set_more(p, layout->style, &want->wish);
    if (r == 0)
        r = fdisk_add_partition(context, p, &number);
    if (r == 0 && number != want->number - 1)
        r = -EINVAL;
    if (r == 0 && layout->style == DISK_STYLE_MBR && want->wish.is_bootable)
        r = fdisk_toggle_partition_flag(context, number, DOS_FLAG_ACTIVE);
    return r;
}

static int write_table(struct fdisk_context *context, const struct disk_layout *layout)
{
    int r = fdisk_create_disklabel(context, layout->style == DISK_STYLE_GPT ? "gpt" : "dos");

    for (size_t i = 0; r == 0 && i < layout->n_partitions; i++)
        r = add_partition(context, layout, i);
    if (r == 0)
        r = fdisk_write_disklabel(context);
    return r;
}

static void lower(char *text)
{
    for (; *text != '\0'; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
}

static int read_uuids(struct fdisk_context *context, struct disk_layout *layout)
{
    for (size_t i = 0; i < layout->n_partitions; i++) {
        OWN(partition_unrefp) struct fdisk_partition *p = NULL;
        const char *uuid;

        if (fdisk_get_partition(context, layout->partitions[i].number - 1, &p) != 0)
            return ERR(-EIO);
        uuid = fdisk_partition_get_uuid(p);
        (void)snprintf(layout->partitions[i].uuid,
                       sizeof(layout->partitions[i].uuid),
                       "%s",
                       uuid && layout->style == DISK_STYLE_GPT ? uuid : "");
        lower(layout->partitions[i].uuid);
    }
    return 0;
}

static int partition_disk(const char *disk, struct disk_layout *layout, struct buf *why)
{
    OWN(context_unrefp) struct fdisk_context *context = fdisk_new_context();

    if (!context)
        return ERR(-ENOMEM);
    (void)fdisk_disable_dialogs(context, 1);
    (void)fdisk_enable_bootbits_protection(context, 1);
    /* a disk says so itself; this is for regular files */
    (void)fdisk_save_user_sector_size(context, layout->sector_bytes, layout->sector_bytes);
    int r = fdisk_assign_device(context, disk, 0);

    if (r == 0)
        r = write_table(context, layout);
    if (r != 0) {
        buf_addf(why, "the partition table could not be written to %s (error %d)", disk, -r);
        return DISK_E_FAILED;
    }
    r = read_uuids(context, layout);
    if (r != 0)
        return TRACE(r);
    (void)fdisk_deassign_device(context, 0);
    return 0;
}

/* The kernel refuses while somebody still looks at the old partitions, which passes. */
static int reread(const char *disk)
{
    for (int i = 0; i < WAIT_STEPS; i++) {
        OWN(fd_closep) int fd = open(disk, O_RDONLY | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) != 0)
            return ERR(-errno);
        if (!S_ISBLK(st.st_mode) || ioctl(fd, BLKRRPART) == 0)
            return 0;
        if (errno != EBUSY)
            return ERR(-errno);
        clock_sleep_us(WAIT_STEP_US);
    }
    return DISK_E_IN_USE;
}

static bool wait_for(const char *device)
{
    for (int i = 0; i < WAIT_STEPS; i++) {
        if (file_exists(device))
            return true;
        clock_sleep_us(WAIT_STEP_US);
    }
    return false;
}

/* A kernel that cannot read the table is told what is in it. */
static int tell_kernel(int fd, const struct disk_partition *p)
{
    struct blkpg_partition entry = {.start = (long long)p->start_bytes,
                                    .length = (long long)p->size_bytes,
                                    .pno = (int)p->number};
    struct blkpg_ioctl_arg arg = {
        .op = BLKPG_ADD_PARTITION, .datalen = sizeof(entry), .data = &entry};

    if (p->wish.type ==
        DISK_TYPE_EXTENDED) /* the logical ones lie in it: it has room for the table */
        entry.length = DISK_EXTENDED_SHOWN_BYTES;
    return ioctl(fd, BLKPG, &arg) == 0 || errno == EBUSY ? 0 : ERR(-errno);
}

static int show_partitions(const char *disk, struct disk_layout *layout, struct buf *why)
{
    OWN(fd_closep) int fd = open(disk, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0)
        return ERR(-errno);
    for (size_t i = 0; i < layout->n_partitions; i++) {
        struct disk_partition *p = &layout->partitions[i];

        disk_partition_path(disk, p->number, p->device, sizeof(p->device));
        if (!S_ISBLK(st.st_mode))
            continue;
        int r = file_exists(p->device) ? 0 : tell_kernel(fd, p);

        if (r < 0)
            return TRACE(r);
        if (!wait_for(p->device)) {
            buf_addf(why, "the kernel does not show %s", p->device);
            return DISK_E_FAILED;
        }
    }
    return 0;
}

/* The layout was made for sectors of a size; a regular file has any. */
static bool has_sectors_of(int fd, uint32_t bytes)
{
    struct stat st;
    int has = 0;

    return fstat(fd, &st) == 0 &&
           (!S_ISBLK(st.st_mode) || (ioctl(fd, BLKSSZGET, &has) == 0 && has == (int)bytes));
}

int disk_write(const char *disk, struct disk_layout *layout, struct buf *why)
{
    OWN(fd_closep) int fd = -1;
    uint64_t bytes = 0;
    int r = open_disk(disk, &fd, &bytes);

    if (r != 0)
        return TRACE(r);
    if (!has_sectors_of(fd, layout->sector_bytes)) {
        buf_addf(why, "%s has no sectors of %u bytes", disk, layout->sector_bytes);
        return DISK_E_FAILED;
    }
    r = wipe(fd, layout, bytes);
    if (r < 0)
        return TRACE(r);
    fd_closep(&fd);
    r = partition_disk(disk, layout, why);
    if (r != 0)
        return TRACE(r);
    r = reread(disk);
    if (r != 0)
        return TRACE(r);
    return TRACE(show_partitions(disk, layout, why));
}

int disk_read_content(const char *device, struct disk_content *ret)
{
    OWN(probe_freep) blkid_probe probe = NULL;
    const char *type = NULL;
    const char *uuid = NULL;
    const char *label = NULL;

    if (!file_exists(device))
        return DISK_E_MISSING;
    probe = blkid_new_probe_from_filename(device);
    if (!probe)
        return DISK_E_MISSING;
    (void)blkid_probe_enable_superblocks(probe, 1);
    (void)blkid_probe_set_superblocks_flags(
        probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_UUID | BLKID_SUBLKS_LABEL);
    if (blkid_do_safeprobe(probe) != 0 || blkid_probe_lookup_value(probe, "TYPE", &type, NULL) != 0)
        return DISK_E_UNKNOWN;
    (void)blkid_probe_lookup_value(probe, "UUID", &uuid, NULL);
    (void)blkid_probe_lookup_value(probe, "LABEL", &label, NULL);
    *ret = (struct disk_content){0};
    (void)snprintf(ret->type, sizeof(ret->type), "%s", type);
    (void)snprintf(ret->uuid, sizeof(ret->uuid), "%s", uuid ? uuid : "");
    (void)snprintf(ret->label, sizeof(ret->label), "%s", label ? label : "");
    return 0;
}

bool disk_is_gpt(const char *disk)
{
    OWN(context_unrefp) struct fdisk_context *context = fdisk_new_context();

    return context && fdisk_assign_device(context, disk, 1) == 0 &&
           fdisk_is_labeltype(context, FDISK_DISKLABEL_GPT) == 1;
}

static bool
is_of_type(struct fdisk_context *context, struct fdisk_partition *p, enum disk_type type)
{
    const struct disk_wish wish = {.type = type};
    struct fdisk_parttype *is = fdisk_partition_get_type(p);

    if (!is)
        return false;
    if (!fdisk_is_labeltype(context, FDISK_DISKLABEL_GPT))
        return fdisk_parttype_get_code(is) == mbr_type(&wish);
    const char *guid = fdisk_parttype_get_string(is);

    return guid && bytes_eq_nocase(bytes_of(guid), gpt_type(&wish));
}

size_t disk_find_partition(const char *disk,
                           enum disk_type type,
                           uint64_t *ret_offset,
                           uint64_t *ret_bytes)
{
    OWN(context_unrefp) struct fdisk_context *context = fdisk_new_context();

    if (!context || fdisk_assign_device(context, disk, 1) != 0)
        return 0;
    for (size_t i = 0; i < fdisk_get_npartitions(context); i++) {
        OWN(partition_unrefp) struct fdisk_partition *p = NULL;

        if (fdisk_get_partition(context, i, &p) != 0 || !fdisk_partition_is_used(p) ||
            !is_of_type(context, p, type))
            continue;
        *ret_offset = fdisk_partition_get_start(p) * fdisk_get_sector_size(context);
        *ret_bytes = fdisk_partition_get_size(p) * fdisk_get_sector_size(context);
        return i + 1;
    }
    return 0;
}

int disk_has_partition(const char *disk, const uint8_t uuid[static UUID_BYTES], bool *ret)
{
    OWN(context_unrefp) struct fdisk_context *context = fdisk_new_context();

    *ret = false;
    if (!context)
        return ERR(-ENOMEM);
    int r = fdisk_assign_device(context, disk, 1);

    if (r == -ENOENT || r == -ENXIO || r == -ENOMEDIUM)
        return DISK_E_MISSING;
    if (r < 0)
        return r;
    for (size_t i = 0; !*ret && i < fdisk_get_npartitions(context); i++) {
        OWN(partition_unrefp) struct fdisk_partition *p = NULL;
        uint8_t is[UUID_BYTES];

        if (fdisk_get_partition(context, i, &p) != 0 || !fdisk_partition_is_used(p))
            continue;
        const char *text = fdisk_partition_get_uuid(p);

        *ret = text && uuid_parse(bytes_of(text), is) && memcmp(is, uuid, UUID_BYTES) == 0;
    }
    return 0;
}

int disk_read_partition(const char *disk, size_t number, struct efiboot_partition *ret)
{
    OWN(context_unrefp) struct fdisk_context *context = fdisk_new_context();
    OWN(partition_unrefp) struct fdisk_partition *p = NULL;

    if (!context)
        return ERR(-ENOMEM);
    if (number == 0 || fdisk_assign_device(context, disk, 1) != 0 ||
        fdisk_get_partition(context, number - 1, &p) != 0)
        return DISK_E_UNKNOWN;
    const char *uuid = fdisk_partition_get_uuid(p);

    if (!uuid || !fdisk_partition_has_start(p) || !fdisk_partition_has_size(p) ||
        !uuid_parse(bytes_of(uuid), ret->uuid))
        return DISK_E_UNKNOWN;
    ret->number = (uint32_t)number;
    ret->start_lba = fdisk_partition_get_start(p);
    ret->n_lbas = fdisk_partition_get_size(p);
    return 0;
}

void disk_partition_path(const char *disk, size_t number, char *dst, size_t cap)
{
    size_t len = strlen(disk);
    bool ends_in_digit = len > 0 && disk[len - 1] >= '0' && disk[len - 1] <= '9';

    (void)snprintf(dst, cap, "%s%s%zu", disk, ends_in_digit ? "p" : "", number);
}
