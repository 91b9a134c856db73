/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/disk_write.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <libfdisk/libfdisk.h>
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
#include "plat/process.h"

enum {
    WIPE_BYTES = 1024 * 1024, /* every signature that blkid knows lies this close to an end */
    WAIT_STEP_US = 100 * 1000,
    WAIT_STEPS = 100,
    MKFS_OUTPUT_MAX = 16 * 1024,
};

#define MKFS_TIMEOUT_US ((uint64_t)30 * 60 * 1000 * 1000)

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

/* What the partition table calls a type: a GUID on GPT, a byte on MBR. */
static const char *gpt_type(enum disk_type type)
{
    switch (type) {
    case DISK_TYPE_EFI:
        return "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
    case DISK_TYPE_BIOS_BOOT:
        return "21686148-6449-6E6F-744E-656564454649";
    case DISK_TYPE_MSR:
        return "E3C9E316-0B5C-4DB8-817D-F92DF00215AE";
    case DISK_TYPE_RECOVERY:
        return "DE94BBA4-06D1-4D40-A16A-BFD50179D6AC";
    case DISK_TYPE_PRIMARY:
    default:
        return "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
    }
}

static unsigned mbr_type(enum disk_type type)
{
    switch (type) {
    case DISK_TYPE_EFI:
        return 0xef;
    case DISK_TYPE_RECOVERY:
        return 0x27;
    case DISK_TYPE_PRIMARY:
    case DISK_TYPE_BIOS_BOOT:
    case DISK_TYPE_MSR:
    default:
        return 0x83;
    }
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
    int fd = open(disk, O_RDWR | O_EXCL | O_CLOEXEC); /* O_EXCL: nobody may have it mounted */

    if (fd < 0 && errno == EBUSY)
        return DISK_E_IN_USE;
    if (fd < 0 && (errno == ENOENT || errno == ENXIO || errno == ENOMEDIUM))
        return DISK_E_MISSING;
    if (fd < 0)
        return ERR(-errno);
    *ret_fd = fd;
    if (fstat(fd, &st) != 0)
        return ERR(-errno);
    *ret_bytes = (uint64_t)st.st_size;
    if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, ret_bytes) != 0)
        return ERR(-errno);
    return *ret_bytes < (uint64_t)4 * WIPE_BYTES ? DISK_E_MISSING : 0;
}

static int set_type(struct fdisk_context *context,
                    struct fdisk_partition *p,
                    const struct disk_layout *layout,
                    size_t i)
{
    struct fdisk_label *label = fdisk_get_label(context, NULL);
    enum disk_type type = layout->partitions[i].wish.type;
    struct fdisk_parttype *known = layout->style == DISK_STYLE_GPT
                                       ? fdisk_label_get_parttype_from_string(label, gpt_type(type))
                                       : fdisk_label_get_parttype_from_code(label, mbr_type(type));

    return known ? fdisk_partition_set_type(p, known) : -EINVAL;
}

