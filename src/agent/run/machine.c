/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/machine.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/run/sysfs.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "format/efiboot/efiboot.h"
#include "format/smbios/smbios.h"
#include "plat/file.h"

#define EFI_GLOBAL "8be4df61-93ca-11d2-aa0d-00e098032b8c"

enum {
    CPUINFO_MAX = 4 * 1024 * 1024,
    DMI_MAX = 1024 * 1024,
    EFI_ATTRIBUTE_BYTES = 4, /* before the content of a variable in efivarfs */
    SECTOR_OF_SYSFS = 512,   /* "size" counts these, whatever the disk's own sectors are */
};

/* What is no disk to install on, by the beginning of its name. */
static const char *const not_disks[] = {
    "dm-",
    "fd",
    "loop",
    "md",
    "mtd",
    "nbd",
    "pmem", /* a RAM disk that the firmware booted from */
    "ram",
    "rbd",
    "sr",
    "zram",
};

static bool is_disk(const char *root, const char *name)
{
    if (name[0] == '.')
        return false;
    for (size_t i = 0; i < sizeof(not_disks) / sizeof(not_disks[0]); i++)
        if (strncmp(name, not_disks[i], strlen(not_disks[i])) == 0)
            return false;
    if (strncmp(name, "mmcblk", 6) == 0 && (strstr(name, "boot") || strstr(name, "rpmb")))
        return false;
    return sys_exists(root, "sys/block", name, "device") &&
           sys_number(root, "sys/block", name, "hidden") ==
               0 && /* one path of several to an NVMe */
           sys_number(root, "sys/block", name, "size") > 0;
}

struct found_disk {
    struct machine_disk disk;
    char place[PATH_MAX]; /* in the tree of the buses */
};

static void read_place(const char *root, const char *name, char dst[static PATH_MAX])
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/sys/block/%s", root, name) >= (int)sizeof(path) ||
        !realpath(path, dst))
        dst[0] = '\0';
}

/* MMC says "SD" for a card and "MMC" for what is soldered in. */
static bool is_card(const char *root, const char *name)
{
    char type[8];

    sys_line(root, "sys/block", name, "device/type", type, sizeof(type));
    return strcmp(type, "SD") == 0;
}

/* NVMe, MMC and virtio have a file for it; SCSI and ATA answer with vital product data, page 0x80. */
static void read_serial(const char *root, const char *name, char dst[static MACHINE_TEXT_MAX])
{
    OWN(buf_fini) struct buf page = BUF_INIT(SYS_FILE_MAX);
    char path[PATH_MAX];

    sys_line(root, "sys/block", name, "serial", dst, MACHINE_TEXT_MAX);
    if (dst[0] == '\0')
        sys_line(root, "sys/block", name, "device/serial", dst, MACHINE_TEXT_MAX);
    if (dst[0] != '\0')
        return;
    (void)snprintf(path, sizeof(path), "sys/block/%s/device/vpd_pg80", name);
    sys_read(root, path, &page);
    if (page.len > 4)
        sys_copy_line(dst,
                      MACHINE_TEXT_MAX,
                      (struct bytes){(const uint8_t *)buf_str(&page) + 4, page.len - 4});
}

/* By the bus it hangs on, the nearest first. */
static const char *transport_of(const char *place)
{
    static const struct {
        const char *in_place;
        const char *transport;
    } buses[] = {
        {"/usb", "usb"},
        {"/nvme", "nvme"},
        {"/ata", "sata"},
        {"/mmc", "mmc"},
        {"/host", "scsi"}, /* of virtio too */
        {"/virtio", "virtio"},
    };

    for (size_t i = 0; i < sizeof(buses) / sizeof(buses[0]); i++)
        if (strstr(place, buses[i].in_place))
            return buses[i].transport;
    return "scsi";
}

