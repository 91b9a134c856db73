/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/apply_ntfs_own.h" /* before those that follow: they use what it includes */

#include <ntfs-3g/acls.h>
#include <ntfs-3g/ea.h>
#include <ntfs-3g/object_id.h>
#include <ntfs-3g/reparse.h>
#include <ntfs-3g/security.h>

#include "base/err.h"
#include "base/own.h"
#include "format/wim/utf16.h"
#include "image/wim_apply.h"

enum {
    DESCRIPTOR_MAX = 65535, /* of NTFS */
    DESCRIPTOR_SLACK =
        256, /* libntfs-3g looks at a descriptor's parts before it knows where they end */
    REPARSE_MAX = 16384, /* of NTFS, with the header */
    REPARSE_HEADER = 8,
    REPARSE_GUID =
        16, /* of tags that are not Microsoft's; the length in the header leaves it out */
    OBJECT_ID_MIN = 16,
    EA_HEADER = 8,
    EA_MAX = 65535,             /* of all of a file */
    ATTRIBUTE_RECALL = 0x40000, /* of files that only WSL can make, on which libntfs-3g insists */
};

#define TAG_OF_MICROSOFT UINT32_C(0x80000000)

static const struct metadata_inode *inode_at(const struct apply_ntfs *ntfs, uint32_t inode)
{
    return &ntfs->image->inodes[inode];
}

int ntfs_name_of(struct apply_ntfs *ntfs, const char *text, struct ntfs_name *ret)
{
    buf_clear(&ntfs->name);
    if (!utf16_put(&ntfs->name, bytes_of(text)) || ntfs->name.len > sizeof(ret->units))
        return ERR(-ENOMEM);
    memcpy(ret->units, buf_str(&ntfs->name), ntfs->name.len);
    ret->n_units = (uint8_t)(ntfs->name.len / sizeof(ntfschar));
    return 0;
}

ntfs_inode *ntfs_open_inode(struct apply_ntfs *ntfs, uint32_t inode)
{
    return ntfs_inode_open(ntfs->volume, ntfs->places[inode].number);
}

int ntfs_close_inode(struct apply_ntfs *ntfs, uint32_t inode, ntfs_inode *ni)
{
    return ntfs_inode_close(ni) == 0 ? 0 : ntfs_fail(ntfs, inode, "be written");
}

static size_t descriptor_of(const struct apply_ntfs *ntfs, uint32_t inode)
{
    uint32_t descriptor = inode_at(ntfs, inode)->security;

    return descriptor == METADATA_NONE ? ntfs->image->n_descriptors : descriptor;
}

le32 ntfs_security_of(const struct apply_ntfs *ntfs, uint32_t inode)
{
    return ntfs->security[descriptor_of(ntfs, inode)];
}

/* Return: 0, or 1 with errno; EINVAL: the descriptor is not valid. */
static int put_descriptor(struct apply_ntfs *ntfs, struct bytes descriptor, ntfs_inode *ni)
{
    struct SECURITY_CONTEXT context = {.vol = ntfs->volume};
    OWN(freep) char *copy = NULL;

    errno = EINVAL;
    if (descriptor.len == 0 || descriptor.len > DESCRIPTOR_MAX)
        return 1;
    copy = calloc(1, descriptor.len + DESCRIPTOR_SLACK);
    if (!copy)
        return 1;
    memcpy(copy, descriptor.ptr, descriptor.len);
    errno = EINVAL;
    if (!ntfs_valid_descr(copy, (unsigned)descriptor.len))
        return 1;
    return ntfs_set_ntfs_acl(&context, ni, copy, ntfs_attr_size(copy), 0) == 0 ? 0 : 1;
}

/* libntfs-3g gave a new inode a descriptor of its own: it is made one that all such inodes share. */
static int share_default(struct apply_ntfs *ntfs, ntfs_inode *ni)
{
    struct SECURITY_CONTEXT context = {.vol = ntfs->volume};
    char descriptor[DESCRIPTOR_SLACK];
    int n = ntfs_get_ntfs_acl(&context, ni, descriptor, sizeof(descriptor));

    if (n <= 0 || n > (int)sizeof(descriptor))
        return 0; /* its own is as good */
    return ntfs_set_ntfs_acl(&context, ni, descriptor, (size_t)n, 0) == 0 ? 0 : 1;
}

