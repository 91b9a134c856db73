/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/boot_entry.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/own.h"
#include "format/efiboot/efiboot.h"
#include "image/boot_disk.h"
#include "plat/file.h"

#define EFI_GLOBAL "8be4df61-93ca-11d2-aa0d-00e098032b8c"

enum {
    EFI_ATTRIBUTES = 7, /* non-volatile, boot services, run time */
    EFI_ATTRIBUTE_BYTES = 4,
    EFI_VARIABLE_MAX = 64 * 1024,
    EFI_NUMBERS = 0x10000,
    NAME_MAX_BYTES = 16,
    PATH_TEXT_MAX = 256,
    STALE_MAX = 64,
};

/* What is known of the entries with our description. */
struct found {
    uint16_t number; /* the one to write */
    bool has_number;
    uint16_t stale[STALE_MAX]; /* of no disk, but for the one to write */
    size_t n_stale;
};

static void closedirp(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static void put_path(const struct boot_firmware *firmware, const char *name, char *dst)
{
    (void)snprintf(dst, PATH_TEXT_MAX, "%s/%s-" EFI_GLOBAL, firmware->variables, name);
}

/* Empty if it is not there. */
static struct bytes
read_variable(const struct boot_firmware *firmware, const char *name, struct buf *ret)
{
    char path[PATH_TEXT_MAX];

    buf_clear(ret);
    put_path(firmware, name, path);
    if (file_read(path, ret) != 0 || ret->len < EFI_ATTRIBUTE_BYTES)
        return (struct bytes){0};
    return (struct bytes){(const uint8_t *)ret->ptr + EFI_ATTRIBUTE_BYTES,
                          ret->len - EFI_ATTRIBUTE_BYTES};
}

/* efivarfs marks what exists as immutable. */
static void make_mutable(const char *path)
{
    OWN(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    int flags;

    if (fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_IMMUTABLE_FL) != 0) {
        flags &= ~FS_IMMUTABLE_FL;
        (void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
    }
}

/* efivarfs takes attributes and content in one write. */
static bool
write_variable(const struct boot_firmware *firmware, const char *name, struct bytes content)
{
    OWN(buf_fini) struct buf whole = BUF_INIT(EFI_VARIABLE_MAX);
    char path[PATH_TEXT_MAX];

    put_path(firmware, name, path);
    make_mutable(path);
    buf_add(&whole,
            (struct bytes){(const uint8_t[]){EFI_ATTRIBUTES, 0, 0, 0}, EFI_ATTRIBUTE_BYTES});
    buf_add(&whole, content);

    OWN(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    return fd >= 0 && !whole.failed && write(fd, whole.ptr, whole.len) == (ssize_t)whole.len;
}

static void remove_variable(const struct boot_firmware *firmware, const char *name)
{
    char path[PATH_TEXT_MAX];

    put_path(firmware, name, path);
    make_mutable(path);
    (void)unlink(path);
}

static void put_name(uint16_t number, char dst[static NAME_MAX_BYTES])
{
    (void)snprintf(dst, NAME_MAX_BYTES, "Boot%04X", (unsigned)number);
}

/* "Boot0007-8be4df61-…" */
static bool read_number(const char *file, uint16_t *ret)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned number = 0;

    if (strncmp(file, "Boot", 4) != 0 || strlen(file) != 8 + 1 + sizeof(EFI_GLOBAL) - 1 ||
        strcmp(file + 8, "-" EFI_GLOBAL) != 0)
        return false;
    for (size_t i = 4; i < 8; i++) {
        const char *digit = memchr(digits, file[i], sizeof(digits) - 1);

        if (!digit)
            return false;
        number = number * 16 + (unsigned)(digit - digits);
    }
    *ret = (uint16_t)number;
    return true;
}

/* An entry with our description is the one, or left over, or of another disk that is still there. */
static void look_at(const struct boot_firmware *firmware,
                    const struct boot_entry *entry,
                    uint16_t number,
                    struct found *found)
{
    OWN(buf_fini) struct buf text = BUF_INIT(EFI_VARIABLE_MAX);
    struct efiboot_option option;
    struct efiboot_partition partition;
    char name[NAME_MAX_BYTES];

    put_name(number, name);
    if (!efiboot_option_parse(read_variable(firmware, name, &text), &option) ||
        strcmp(option.description, entry->description) != 0 ||
        !efiboot_path_partition(option.path, &partition))
        return;
    if (memcmp(partition.uuid, entry->esp->uuid, UUID_BYTES) == 0 && !found->has_number) {
        found->number = number;
        found->has_number = true;
    } else if (found->n_stale < STALE_MAX &&
               !firmware->is_on_a_disk(firmware->ctx, partition.uuid)) {
        found->stale[found->n_stale++] = number;
    }
}

static void
look(const struct boot_firmware *firmware, const struct boot_entry *entry, struct found *found)
{
    OWN(closedirp) DIR *dir = opendir(firmware->variables);
    uint16_t number;

    while (dir) {
        const struct dirent *file = readdir(dir); /* NOLINT(concurrency-mt-unsafe): our own DIR */

        if (!file)
            return;
        if (read_number(file->d_name, &number))
            look_at(firmware, entry, number, found);
    }
}

/* Ours, else one that is left over, else one that is free. */
static bool choose(const struct boot_firmware *firmware, struct found *found)
{
    OWN(buf_fini) struct buf text = BUF_INIT(EFI_VARIABLE_MAX);
    char name[NAME_MAX_BYTES];

    if (!found->has_number && found->n_stale > 0) {
        found->number = found->stale[--found->n_stale];
        found->has_number = true;
    }
    for (unsigned n = 0; n < EFI_NUMBERS && !found->has_number; n++) {
        put_name((uint16_t)n, name);
        if (read_variable(firmware, name, &text).len > 0)
            continue;
        found->number = (uint16_t)n;
        found->has_number = true;
    }
    return found->has_number;
}

static int
put_first(const struct boot_firmware *firmware, const struct found *found, struct buf *why)
{
    OWN(buf_fini) struct buf old = BUF_INIT(EFI_VARIABLE_MAX);
    uint8_t bytes[EFIBOOT_OPTION_MAX];
    struct sink dst = {.ptr = bytes, .cap = sizeof(bytes)};
    struct bytes order = read_variable(firmware, "BootOrder", &old);

    efiboot_order_put_first(&dst, order, found->number, found->stale, found->n_stale);
    if (write_variable(firmware, "BootOrder", (struct bytes){bytes, dst.len}))
        return 0;
    buf_adds(why, "the firmware did not take the variable BootOrder");
    return BOOT_E_FIRMWARE;
}

/* The variable is the firmware's to remove. */
static void start_next(const struct boot_firmware *firmware, uint16_t number)
{
    const uint8_t bytes[] = {(uint8_t)(number & 0xff), (uint8_t)(number >> 8)};

    (void)write_variable(firmware, "BootNext", (struct bytes){bytes, sizeof(bytes)});
}

int boot_entry_register(const struct boot_firmware *firmware,
                        const struct boot_entry *entry,
                        struct buf *why)
{
    uint8_t bytes[EFIBOOT_OPTION_MAX];
    struct sink dst = {.ptr = bytes, .cap = sizeof(bytes)};
    struct found found = {0};
    char name[NAME_MAX_BYTES];
    int r;

    look(firmware, entry, &found);
    if (!choose(firmware, &found)) {
        buf_adds(why, "the firmware has no free boot entry");
        return BOOT_E_FIRMWARE;
    }
    put_name(found.number, name);
    efiboot_option_put(&dst, entry->description, entry->esp, entry->file);
    if (dst.full || !write_variable(firmware, name, (struct bytes){bytes, dst.len})) {
        buf_addf(why, "the firmware did not take the variable %s", name);
        return BOOT_E_FIRMWARE;
    }
    r = put_first(firmware, &found, why);
    start_next(firmware, found.number);
    for (size_t i = 0; r == 0 && i < found.n_stale; i++) {
        put_name(found.stale[i], name);
        remove_variable(firmware, name);
    }
    return r;
}
