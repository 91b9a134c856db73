/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/wim/reparse.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "format/wim/metadata.h"
#include "format/wim/utf16.h"

enum {
    LX_VERSION = 2,
    FLAG_RELATIVE = 1,
};

bool reparse_is_link(uint32_t tag)
{
    return tag == METADATA_TAG_SYMLINK || tag == METADATA_TAG_JUNCTION ||
           tag == REPARSE_TAG_LX_SYMLINK;
}

/* Either separator becomes the other one: so no target of Linux is lost, and wimlib does the same. */
static char swapped(char c)
{
    if (c == '/')
        return '\\';
    return (char)(c == '\\' ? '/' : c);
}

/* Version (4), then the target in UTF-8, without a NUL. */
static int lx_target(struct bytes data, struct buf *ret)
{
    uint32_t version;

    if (!bytes_take_u32le(&data, &version) || version != LX_VERSION || data.len == 0 ||
        memchr(data.ptr, '\0', data.len))
        return REPARSE_E_MALFORMED;
    buf_add(ret, data);
    return ret->failed ? ERR(-ENOMEM) : 0;
}

/*
 * Offset and size of the substitute name (2 + 2), of the print name (2 + 2); flags (4) of a symbolic link; the
 * names, to which the offsets refer.
 */
static bool parse_substitute(uint32_t tag, struct bytes data, struct bytes *ret)
{
    uint16_t offset;
    uint16_t size;
    struct bytes skipped;

    return bytes_take_u16le(&data, &offset) && bytes_take_u16le(&data, &size) &&
           bytes_take(&data, tag == METADATA_TAG_SYMLINK ? 8 : 4, &skipped) && size > 0 &&
           bytes_take(&data, offset, &skipped) && bytes_take(&data, size, ret);
}

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* What a drive is in front of, "\a\b" of "\??\C:\a\b"; the whole of what has none; NULL: not understood. */
static const char *without_drive(uint32_t tag, const char *name)
{
    size_t len = strlen(name);

    if (begins(name, "\\??\\") && len >= 7 && name[5] == ':' && name[6] == '\\')
        return name + 6;
    if (tag == METADATA_TAG_JUNCTION)
        return begins(name, "\\\\?\\Volume{") && name[len - 1] == '\\' ? name : NULL;
    return len >= 3 && name[1] == ':' && name[2] == '\\' ? name + 2 : name;
}

int reparse_target(uint32_t tag, struct bytes data, struct buf *ret)
{
    char name[REPARSE_TARGET_MAX];
    struct bytes substitute;
    const char *target;

    if (data.len > REPARSE_DATA_MAX)
        return REPARSE_E_MALFORMED;
    if (tag == REPARSE_TAG_LX_SYMLINK)
        return TRACE(lx_target(data, ret));
    if (!parse_substitute(tag, data, &substitute) || !utf16_to_utf8(substitute, name, sizeof(name)))
        return REPARSE_E_MALFORMED;
    target = without_drive(tag, name);
    if (!target)
        return REPARSE_E_MALFORMED;
    if (tag != METADATA_TAG_JUNCTION || target != name)
        for (char *p = name; *p != '\0'; p++)
            *p = swapped(*p);
    buf_adds(ret, target);
    return ret->failed ? ERR(-ENOMEM) : 0;
}

static void put_u16(struct buf *dst, size_t n)
{
    uint8_t bytes[2] = {(uint8_t)n, (uint8_t)(n >> 8)};

    buf_add(dst, (struct bytes){bytes, sizeof(bytes)});
}

static bool put_name(struct buf *dst, const char *prefix, struct bytes target)
{
    size_t first = dst->len + 2 * strlen(prefix);

    (void)utf16_put(dst, bytes_of(prefix));
    if (!utf16_put(dst, target))
        return false;
    for (size_t i = first; i + 1 < dst->len; i += 2)
        if (dst->ptr[i + 1] == '\0')
            dst->ptr[i] = swapped(dst->ptr[i]);
    return true;
}

int reparse_put_symlink(struct bytes target, struct buf *ret)
{
    OWN(buf_fini) struct buf substitute = BUF_INIT(REPARSE_DATA_MAX);
    OWN(buf_fini) struct buf print = BUF_INIT(REPARSE_DATA_MAX);
    bool is_absolute = target.len > 0 && target.ptr[0] == '/';

    if (target.len == 0 || target.len > REPARSE_DATA_MAX / 4 ||
        !put_name(&substitute, is_absolute ? "\\??\\C:" : "", target) ||
        !put_name(&print, is_absolute ? "C:" : "", target))
        return REPARSE_E_MALFORMED;
    put_u16(ret, 0);
    put_u16(ret, substitute.len);
    put_u16(ret, substitute.len + 2);
    put_u16(ret, print.len);
    put_u16(ret, is_absolute ? 0 : FLAG_RELATIVE);
    put_u16(ret, 0);
    buf_add(ret, buf_bytes(&substitute));
    put_u16(ret, 0);
    buf_add(ret, buf_bytes(&print));
    put_u16(ret, 0);
    return substitute.failed || print.failed || ret->failed ? ERR(-ENOMEM) : 0;
}