static void read_disk(const char *root, const char *name, struct found_disk *found)
{
    struct machine_disk *ret = &found->disk;

    *ret = (struct machine_disk){0};
    read_place(root, name, found->place);
    sys_copy_line(ret->name, sizeof(ret->name), bytes_of(name));
    sys_line(root, "sys/block", name, "device/model", ret->model, sizeof(ret->model));
    if (ret->model[0] == '\0') /* MMC */
        sys_line(root, "sys/block", name, "device/name", ret->model, sizeof(ret->model));
    read_serial(root, name, ret->serial);
    ret->size_bytes = sys_number(root, "sys/block", name, "size") * SECTOR_OF_SYSFS;
    ret->sector_bytes = (uint32_t)sys_number(root, "sys/block", name, "queue/logical_block_size");
    ret->is_removable = sys_number(root, "sys/block", name, "removable") != 0 ||
                        strstr(found->place, "/usb") != NULL || is_card(root, name);
    (void)snprintf(ret->transport, sizeof(ret->transport), "%s", transport_of(found->place));
}

void machine_read_disk(const char *name, struct machine_disk *ret)
{
    OWN(freep) struct found_disk *now = calloc(1, sizeof(*now));

    *ret = (struct machine_disk){0};
    if (!now)
        return;
    read_disk("", name, now);
    *ret = now->disk;
}

bool machine_has_disk(const struct machine_disk *disk)
{
    struct machine_disk now;

    machine_read_disk(disk->name, &now);
    return strcmp(now.serial, disk->serial) == 0 && now.size_bytes == disk->size_bytes &&
           !now.is_removable;
}

/* "sda" is whoever was found first in this start. Where it is plugged in stays. */
static int by_number(const void *left, const void *right)
{
    const struct found_disk *a = left;
    const struct found_disk *b = right;

    if (a->disk.is_removable != b->disk.is_removable)
        return a->disk.is_removable ? 1 : -1;
    return strverscmp(a->place, b->place);
}

static void collect_disks(const char *root, struct machine *ret)
{
    OWN(freep) struct found_disk *found = calloc(MACHINE_DISKS_MAX, sizeof(*found));
    struct dirent **names = NULL;

    if (!found)
        return;
    int n = sys_list(root, "sys/block", &names);

    for (int i = 0; i < n && ret->n_disks < MACHINE_DISKS_MAX; i++)
        if (is_disk(root, names[i]->d_name))
            read_disk(root, names[i]->d_name, &found[ret->n_disks++]);
    sys_free_names(&names, n);
    qsort(found, ret->n_disks, sizeof(*found), by_number);
    for (size_t i = 0; i < ret->n_disks; i++)
        ret->disks[i] = found[i].disk;
}

static void read_driver(const char *root, const char *name, char *dst, size_t cap)
{
    char path[PATH_MAX];
    char link[PATH_MAX];

    dst[0] = '\0';
    (void)snprintf(path, sizeof(path), "%s/sys/class/net/%s/device/driver", root, name);
    ssize_t len = readlink(path, link, sizeof(link) - 1);

    if (len <= 0)
        return;
    link[len] = '\0';
    const char *slash = strrchr(link, '/');

    sys_copy_line(dst, cap, bytes_of(slash ? slash + 1 : link));
}

static void collect_nics(const char *root, struct machine *ret)
{
    struct dirent **names = NULL;
    int n = sys_list(root, "sys/class/net", &names);

    for (int i = 0; i < n && ret->n_nics < MACHINE_NICS_MAX; i++) {
        const char *name = names[i]->d_name;
        struct machine_nic nic = {0};
        char line[32];

        sys_line(root, "sys/class/net", name, "address", line, sizeof(line));
        if (name[0] == '.' || strlen(name) >= sizeof(nic.name) ||
            !sys_exists(root, "sys/class/net", name, "device") ||
            sys_exists(root, "sys/class/net", name, "wireless") ||
            sys_number(root, "sys/class/net", name, "type") != 1 /* Ethernet */ ||
            !mac_parse(bytes_of(line), nic.mac))
            continue;
        sys_copy_line(nic.name, sizeof(nic.name), bytes_of(name));
        read_driver(root, name, nic.driver, sizeof(nic.driver));
        nic.has_link = sys_number(root, "sys/class/net", name, "carrier") == 1;
        ret->nics[ret->n_nics++] = nic;
    }
    sys_free_names(&names, n);
}

