/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/wim/metadata_items.h"

#include <string.h>

#include "base/err.h"

#define TAG_OBJECT_ID  UINT32_C(0x00000001)
#define TAG_XATTRS     UINT32_C(0x00000002)
#define TAG_UNIX       UINT32_C(0x337dd873)
#define TAG_XATTRS_OLD UINT32_C(0x337dd874) /* as wimlib 1.11 and 1.12 wrote them */

enum {
    UNIX_BYTES = 16,
    ITEM_ALIGNMENT = 8,
    OLD_ALIGNMENT = 4,
};

static void skip_padding(struct bytes *src, size_t size, size_t alignment)
{
    size_t n = (alignment - size % alignment) % alignment;
    struct bytes padding;

    (void)bytes_take(src, n < src->len ? n : src->len, &padding);
}

static int add_xattr(struct metadata *m, struct bytes name, struct bytes value, uint8_t flags)
{
    char text[METADATA_XATTR_NAME_MAX + 1];

    if (name.len == 0 || name.len >= sizeof(text) || memchr(name.ptr, '\0', name.len))
        return METADATA_E_MALFORMED;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    return metadata_add_xattr(
        m, &(struct metadata_xattr){.name = text, .value = value, .flags = flags});
}

/* Each: length of the value (2), of the name (1), flags (1), name, NUL, value. */
static int add_xattrs(struct metadata *m, struct bytes src)
{
    while (src.len > 0) {
        uint16_t value_size;
        uint8_t name_size;
        uint8_t flags;
        struct bytes name;
        struct bytes nul;
        struct bytes value;
        int r;

        if (!bytes_take_u16le(&src, &value_size) || !bytes_take_u8(&src, &name_size) ||
            !bytes_take_u8(&src, &flags) || !bytes_take(&src, name_size, &name) ||
            !bytes_take(&src, 1, &nul) || nul.ptr[0] != 0 || !bytes_take(&src, value_size, &value))
            return METADATA_E_MALFORMED;
        r = add_xattr(m, name, value, flags);
        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

/* Each: length of the name (2), 0 (2), length of the value (4), name, value, padding to 4 bytes. */
static int add_old_xattrs(struct metadata *m, struct bytes src)
{
    while (src.len > 0) {
        uint16_t name_size;
        uint16_t reserved;
        uint32_t value_size;
        struct bytes name;
        struct bytes value;
        int r;

        if (!bytes_take_u16le(&src, &name_size) || !bytes_take_u16le(&src, &reserved) ||
            reserved != 0 || !bytes_take_u32le(&src, &value_size) ||
            !bytes_take(&src, name_size, &name) || !bytes_take(&src, value_size, &value))
            return METADATA_E_MALFORMED;
        skip_padding(&src, name.len + value.len, OLD_ALIGNMENT);
        r = add_xattr(m, name, value, 0);
        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

static bool parse_unix(struct bytes src, struct metadata_inode *inode)
{
    struct metadata_unix *u = &inode->unix_data;

    inode->has_unix = true;
    return src.len >= UNIX_BYTES && bytes_take_u32le(&src, &u->uid) &&
           bytes_take_u32le(&src, &u->gid) && bytes_take_u32le(&src, &u->mode) &&
           bytes_take_u32le(&src, &u->rdev);
}

/* What is no item any more is padding. */
static bool take_item(struct bytes *src, uint32_t *ret_tag, struct bytes *ret)
{
    uint32_t size;

    if (!bytes_take_u32le(src, ret_tag) || !bytes_take_u32le(src, &size) ||
        !bytes_take(src, size, ret))
        return false;
    skip_padding(src, size, ITEM_ALIGNMENT);
    return true;
}

bool metadata_items_parse(struct bytes items, struct metadata_inode *inode)
{
    struct bytes item;
    uint32_t tag;

    while (take_item(&items, &tag, &item)) {
        if (tag == TAG_UNIX && !parse_unix(item, inode))
            return false;
        if (tag == TAG_OBJECT_ID)
            inode->object_id = item;
    }
    return inode->object_id.len <= METADATA_OBJECT_ID_MAX;
}

int metadata_items_add(struct metadata *m, struct bytes items)
{
    struct bytes item;
    uint32_t tag;
    int r = 0;

    while (r == 0 && take_item(&items, &tag, &item)) {
        if (tag == TAG_XATTRS)
            r = add_xattrs(m, item);
        if (tag == TAG_XATTRS_OLD)
            r = add_old_xattrs(m, item);
    }
    return TRACE(r);
}