static int put_security(struct apply_ntfs *ntfs, uint32_t inode, ntfs_inode *ni)
{
    size_t descriptor = descriptor_of(ntfs, inode);
    le32 *known = &ntfs->security[descriptor];
    bool is_new = ni->mft_no != FILE_root && ni->security_id == 0;
    int r = 1;

    if (*known != 0 && *known == ni->security_id)
        return 0;
    errno = EINVAL;
    if (descriptor < ntfs->image->n_descriptors)
        r = put_descriptor(ntfs, ntfs->image->descriptors[descriptor], ni);
    if (r != 0 && errno != EINVAL)
        return ntfs_fail(ntfs, inode, "get its security descriptor");
    if (r != 0 && descriptor < ntfs->image->n_descriptors)
        ntfs_lose(ntfs, NTFS_LOSS_SECURITY, inode);
    if (r != 0 && is_new && share_default(ntfs, ni) != 0)
        return ntfs_fail(ntfs, inode, "get a security descriptor");
    if (r == 0 || is_new)
        *known = ni->security_id;
    return 0;
}

/* A stream becomes compressed when it is opened empty and its inode is. */
static void put_compression(struct apply_ntfs *ntfs, uint32_t inode, ntfs_inode *ni)
{
    const struct metadata_inode *from = inode_at(ntfs, inode);

    if (from->attributes & METADATA_FOLDER)
        return;
    ni->flags &= ~(u32)FILE_ATTR_COMPRESSED;
    if ((from->attributes & METADATA_COMPRESSED) && !(from->attributes & METADATA_ENCRYPTED))
        ni->flags |= FILE_ATTR_COMPRESSED;
}

static int put_empty_streams(struct apply_ntfs *ntfs, uint32_t inode, ntfs_inode *ni)
{
    const struct metadata_inode *from = inode_at(ntfs, inode);
    struct ntfs_name name = {.n_units = 0};

    for (uint32_t i = 0; i < from->n_streams; i++) {
        const struct metadata_stream *stream = &ntfs->image->streams[from->first_stream + i];

        if (stream->name[0] == '\0' || metadata_has_blob(stream))
            continue;

        int r = ntfs_name_of(ntfs, stream->name, &name);

        if (r < 0)
            return TRACE(r);
        if (ntfs_attr_add(ni, AT_DATA, name.units, name.n_units, NULL, 0) != 0 && errno != EEXIST)
            return ntfs_fail(ntfs, inode, "get a stream");
    }
    return 0;
}

int ntfs_put_attributes(struct apply_ntfs *ntfs, uint32_t inode, ntfs_inode *ni)
{
    const struct metadata_inode *from = inode_at(ntfs, inode);
    uint32_t attributes = from->attributes;

    if (attributes & METADATA_ENCRYPTED)
        attributes &= ~(uint32_t)METADATA_COMPRESSED;
    if (ntfs_set_ntfs_attrib(ni, (const char *)&attributes, sizeof(attributes), 0) != 0)
        return ntfs_fail(ntfs, inode, "get its attributes");
    if (from->reparse_tag != 0)
        ni->flags |= from->attributes & ATTRIBUTE_RECALL;
    put_compression(ntfs, inode, ni);
    if (from->has_unix)
        ntfs_lose(ntfs, NTFS_LOSS_UNIX, inode);

    int r = put_security(ntfs, inode, ni);

    return r != 0 ? r : put_empty_streams(ntfs, inode, ni);
}

static bool is_link_empty(const struct apply_ntfs *ntfs, uint32_t inode)
{
    const struct metadata_inode *from = inode_at(ntfs, inode);

    if (!(from->attributes & METADATA_REPARSE))
        return false;

    const struct metadata_stream *data = metadata_unnamed(ntfs->image, from, METADATA_LINK_DATA);

    return !data || !metadata_has_blob(data);
}

bool ntfs_is_indexed(const struct apply_ntfs *ntfs, uint32_t inode)
{
    const struct metadata_inode *from = inode_at(ntfs, inode);

    return from->object_id.len > 0 || from->n_xattrs > 0 || is_link_empty(ntfs, inode);
}

int ntfs_put_reparse(struct apply_ntfs *ntfs, uint32_t inode, ntfs_inode *ni, struct bytes data)
{
    const struct metadata_inode *from = inode_at(ntfs, inode);
    size_t guid = from->reparse_tag & TAG_OF_MICROSOFT ? 0 : REPARSE_GUID;
    uint8_t value[REPARSE_MAX];
    struct sink sink = {.ptr = value, .cap = sizeof(value)};

    errno = EINVAL;
    if (data.len >= guid && data.len <= REPARSE_MAX - REPARSE_HEADER) {
        sink_u32le(&sink, from->reparse_tag);
        sink_u16le(&sink, (uint16_t)(data.len - guid));
        sink_u16le(&sink, from->reparse_extra);
        sink_bytes(&sink, data);
        if (ni->mft_no != FILE_root &&
            ntfs_set_ntfs_reparse_data(ni, (const char *)value, sink.len, 0) == 0)
            return 0;
    }
    if (errno != EINVAL)
        return ntfs_fail(ntfs, inode, "get its reparse point");
    ntfs_lose(ntfs, NTFS_LOSS_REPARSE, inode);
    return 0;
}

