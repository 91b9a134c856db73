/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/wim/metadata_put.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "format/wim/utf16.h"

enum {
    ALIGN = 8,
    END_BYTES = 8,     /* behind what lies in a folder */
    ENTRY_BYTES = 102, /* without names */
    LENGTH_BYTES = 8,  /* the first field */
    LIST_AT = 16,      /* in an entry: where the list of what is in it begins */
    STREAM_BYTES = 38, /* without a name */
    ITEM_HEAD_BYTES = 8,
    UNIX_BYTES = 16,
    XATTR_HEAD_BYTES = 4,
    UNIT_BYTES = 2,
    UNUSED_BYTES = 16,
};

#define TAG_OBJECT_ID UINT32_C(1)
#define TAG_XATTRS    UINT32_C(2)
#define TAG_UNIX      UINT32_C(0x337dd873)

/* A name, to be sorted. */
struct child {
    uint32_t parent;
    uint32_t name; /* in metadata.names */
    const char *text;
};

struct folder {
    bool is_one;
    size_t entry_at; /* of its name */
    size_t list_at;  /* of what is in it */
};

struct writer {
    const struct metadata *m; /* borrowed */
    struct child *children;   /* owned; all names but the root's, by folder, then by name */
    size_t n_children;
    struct folder *folders; /* owned; one for each inode */
    struct buf *dst;        /* borrowed */
    size_t begin;           /* of the resource in it */
    bool has_bad_text;
};

static void writer_fini(struct writer *writer)
{
    free(writer->children);
    free(writer->folders);
}

static int compare_children(const void *a, const void *b)
{
    const struct child *x = a;
    const struct child *y = b;

    if (x->parent != y->parent)
        return x->parent < y->parent ? -1 : 1;
    return strcmp(x->text, y->text);
}

/* A reparse point may be a folder too, if something is in it. */
static int make_writer(struct writer *writer)
{
    const struct metadata *m = writer->m;

    writer->children = calloc(m->n_names, sizeof(*writer->children));
    writer->folders = calloc(m->n_inodes, sizeof(*writer->folders));
    if (!writer->children || !writer->folders)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < m->n_inodes; i++)
        writer->folders[i].is_one =
            (m->inodes[i].attributes & (METADATA_FOLDER | METADATA_REPARSE)) == METADATA_FOLDER;
    for (size_t i = 1; i < m->n_names; i++) {
        const struct metadata_name *name = &m->names[i];

        writer->children[writer->n_children++] =
            (struct child){name->parent, (uint32_t)i, name->name};
        writer->folders[name->parent].is_one = true;
    }
    qsort(writer->children, writer->n_children, sizeof(*writer->children), compare_children);
    return 0;
}

static size_t position(const struct writer *writer)
{
    return writer->dst->len - writer->begin;
}

static void add(struct writer *writer, const uint8_t *ptr, size_t n)
{
    buf_add(writer->dst, (struct bytes){ptr, n});
}

static void add_zero(struct writer *writer, size_t n)
{
    static const uint8_t zero[END_BYTES];

    add(writer, zero, n);
}

static void pad(struct writer *writer)
{
    add_zero(writer, (ALIGN - position(writer) % ALIGN) % ALIGN);
}

/* Put a number where a place was left for it. */
static void set_u64(struct writer *writer, size_t at, uint64_t n)
{
    struct sink field = {.cap = LENGTH_BYTES};

    if (writer->dst->failed)
        return;
    field.ptr = (uint8_t *)writer->dst->ptr + writer->begin + at;
    sink_u64le(&field, n);
}

/* With its NUL; nothing at all if it is empty. Return: the bytes without the NUL. */
static uint16_t add_text(struct writer *writer, const char *text)
{
    size_t begin = writer->dst->len;
    size_t n;

    if (!utf16_put(writer->dst, bytes_of(text)))
        writer->has_bad_text = true;
    n = writer->dst->len - begin;
    if (n > (size_t)METADATA_NAME_MAX * UNIT_BYTES)
        writer->has_bad_text = true;
    if (n > 0)
        add_zero(writer, UNIT_BYTES);
    return (uint16_t)n;
}

/* A 16-bit number where a place was left for it. */
static void set_u16(struct writer *writer, size_t at, uint16_t n)
{
    struct sink field = {.cap = sizeof(n)};

    if (writer->dst->failed)
        return;
    field.ptr = (uint8_t *)writer->dst->ptr + writer->begin + at;
    sink_u16le(&field, n);
}