static bool take_text_line(struct bytes *src, struct bytes *ret)
{
    if (src->len == 0)
        return false;
    const uint8_t *end = memchr(src->ptr, '\n', src->len);
    size_t len = end ? (size_t)(end - src->ptr) + 1 : src->len;

    return bytes_take(src, len, ret);
}

/* The text behind the colon of a line "key : text" of /proc; false if the line has another key. */
static bool value_of(struct bytes line, const char *key, struct bytes *ret)
{
    size_t len = strlen(key);

    if (line.len <= len || memcmp(line.ptr, key, len) != 0)
        return false;
    const uint8_t *colon = memchr(line.ptr, ':', line.len);

    if (!colon)
        return false;
    *ret = (struct bytes){colon + 1, line.len - (size_t)(colon + 1 - line.ptr)};
    return true;
}

static bool has_word(struct bytes text, const char *word)
{
    struct bytes want = bytes_of(word);

    while (text.len > 0) {
        size_t len = 0;
        struct bytes head;

        while (len < text.len && text.ptr[len] != ' ')
            len++;
        if (bytes_take(&text, len, &head) && bytes_eq(head, want))
            return true;
        (void)bytes_take(&text, text.len > 0 ? 1 : 0, &head);
    }
    return false;
}

static void collect_cpu(const char *root, struct machine *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(CPUINFO_MAX);
    struct bytes line;
    struct bytes value;

    sys_read(root, "proc/cpuinfo", &text);
    struct bytes rest = buf_bytes(&text);

    while (take_text_line(&rest, &line)) {
        if (value_of(line, "processor", &value))
            ret->n_cpus++;
        else if (ret->cpu[0] == '\0' && value_of(line, "model name", &value))
            sys_copy_line(ret->cpu, sizeof(ret->cpu), value);
        else if (value_of(line, "flags", &value))
            ret->is_64_bit = ret->is_64_bit || has_word(value, "lm");
    }
}

static void collect_memory(const char *root, struct machine *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(SYS_FILE_MAX);
    struct bytes line;
    struct bytes value;
    char number[32];
    uint64_t kib;

    sys_read(root, "proc/meminfo", &text);
    struct bytes rest = buf_bytes(&text);

    while (take_text_line(&rest, &line)) {
        if (!value_of(line, "MemTotal", &value))
            continue;
        sys_copy_line(number, sizeof(number), value);
        if (strchr(number, ' '))
            *strchr(number, ' ') = '\0';
        if (bytes_parse_u64(bytes_of(number), 0, UINT64_MAX / 1024, &kib))
            ret->memory_bytes = kib * 1024;
    }
}

/* The content of an EFI variable of the specification's own namespace, without its attributes. */
static struct bytes read_efi_variable(const char *root, const char *name, struct buf *ret)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "sys/firmware/efi/efivars/%s-" EFI_GLOBAL, name);
    sys_read(root, path, ret);
    if (ret->len < EFI_ATTRIBUTE_BYTES)
        return (struct bytes){0};
    return (struct bytes){(const uint8_t *)buf_str(ret) + EFI_ATTRIBUTE_BYTES,
                          ret->len - EFI_ATTRIBUTE_BYTES};
}