static int put_object_id(struct apply_ntfs *ntfs, uint32_t inode, ntfs_inode *ni)
{
    struct bytes id = inode_at(ntfs, inode)->object_id;

    if (id.len == 0)
        return 0;
    errno = EINVAL;
    if (id.len < OBJECT_ID_MIN ||
        ntfs_set_ntfs_object_id(ni, (const char *)id.ptr, id.len, 0) != 0) {
        if (errno != EINVAL && errno != EEXIST)
            return ntfs_fail(ntfs, inode, "get its object identifier");
        ntfs_lose(ntfs, NTFS_LOSS_OBJECT_ID, inode);
    }
    if (ni->mft_no == FILE_root) /* looking for the index opened it a second time */
        ntfs_inode_invalidate(ntfs->volume, FILE_root);
    return 0;
}

/* Linux has its own kinds; what else there is comes from Windows. */
static bool is_of_windows(const struct metadata_xattr *xattr)
{
    static const char *const kinds[] = {"user.", "security.", "trusted.", "system."};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strncmp(xattr->name, kinds[i], strlen(kinds[i])) == 0)
            return false;
    return xattr->name[0] != '\0' && strlen(xattr->name) <= UINT8_MAX;
}

static void add_ea(struct buf *dst, const struct metadata_xattr *xattr)
{
    size_t len = EA_HEADER + strlen(xattr->name) + 1 + xattr->value.len;
    size_t padding = (4 - len % 4) % 4;
    uint8_t header[EA_HEADER];
    struct sink sink = {.ptr = header, .cap = sizeof(header)};

    sink_u32le(&sink, (uint32_t)(len + padding));
    sink_u8(&sink, xattr->flags);
    sink_u8(&sink, (uint8_t)strlen(xattr->name));
    sink_u16le(&sink, (uint16_t)xattr->value.len);
    buf_add(dst, (struct bytes){header, sink.len});
    buf_add(dst, (struct bytes){(const uint8_t *)xattr->name, strlen(xattr->name) + 1});
    buf_add(dst, xattr->value);
    buf_add(dst, (struct bytes){(const uint8_t *)"\0\0\0", padding});
}

static int put_xattrs(struct apply_ntfs *ntfs, uint32_t inode, ntfs_inode *ni)
{
    const struct metadata_inode *from = inode_at(ntfs, inode);
    OWN(buf_fini) struct buf list = BUF_INIT(EA_MAX);
    bool is_lost = false;

    for (uint32_t i = 0; i < from->n_xattrs; i++) {
        const struct metadata_xattr *xattr = &ntfs->image->xattrs[from->first_xattr + i];

        if (is_of_windows(xattr))
            add_ea(&list, xattr);
        else
            is_lost = true;
    }
    errno = EINVAL;
    if (list.failed || (list.len > 0 && ntfs_set_ntfs_ea(ni, buf_str(&list), list.len, 0) != 0)) {
        if (errno != EINVAL)
            return ntfs_fail(ntfs, inode, "get its extended attributes");
        is_lost = true;
    }
    if (is_lost)
        ntfs_lose(ntfs, NTFS_LOSS_XATTRS, inode);
    return 0;
}

int ntfs_put_indexed(struct apply_ntfs *ntfs, uint32_t inode, ntfs_inode *ni)
{
    int r = put_object_id(ntfs, inode, ni);

    if (r == 0)
        r = put_xattrs(ntfs, inode, ni);
    if (r == 0 && is_link_empty(ntfs, inode))
        r = ntfs_put_reparse(ntfs, inode, ni, (struct bytes){0});
    return r;
}

int ntfs_put_times(struct apply_ntfs *ntfs, uint32_t inode, ntfs_inode *ni)
{
    const struct metadata_inode *from = inode_at(ntfs, inode);
    const uint64_t times[] = {from->created, from->written, from->accessed};

    /* after the last write, which would take it back where there is no hole */
    if ((from->attributes & METADATA_SPARSE) && !(from->attributes & METADATA_FOLDER))
        ni->flags |= FILE_ATTR_SPARSE_FILE;
    if (ntfs_inode_set_times(ni, (const char *)times, sizeof(times), 0) == 0)
        return 0;
    return ntfs_fail(ntfs, inode, "get its times");
}
