/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/pxe/boot_name.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"

enum {
    PACKAGE_ID_LEN = 8,
};

static const char *const image_files[] = {
    "shimx64.efi",
    "grubx64-signed.efi",
    "grubx64-slipway.efi",
    "shimia32.efi",
    "grubia32-signed.efi",
    "grubia32-slipway.efi",
    "undionly.kpxe",
    "vmlinuz",
    "initrd.img",
    "ramdisk.img",
    "boot-image.json",
};

static bool is_package_id(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool is_digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        bool is_letter = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z';

        if (!is_digit && !is_letter)
            return false;
    }
    return text.len == PACKAGE_ID_LEN;
}

static bool begins_with(struct bytes *text, const char *prefix)
{
    size_t len = strlen(prefix);
    struct bytes head;

    return text->len >= len && memcmp(text->ptr, prefix, len) == 0 && bytes_take(text, len, &head);
}

/* "PREFIX" MAC "SUFFIX" */
static bool
read_mac(struct bytes name, const char *prefix, const char *suffix, uint8_t ret[static MAC_BYTES])
{
    struct bytes middle;
    size_t tail = strlen(suffix);

    return begins_with(&name, prefix) && name.len > tail &&
           bytes_take(&name, name.len - tail, &middle) && bytes_eq(name, bytes_of(suffix)) &&
           mac_parse(middle, ret);
}

static bool is_image_file(struct bytes file)
{
    for (size_t i = 0; i < sizeof(image_files) / sizeof(image_files[0]); i++)
        if (bytes_eq(file, bytes_of(image_files[i])))
            return true;
    return false;
}

/* "SLP00001/x64/" or "SLP00001/x86/", which is taken off @name. */
static bool read_folder(struct bytes *name, char ret[static BOOT_FOLDER_TEXT_MAX])
{
    struct bytes rest = *name;
    struct bytes folder = {name->ptr, PACKAGE_ID_LEN + strlen("/x64")};
    struct bytes id;

    if (!bytes_take(&rest, PACKAGE_ID_LEN, &id) || !is_package_id(id) ||
        (!begins_with(&rest, "/x64/") && !begins_with(&rest, "/x86/")))
        return false;
    memcpy(ret, folder.ptr, folder.len);
    ret[folder.len] = '\0';
    *name = rest;
    return true;
}

static struct bytes last_segment(struct bytes name)
{
    for (size_t i = name.len; i > 0; i--)
        if (name.ptr[i - 1] == '/')
            return (struct bytes){name.ptr + i, name.len - i};
    return name;
}

static void read_image_file(struct bytes name, struct boot_name *ret)
{
    bool is_in_image = read_folder(&name, ret->folder);
    struct bytes last = last_segment(name);

    if (bytes_eq(last, bytes_of("grubx64.efi")) || bytes_eq(last, bytes_of("grubia32.efi")))
        ret->kind = BOOT_NAME_SECOND_STAGE;
    else if (bytes_eq(last, bytes_of("mmx64.efi")) || bytes_eq(last, bytes_of("mmia32.efi")))
        ret->kind = BOOT_NAME_MOK_MANAGER;
    else if (is_in_image && is_image_file(name))
        ret->kind = BOOT_NAME_FILE;
}

struct boot_name boot_name_read(const char *name)
{
    struct boot_name ret = {.kind = BOOT_NAME_OTHER};
    struct bytes text = bytes_of(name);

    if (bytes_eq(text, bytes_of("grub/grub.cfg")))
        ret.kind = BOOT_NAME_GRUB_CONFIG;
    else if (read_mac(text, "grub/device/", ".cfg", ret.mac))
        ret.kind = BOOT_NAME_GRUB_MENU;
    else if (read_mac(text, "ipxe/", ".ipxe", ret.mac))
        ret.kind = BOOT_NAME_IPXE_SCRIPT;
    else
        read_image_file(text, &ret);
    return ret;
}
