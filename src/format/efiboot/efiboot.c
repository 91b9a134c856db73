/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/efiboot/efiboot.h"

#include <string.h>

enum {
    TYPE_MESSAGING = 3,
    SUBTYPE_MAC = 11,
    MAC_NODE_BYTES = 33, /* behind the header: 32 bytes of address, interface type */
    TYPE_MEDIA = 4,
    SUBTYPE_HARD_DRIVE = 1,
    HARD_DRIVE_NODE_BYTES = 38,
    FORMAT_GPT = 2,
    SIGNATURE_UUID = 2,
    SUBTYPE_FILE = 4,
    TYPE_END = 0x7f,
    SUBTYPE_END = 0xff,
    HEADER_BYTES = 4,
};

struct node {
    uint8_t type;
    uint8_t subtype;
    struct bytes body;
};

static bool take_node(struct bytes *src, struct node *ret)
{
    struct bytes rest = *src;
    uint16_t len;

    if (!bytes_take_u8(&rest, &ret->type) || !bytes_take_u8(&rest, &ret->subtype) ||
        !bytes_take_u16le(&rest, &len) || len < HEADER_BYTES ||
        !bytes_take(&rest, len - HEADER_BYTES, &ret->body))
        return false;
    *src = rest;
    return true;
}

/* The first node of that type with at least @min bytes. */
static bool
find_node(struct bytes path, uint8_t type, uint8_t subtype, size_t min, struct node *ret)
{
    while (take_node(&path, ret))
        if (ret->type == type && ret->subtype == subtype && ret->body.len >= min)
            return true;
    return false;
}

static bool take_description(struct bytes *src, char dst[static EFIBOOT_DESCRIPTION_MAX])
{
    size_t len = 0;
    uint16_t c;

    while (bytes_take_u16le(src, &c)) {
        if (c == 0) {
            dst[len] = '\0';
            return true;
        }
        if (len < EFIBOOT_DESCRIPTION_MAX - 1)
            dst[len++] = (char)(c >= ' ' && c <= '~' ? c : '?');
    }
    return false;
}

bool efiboot_option_parse(struct bytes src, struct efiboot_option *ret)
{
    struct efiboot_option option = {0};
    uint16_t path_bytes;

    if (!bytes_take_u32le(&src, &option.attributes) || !bytes_take_u16le(&src, &path_bytes) ||
        !take_description(&src, option.description) || !bytes_take(&src, path_bytes, &option.path))
        return false;
    option.data = src;
    *ret = option;
    return true;
}

bool efiboot_path_mac(struct bytes path, uint8_t ret[static MAC_BYTES])
{
    struct node node;

    if (!find_node(path, TYPE_MESSAGING, SUBTYPE_MAC, MAC_NODE_BYTES, &node))
        return false;
    if (node.body.ptr[32] > 1) /* 0 and 1 are Ethernet in practice */
        return false;
    memcpy(ret, node.body.ptr, MAC_BYTES);
    return true;
}

/* EFI writes the first three fields of a GUID little-endian; the same way back. */
static void swap_guid(uint8_t dst[static UUID_BYTES], const uint8_t src[static UUID_BYTES])
{
    static const uint8_t from[UUID_BYTES] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

    for (size_t i = 0; i < UUID_BYTES; i++)
        dst[i] = src[from[i]];
}

bool efiboot_path_partition(struct bytes path, struct efiboot_partition *ret)
{
    struct efiboot_partition found;
    struct node node;
    struct bytes guid;
    uint8_t format;
    uint8_t signature;

    if (!find_node(path, TYPE_MEDIA, SUBTYPE_HARD_DRIVE, HARD_DRIVE_NODE_BYTES, &node))
        return false;
    if (!bytes_take_u32le(&node.body, &found.number) ||
        !bytes_take_u64le(&node.body, &found.start_lba) ||
        !bytes_take_u64le(&node.body, &found.n_lbas) ||
        !bytes_take(&node.body, UUID_BYTES, &guid) || !bytes_take_u8(&node.body, &format) ||
        !bytes_take_u8(&node.body, &signature) || format != FORMAT_GPT ||
        signature != SIGNATURE_UUID)
        return false;
    swap_guid(found.uuid, guid.ptr);
    *ret = found;
    return true;
}

static void put_utf16(struct sink *dst, const char *ascii)
{
    for (; *ascii != '\0'; ascii++)
        sink_u16le(dst, (uint8_t)*ascii);
    sink_u16le(dst, 0);
}

static void put_header(struct sink *dst, uint8_t type, uint8_t subtype, size_t body_bytes)
{
    sink_u8(dst, type);
    sink_u8(dst, subtype);
    sink_u16le(dst, (uint16_t)(HEADER_BYTES + body_bytes));
}

void efiboot_option_put(struct sink *dst,
                        const char *description,
                        const struct efiboot_partition *partition,
                        const char *file)
{
    size_t file_bytes = 2 * (strlen(file) + 1);
    uint8_t guid[UUID_BYTES];

    swap_guid(guid, partition->uuid);
    sink_u32le(dst, EFIBOOT_ACTIVE);
    sink_u16le(dst, (uint16_t)(3 * HEADER_BYTES + HARD_DRIVE_NODE_BYTES + file_bytes));
    put_utf16(dst, description);

    put_header(dst, TYPE_MEDIA, SUBTYPE_HARD_DRIVE, HARD_DRIVE_NODE_BYTES);
    sink_u32le(dst, partition->number);
    sink_u64le(dst, partition->start_lba);
    sink_u64le(dst, partition->n_lbas);
    sink_bytes(dst, (struct bytes){guid, UUID_BYTES});
    sink_u8(dst, FORMAT_GPT);
    sink_u8(dst, SIGNATURE_UUID);

    put_header(dst, TYPE_MEDIA, SUBTYPE_FILE, file_bytes);
    put_utf16(dst, file);
    put_header(dst, TYPE_END, SUBTYPE_END, 0);
}

static bool is_among(uint16_t number, const uint16_t *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == number)
            return true;
    return false;
}

void efiboot_order_put_first(
    struct sink *dst, struct bytes old, uint16_t number, const uint16_t *gone, size_t n_gone)
{
    uint16_t other;

    sink_u16le(dst, number);
    for (size_t n = 1; n < EFIBOOT_ORDER_MAX && bytes_take_u16le(&old, &other);) {
        if (other == number || is_among(other, gone, n_gone))
            continue;
        sink_u16le(dst, other);
        n++;
    }
}