static void add_security(struct writer *writer)
{
    const struct metadata *m = writer->m;
    uint8_t room[LENGTH_BYTES];
    struct sink head = {.ptr = room, .cap = sizeof(room)};
    uint64_t total = LENGTH_BYTES;

    for (size_t i = 0; i < m->n_descriptors; i++)
        total += LENGTH_BYTES + m->descriptors[i].len;
    total += (ALIGN - total % ALIGN) % ALIGN;
    sink_u32le(&head, (uint32_t)total);
    sink_u32le(&head, (uint32_t)m->n_descriptors);
    add(writer, room, head.len);
    for (size_t i = 0; i < m->n_descriptors; i++) {
        head.len = 0;
        sink_u64le(&head, m->descriptors[i].len);
        add(writer, room, head.len);
    }
    for (size_t i = 0; i < m->n_descriptors; i++)
        buf_add(writer->dst, m->descriptors[i]);
    pad(writer);
}

static void add_item_head(struct writer *writer, uint32_t tag, size_t n)
{
    uint8_t room[ITEM_HEAD_BYTES];
    struct sink head = {.ptr = room, .cap = sizeof(room)};

    sink_u32le(&head, tag);
    sink_u32le(&head, (uint32_t)n);
    add(writer, room, head.len);
}

static void add_unix(struct writer *writer, const struct metadata_unix *data)
{
    uint8_t room[UNIX_BYTES];
    struct sink dst = {.ptr = room, .cap = sizeof(room)};

    add_item_head(writer, TAG_UNIX, UNIX_BYTES);
    sink_u32le(&dst, data->uid);
    sink_u32le(&dst, data->gid);
    sink_u32le(&dst, data->mode);
    sink_u32le(&dst, data->rdev);
    add(writer, room, dst.len);
}

static void add_xattrs(struct writer *writer, const struct metadata_inode *inode)
{
    const struct metadata_xattr *xattrs = &writer->m->xattrs[inode->first_xattr];
    size_t n = 0;

    for (uint32_t i = 0; i < inode->n_xattrs; i++)
        n += XATTR_HEAD_BYTES + strlen(xattrs[i].name) + 1 + xattrs[i].value.len;
    add_item_head(writer, TAG_XATTRS, n);
    for (uint32_t i = 0; i < inode->n_xattrs; i++) {
        uint8_t room[XATTR_HEAD_BYTES];
        struct sink head = {.ptr = room, .cap = sizeof(room)};

        sink_u16le(&head, (uint16_t)xattrs[i].value.len);
        sink_u8(&head, (uint8_t)strlen(xattrs[i].name));
        sink_u8(&head, xattrs[i].flags);
        add(writer, room, head.len);
        add(writer, (const uint8_t *)xattrs[i].name, strlen(xattrs[i].name) + 1);
        buf_add(writer->dst, xattrs[i].value);
    }
    pad(writer);
}

static void add_items(struct writer *writer, const struct metadata_inode *inode)
{
    if (inode->object_id.len > 0) {
        add_item_head(writer, TAG_OBJECT_ID, inode->object_id.len);
        buf_add(writer->dst, inode->object_id);
        pad(writer);
    }
    if (inode->has_unix)
        add_unix(writer, &inode->unix_data);
    if (inode->n_xattrs > 0)
        add_xattrs(writer, inode);
}

/* Zeros if there is none. */
static void put_sha1(struct sink *dst, const struct metadata_stream *stream)
{
    if (stream)
        sink_bytes(dst, (struct bytes){stream->sha1, SHA1_BYTES});
    else
        sink_zero(dst, SHA1_BYTES);
}

static void
add_stream(struct writer *writer, const struct metadata_stream *stream, const char *name)
{
    uint8_t room[STREAM_BYTES];
    struct sink dst = {.ptr = room, .cap = sizeof(room)};
    size_t at = position(writer);
    uint16_t n;

    sink_zero(&dst, LENGTH_BYTES + sizeof(uint64_t));
    put_sha1(&dst, stream);
    sink_zero(&dst, sizeof(n));
    add(writer, room, dst.len);
    n = add_text(writer, name);
    set_u16(writer, at + STREAM_BYTES - sizeof(n), n);
    pad(writer);
    set_u64(writer, at, position(writer) - at);
}

/* The contents, as they are or as EFS encrypted them; or NULL */
static const struct metadata_stream *contents(const struct metadata *m,
                                              const struct metadata_inode *inode)
{
    const struct metadata_stream *stream = metadata_unnamed(m, inode, METADATA_EFS_DATA);

    return stream ? stream : metadata_unnamed(m, inode, METADATA_DATA);
}

/* Whether the streams are listed behind the entry: otherwise there is one at most, and the entry has it. */
static bool has_list(const struct metadata *m, const struct metadata_inode *inode)
{
    for (uint32_t i = 0; i < inode->n_streams; i++) {
        const struct metadata_stream *stream = &m->streams[inode->first_stream + i];

        if (stream->kind == METADATA_LINK_DATA || stream->name[0] != '\0')
            return true;
    }
    return false;
}