static int add_partition(struct fdisk_context *context, const struct disk_layout *layout, size_t i)
{
    OWN(partition_unrefp) struct fdisk_partition *p = fdisk_new_partition();
    const struct disk_partition *want = &layout->partitions[i];
    uint64_t sector = fdisk_get_sector_size(context);
    size_t number;

    if (!p)
        return ERR(-ENOMEM);
    int r = set_type(context, p, layout, i);

    if (r == 0)
        r = fdisk_partition_set_partno(p, i);
    if (r == 0)
        r = fdisk_partition_set_start(p, want->start_bytes / sector);
    if (r == 0)
        r = fdisk_partition_set_size(p, want->size_bytes / sector);
    if (r == 0)
        r = fdisk_partition_size_explicit(p, 1);
    if (r == 0 && layout->style == DISK_STYLE_GPT && want->wish.label[0] != '\0')
        r = fdisk_partition_set_name(p, want->wish.label);
    if (r == 0)
        r = fdisk_add_partition(context, p, &number);
    if (r == 0 && layout->style == DISK_STYLE_MBR && want->wish.is_bootable)
        r = fdisk_toggle_partition_flag(context, i, DOS_FLAG_ACTIVE);
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

        if (fdisk_get_partition(context, i, &p) != 0)
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

int disk_write(const char *disk, struct disk_layout *layout, struct buf *why)
{
    OWN(fd_closep) int fd = -1;
    uint64_t bytes = 0;
    struct stat st;
    int r = open_disk(disk, &fd, &bytes);

    if (r != 0)
        return TRACE(r);
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
    for (size_t i = 0; i < layout->n_partitions; i++) {
        struct disk_partition *p = &layout->partitions[i];

        disk_partition_path(disk, i + 1, p->device, sizeof(p->device));
        if (stat(disk, &st) == 0 && S_ISBLK(st.st_mode) && !wait_for(p->device)) {
            buf_addf(why, "the kernel does not show %s", p->device);
            return DISK_E_FAILED;
        }
    }
    return 0;
}

static int run_mkfs(const char *const *argv, struct buf *why)
{
    OWN(buf_fini) struct buf output = BUF_INIT(MKFS_OUTPUT_MAX);
    struct process_result result;
    int r = process_run(
        &(struct process_options){.argv = argv, .output = &output, .timeout_us = MKFS_TIMEOUT_US},
        &result);

    if (r == -ENOENT) {
        buf_addf(why, "this boot image has no program %s", argv[0]);
        return DISK_E_FAILED;
    }
    if (r < 0)
        return TRACE(r);
    if (result.signal == 0 && result.exit_code == 0)
        return 0;
    buf_addf(why, "%s ended with code %d: %s", argv[0], result.exit_code, buf_str(&output));
    return DISK_E_FAILED;
}

/* Labels as the file system allows them: FAT has 11 upper-case characters, ext4 16, XFS 12. */
static void fs_label(const struct disk_wish *wish, char dst[static DISK_LABEL_MAX])
{
    size_t max = wish->file_system == DISK_FS_FAT32 ? 11 : 12;
    size_t len = 0;

    for (; wish->label[len] != '\0' && len < max; len++) {
        char c = wish->label[len];
        bool is_lower = c >= 'a' && c <= 'z';

        if (is_lower && wish->file_system == DISK_FS_FAT32)
            c = (char)(c - 'a' + 'A');
        else if (!is_lower && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9'))
            c = '_';
        dst[len] = c;
    }
    if (len == 0)
        dst[len++] = '_';
    dst[len] = '\0';
}

int disk_make_file_system(const struct disk_partition *partition, struct buf *why)
{
    const char *device = partition->device;
    char label[DISK_LABEL_MAX];

    fs_label(&partition->wish, label);
    /* Without the features that GRUB 2.06, or a kernel before 5.15, cannot read */
    const char *ext4[] = {"mkfs.ext4",
                          "-q",
                          "-F",
                          "-L",
                          label,
                          "-O",
                          "^metadata_csum_seed,^orphan_file",
                          "-E",
                          partition->wish.is_quick ? "lazy_itable_init=1,nodiscard"
                                                   : "lazy_itable_init=0,lazy_journal_init=0",
                          device,
                          NULL};
    const char *xfs[] = {"mkfs.xfs", "-q", "-f", "-L", label, device, NULL};
    const char *btrfs[] = {"mkfs.btrfs", "-q", "-f", "-L", label, device, NULL};
    const char *fat[] = {"mkfs.vfat", "-F", "32", "-n", label, device, NULL};

    switch (partition->wish.file_system) {
    case DISK_FS_EXT4:
        return TRACE(run_mkfs(ext4, why));
    case DISK_FS_XFS:
        return TRACE(run_mkfs(xfs, why));
    case DISK_FS_BTRFS:
        return TRACE(run_mkfs(btrfs, why));
    case DISK_FS_FAT32:
        return TRACE(run_mkfs(fat, why));
    case DISK_FS_NONE:
    default:
        return 0;
    }
}

int disk_read_content(const char *device, struct disk_content *ret)
{
    OWN(probe_freep) blkid_probe probe = NULL;
    const char *type = NULL;
    const char *uuid = NULL;

    if (!file_exists(device))
        return DISK_E_MISSING;
    probe = blkid_new_probe_from_filename(device);
    if (!probe)
        return DISK_E_MISSING;
    (void)blkid_probe_enable_superblocks(probe, 1);
    (void)blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_UUID);
    if (blkid_do_safeprobe(probe) != 0 || blkid_probe_lookup_value(probe, "TYPE", &type, NULL) != 0)
        return DISK_E_UNKNOWN;
    (void)blkid_probe_lookup_value(probe, "UUID", &uuid, NULL);
    *ret = (struct disk_content){0};
    (void)snprintf(ret->type, sizeof(ret->type), "%s", type);
    (void)snprintf(ret->uuid, sizeof(ret->uuid), "%s", uuid ? uuid : "");
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
    struct fdisk_parttype *is = fdisk_partition_get_type(p);

    if (!is)
        return false;
    if (!fdisk_is_labeltype(context, FDISK_DISKLABEL_GPT))
        return fdisk_parttype_get_code(is) == mbr_type(type);
    const char *guid = fdisk_parttype_get_string(is);

    return guid && bytes_eq_nocase(bytes_of(guid), gpt_type(type));
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

bool disk_has_partition(const char *disk, const uint8_t uuid[static UUID_BYTES])
{
    OWN(context_unrefp) struct fdisk_context *context = fdisk_new_context();

    if (!context || fdisk_assign_device(context, disk, 1) != 0)
        return false;
    for (size_t i = 0; i < fdisk_get_npartitions(context); i++) {
        OWN(partition_unrefp) struct fdisk_partition *p = NULL;
        uint8_t is[UUID_BYTES];

        if (fdisk_get_partition(context, i, &p) != 0 || !fdisk_partition_is_used(p))
            continue;
        const char *text = fdisk_partition_get_uuid(p);

        if (text && uuid_parse(bytes_of(text), is) && memcmp(is, uuid, UUID_BYTES) == 0)
            return true;
    }
    return false;
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