static void collect_firmware(const char *root, struct machine *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(SYS_FILE_MAX);
    struct bytes secure_boot = read_efi_variable(root, "SecureBoot", &text);

    ret->is_uefi = sys_exists(root, "sys/firmware", "efi", "");
    ret->is_secure_boot = ret->is_uefi && secure_boot.len >= 1 && secure_boot.ptr[0] == 1;
    switch (sys_number(root, "sys/class/tpm", "tpm0", "tpm_version_major")) {
    case 1:
        ret->tpm = MACHINE_TPM_1_2;
        break;
    case 2:
        ret->tpm = MACHINE_TPM_2_0;
        break;
    default:
        ret->tpm = MACHINE_TPM_NONE;
    }
}

static void collect_smbios(const char *root, struct machine *ret)
{
    OWN(buf_fini) struct buf entry_point = BUF_INIT(SYS_FILE_MAX);
    OWN(buf_fini) struct buf table = BUF_INIT(DMI_MAX);
    struct smbios smbios;

    sys_read(root, "sys/firmware/dmi/tables/smbios_entry_point", &entry_point);
    sys_read(root, "sys/firmware/dmi/tables/DMI", &table);
    smbios_parse(buf_bytes(&entry_point), buf_bytes(&table), &smbios);
    memcpy(ret->uuid, smbios.uuid, sizeof(ret->uuid));
    sys_copy_line(ret->manufacturer, sizeof(ret->manufacturer), bytes_of(smbios.manufacturer));
    sys_copy_line(ret->model, sizeof(ret->model), bytes_of(smbios.model));
    sys_copy_line(ret->serial, sizeof(ret->serial), bytes_of(smbios.serial));
    sys_copy_line(ret->asset_tag, sizeof(ret->asset_tag), bytes_of(smbios.asset_tag));
}

static bool argument_of(const char *root, const char *name, char *dst, size_t cap)
{
    OWN(buf_fini) struct buf text = BUF_INIT(SYS_FILE_MAX);
    size_t name_len = strlen(name);
    bool is_found = false;

    dst[0] = '\0';
    sys_read(root, "proc/cmdline", &text);
    for (const char *at = buf_str(&text); *at != '\0';) {
        size_t len = strcspn(at, " \n");

        if (len > name_len && strncmp(at, name, name_len) == 0 && at[name_len] == '=' &&
            len - name_len - 1 < cap) {
            sys_copy_line(
                dst, cap, (struct bytes){(const uint8_t *)at + name_len + 1, len - name_len - 1});
            is_found = true;
        }
        at += len;
        at += strspn(at, " \n");
    }
    return is_found;
}

bool machine_argument(const char *name, char *dst, size_t cap)
{
    return argument_of("", name, dst, cap);
}

/* The boot loader knows best; else the firmware says which of its options is running. */
static void collect_boot_mac(const char *root, struct machine *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(SYS_FILE_MAX);
    struct efiboot_option option;
    char argument[MAC_TEXT_MAX];
    char name[16];
    uint16_t number;

    if (argument_of(root, "slipway.mac", argument, sizeof(argument)) &&
        mac_parse(bytes_of(argument), ret->boot_mac)) {
        ret->has_boot_mac = true;
        return;
    }
    struct bytes current = read_efi_variable(root, "BootCurrent", &text);

    if (!bytes_take_u16le(&current, &number))
        return;
    (void)snprintf(name, sizeof(name), "Boot%04X", (unsigned)number);
    struct bytes content = read_efi_variable(root, name, &text);

    ret->has_boot_mac =
        efiboot_option_parse(content, &option) && efiboot_path_mac(option.path, ret->boot_mac);
}

int machine_collect_from(const char *root, struct machine *ret)
{
    *ret = (struct machine){0};
    collect_smbios(root, ret);
    collect_cpu(root, ret);
    collect_memory(root, ret);
    collect_firmware(root, ret);
    collect_boot_mac(root, ret);
    collect_disks(root, ret);
    collect_nics(root, ret);
    return 0;
}

int machine_collect(struct machine *ret)
{
    return machine_collect_from("", ret);
}