/* Return: how many they are. */
static uint16_t add_list(struct writer *writer, const struct metadata_inode *inode)
{
    const struct metadata *m = writer->m;
    const struct metadata_stream *link = metadata_unnamed(m, inode, METADATA_LINK_DATA);
    uint16_t n = 1;

    if (link) {
        add_stream(writer, link, "");
        n++;
    }
    add_stream(writer, contents(m, inode), "");
    for (uint32_t i = 0; i < inode->n_streams; i++) {
        const struct metadata_stream *stream = &m->streams[inode->first_stream + i];

        if (stream->name[0] == '\0')
            continue;
        add_stream(writer, stream, stream->name);
        n++;
    }
    return n;
}

/* What kind of thing it is: a reparse point, or one of a group of hard links. */
static void put_kind(struct sink *dst, const struct metadata_inode *inode, uint32_t number)
{
    if ((inode->attributes & METADATA_REPARSE) != 0) {
        sink_u32le(dst, inode->reparse_tag);
        sink_u16le(dst, inode->reparse_extra);
        sink_u16le(dst, inode->reparse_flags);
    } else {
        sink_u64le(dst, inode->n_names > 1 ? (uint64_t)number + 1 : 0);
    }
}

/* The stream that the entry itself names */
static const struct metadata_stream *own_stream(const struct metadata *m,
                                                const struct metadata_inode *inode)
{
    return has_list(m, inode) ? NULL : contents(m, inode);
}

/* The part before the names. The length, the place of the list and the counts are set later. */
static void add_fixed(struct writer *writer, const struct metadata_name *name)
{
    const struct metadata_inode *inode = &writer->m->inodes[name->inode];
    uint8_t room[ENTRY_BYTES];
    struct sink dst = {.ptr = room, .cap = sizeof(room)};

    sink_zero(&dst, LENGTH_BYTES);
    sink_u32le(&dst, inode->attributes);
    sink_u32le(&dst, inode->security);
    sink_zero(&dst, LENGTH_BYTES + UNUSED_BYTES);
    sink_u64le(&dst, inode->created);
    sink_u64le(&dst, inode->accessed);
    sink_u64le(&dst, inode->written);
    put_sha1(&dst, own_stream(writer->m, inode));
    sink_u32le(&dst, 0);
    put_kind(&dst, inode, name->inode);
    sink_zero(&dst, ENTRY_BYTES - dst.len);
    add(writer, room, dst.len);
}

static void add_entry(struct writer *writer, const struct metadata_name *name)
{
    const struct metadata_inode *inode = &writer->m->inodes[name->inode];
    size_t at = position(writer);
    size_t counts_at = at + ENTRY_BYTES - 3 * sizeof(uint16_t); /* streams, short name, name */

    writer->folders[name->inode].entry_at = at;
    add_fixed(writer, name);
    set_u16(writer, counts_at + 2 * sizeof(uint16_t), add_text(writer, name->name));
    set_u16(writer, counts_at + sizeof(uint16_t), add_text(writer, name->short_name));
    pad(writer);
    add_items(writer, inode);
    set_u64(writer, at, position(writer) - at);
    if (has_list(writer->m, inode))
        set_u16(writer, counts_at, add_list(writer, inode));
}

static void add_all(struct writer *writer)
{
    const struct metadata *m = writer->m;
    size_t next = 0;

    add_security(writer);
    add_entry(writer, &m->names[0]);
    add_zero(writer, END_BYTES);
    for (uint32_t i = 0; i < m->n_inodes; i++) {
        if (!writer->folders[i].is_one)
            continue;
        writer->folders[i].list_at = position(writer);
        for (; next < writer->n_children && writer->children[next].parent == i; next++)
            add_entry(writer, &m->names[writer->children[next].name]);
        add_zero(writer, END_BYTES);
    }
    for (size_t i = 0; i < m->n_inodes; i++)
        if (writer->folders[i].is_one)
            set_u64(writer, writer->folders[i].entry_at + LIST_AT, writer->folders[i].list_at);
}

int metadata_put(const struct metadata *m, struct buf *ret)
{
    OWN(writer_fini) struct writer writer = {.m = m, .dst = ret, .begin = ret->len};
    int r = make_writer(&writer);

    if (r < 0)
        return TRACE(r);
    add_all(&writer);
    if (writer.has_bad_text && !ret->failed)
        return METADATA_PUT_E_TEXT;
    if (ret->failed || position(&writer) > METADATA_MAX_BYTES)
        return METADATA_PUT_E_LARGE;
    return 0;
}
