/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/boot_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "format/efiboot/efiboot.h"
#include "image/disk_write.h"
#include "plat/file.h"

#define EFIVARS    "/sys/firmware/efi/efivars/"
#define EFI_GLOBAL "8be4df61-93ca-11d2-aa0d-00e098032b8c"

/* GRUB's documented interface between its boot sector, its core image and its installer */
enum {
    BOOT_KERNEL_SECTOR = 0x5c, /* u64: where core.img begins */
    BOOT_DRIVE_CHECK = 0x66,   /* two bytes of code that mistrust the BIOS's drive number */
    BOOT_TABLE = 0x1b8,        /* disk signature and partition table: the disk's own */
    BOOT_TABLE_END = 0x1fe,
    CORE_BLOCK_LIST = BOOT_SECTOR_BYTES - 12, /* u64 start, u16 sectors, u16 segment */
    CORE_SEGMENT = 0x820,
    X86_NOP = 0x90,
    EFI_ATTRIBUTES = 7, /* non-volatile, boot services, run time */
    EFI_VARIABLE_MAX = 64 * 1024,
    EFI_ENTRIES_SEARCHED = 0x10000,
};

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

static struct bytes read_variable(const char *name, struct buf *ret)
{
    char path[128];

    buf_clear(ret);
    (void)snprintf(path, sizeof(path), EFIVARS "%s-" EFI_GLOBAL, name);
    if (file_read(path, ret) != 0 || ret->len < 4)
        return (struct bytes){0};
    return (struct bytes){(const uint8_t *)ret->ptr + 4, ret->len - 4};
}

/* efivarfs takes attributes and content in one write, and marks what exists as immutable. */
static bool write_variable(const char *name, struct bytes content)
{
    OWN(fd_closep) int fd = -1;
    OWN(buf_fini) struct buf whole = BUF_INIT(EFI_VARIABLE_MAX);
    char path[128];
    int flags;

    (void)snprintf(path, sizeof(path), EFIVARS "%s-" EFI_GLOBAL, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_IMMUTABLE_FL) != 0) {
        flags &= ~FS_IMMUTABLE_FL;
        (void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
    }
    fd_closep(&fd);
    buf_add(&whole, (struct bytes){(const uint8_t[]){EFI_ATTRIBUTES, 0, 0, 0}, 4});
    buf_add(&whole, content);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    return fd >= 0 && !whole.failed && write(fd, whole.ptr, whole.len) == (ssize_t)whole.len;
}

static bool is_ours(struct bytes content, const char *description, const uint8_t *uuid)
{
    struct efiboot_option option;
    struct efiboot_partition partition;

    return efiboot_option_parse(content, &option) && strcmp(option.description, description) == 0 &&
           efiboot_path_partition(option.path, &partition) &&
           memcmp(partition.uuid, uuid, UUID_BYTES) == 0;
}

/* The number of our entry if there is one, else the first free one. */
static bool choose_number(const char *description, const uint8_t *uuid, uint16_t *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(EFI_VARIABLE_MAX);
    OWN(buf_fini) struct buf order = BUF_INIT(EFI_VARIABLE_MAX);
    struct bytes rest = read_variable("BootOrder", &order);
    uint16_t number;
    char name[16];

    while (bytes_take_u16le(&rest, &number)) {
        (void)snprintf(name, sizeof(name), "Boot%04X", (unsigned)number);
        if (is_ours(read_variable(name, &text), description, uuid)) {
            *ret = number;
            return true;
        }
    }
    for (unsigned n = 0; n < EFI_ENTRIES_SEARCHED; n++) {
        (void)snprintf(name, sizeof(name), "Boot%04X", n);
        if (read_variable(name, &text).len == 0) {
            *ret = (uint16_t)n;
            return true;
        }
    }
    return false;
}

int boot_efi_register(
    const char *disk, size_t number, const char *description, const char *file, struct buf *why)
{
    OWN(buf_fini) struct buf old = BUF_INIT(EFI_VARIABLE_MAX);
    uint8_t bytes[EFIBOOT_OPTION_MAX];
    struct sink dst = {.ptr = bytes, .cap = sizeof(bytes)};
    struct efiboot_partition esp;
    uint16_t entry;
    char name[16];

    if (disk_read_partition(disk, number, &esp) != 0) {
        buf_addf(why, "partition %zu of %s is not on a GPT disk", number, disk);
        return BOOT_E_FIRMWARE;
    }
    if (!choose_number(description, esp.uuid, &entry)) {
        buf_adds(why, "the firmware has no free boot entry");
        return BOOT_E_FIRMWARE;
    }
    (void)snprintf(name, sizeof(name), "Boot%04X", (unsigned)entry);
    efiboot_option_put(&dst, description, &esp, file);
    if (dst.full || !write_variable(name, (struct bytes){bytes, dst.len})) {
        buf_addf(why, "the firmware did not take the variable %s", name);
        return BOOT_E_FIRMWARE;
    }
    dst = (struct sink){.ptr = bytes, .cap = sizeof(bytes)};
    efiboot_order_put_first(&dst, read_variable("BootOrder", &old), entry);
    if (!write_variable("BootOrder", (struct bytes){bytes, dst.len})) {
        buf_adds(why, "the firmware did not take the variable BootOrder");
        return BOOT_E_FIRMWARE;
    }
    return 0;
}
