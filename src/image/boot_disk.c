/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/boot_disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "format/efiboot/efiboot.h"
#include "image/boot_entry.h"
#include "image/disk_write.h"
#include "plat/file.h"

#define EFIVARS "/sys/firmware/efi/efivars"

/* GRUB's documented interface between its boot sector, its core image and its installer */
enum {
    BOOT_KERNEL_SECTOR = 0x5c, /* u64: where core.img begins */
    BOOT_DRIVE_CHECK = 0x66,   /* two bytes of code that mistrust the BIOS's drive number */
    BOOT_TABLE = 0x1b8,        /* disk signature and partition table: the disk's own */
    BOOT_TABLE_END = 0x1fe,
    CORE_BLOCK_LIST = BOOT_SECTOR_BYTES - 12, /* u64 start, u16 sectors, u16 segment */
    CORE_SEGMENT = 0x820,
    X86_NOP = 0x90,
    PATH_TEXT_MAX = 300,
    SIZE_TEXT_MAX = 64,
};

static void closedirp(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static void put_le(uint8_t *dst, uint64_t n, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i++)
        dst[i] = (uint8_t)(n >> (8 * i));
}

int boot_bios_prepare(uint8_t boot_sector[static BOOT_SECTOR_BYTES],
                      const uint8_t old_sector[static BOOT_SECTOR_BYTES],
                      uint8_t *core,
                      size_t core_bytes,
                      uint64_t core_lba)
{
    size_t n_sectors = (core_bytes + BOOT_SECTOR_BYTES - 1) / BOOT_SECTOR_BYTES;

    if (boot_sector[510] != 0x55 || boot_sector[511] != 0xaa || n_sectors < 2 ||
        n_sectors - 1 > UINT16_MAX)
        return BOOT_E_BAD_GRUB;
    put_le(boot_sector + BOOT_KERNEL_SECTOR, core_lba, 8);
    /* A hard disk is always 0x80 and up; some BIOSes pass nonsense, which GRUB then corrects */
    memset(boot_sector + BOOT_DRIVE_CHECK, X86_NOP, 2);
    memcpy(boot_sector + BOOT_TABLE, old_sector + BOOT_TABLE, BOOT_TABLE_END - BOOT_TABLE);
    put_le(core + CORE_BLOCK_LIST, core_lba + 1, 8);
    put_le(core + CORE_BLOCK_LIST + 8, n_sectors - 1, 2);
    put_le(core + CORE_BLOCK_LIST + 10, CORE_SEGMENT, 2);
    return 0;
}

static int write_at(int fd, const uint8_t *src, size_t len, uint64_t offset)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, src, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ERR(n < 0 ? -errno : -EIO);
        src += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return fsync(fd) == 0 ? 0 : ERR(-errno);
}

int boot_bios_install(const char *disk,
                      const char *boot_img,
                      const char *core_img,
                      uint64_t core_offset,
                      uint64_t room)
{
    OWN(fd_closep) int fd = -1;
    OWN(buf_fini) struct buf boot = BUF_INIT(BOOT_SECTOR_BYTES);
    OWN(buf_fini) struct buf core = BUF_INIT(BOOT_CORE_MAX);
    uint8_t old[BOOT_SECTOR_BYTES];

    if (file_read(boot_img, &boot) != 0 || boot.len != BOOT_SECTOR_BYTES ||
        file_read(core_img, &core) != 0)
        return BOOT_E_BAD_GRUB;
    if (core.len > room)
        return BOOT_E_NO_ROOM;
    fd = open(disk, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return ERR(-errno);
    if (pread(fd, old, sizeof(old), 0) != (ssize_t)sizeof(old))
        return ERR(-EIO);
    int r = boot_bios_prepare(
        (uint8_t *)boot.ptr, old, (uint8_t *)core.ptr, core.len, core_offset / BOOT_SECTOR_BYTES);

    if (r != 0)
        return r;
    r = write_at(fd, (const uint8_t *)core.ptr, core.len, core_offset);
    if (r < 0)
        return TRACE(r);
    return TRACE(write_at(fd, (const uint8_t *)boot.ptr, boot.len, 0));
}

/* Whether a partition lies on some disk of this computer; also if nobody can say which disks there are. */
/* A drive without a medium, a loop device without a file. */
static bool is_empty(const char *size_path)
{
    OWN(buf_fini) struct buf size = BUF_INIT(SIZE_TEXT_MAX);

    return file_read(size_path, &size) == 0 && bytes_eq_nocase(buf_bytes(&size), "0\n");
}

/* What cannot be read may have it: its entry is not one to remove. */
static bool is_on_a_disk(void *ctx, const uint8_t uuid[static UUID_BYTES])
{
    OWN(closedirp) DIR *dir = opendir("/sys/block");

    (void)ctx;
    while (dir) {
        const struct dirent *entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): our own DIR */
        char path[PATH_TEXT_MAX];
        bool has = false;

        if (!entry)
            return false;
        (void)snprintf(path, sizeof(path), "/sys/block/%s/size", entry->d_name);
        if (entry->d_name[0] == '.' || is_empty(path))
            continue;
        (void)snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
        if (disk_has_partition(path, uuid, &has) < 0 || has)
            return true;
    }
    return true;
}

int boot_efi_register(
    const char *disk, size_t number, const char *description, const char *file, struct buf *why)
{
    static const struct boot_firmware firmware = {.variables = EFIVARS,
                                                  .is_on_a_disk = is_on_a_disk};
    struct efiboot_partition esp;

    if (disk_read_partition(disk, number, &esp) != 0) {
        buf_addf(why, "partition %zu of %s is not on a GPT disk", number, disk);
        return BOOT_E_FIRMWARE;
    }
    return boot_entry_register(
        &firmware,
        &(struct boot_entry){.description = description, .esp = &esp, .file = file},
        why);
}
