/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "format/wim/metadata.h"
#include "format/wim/metadata_items.h"
#include "format/wim/utf16.h"

enum {
    DENTRY_BYTES = 102, /* before its names */
    STREAM_BYTES = 38,  /* of an entry for another stream, before its name */
    END_BYTES = 8,      /* a length up to that ends a folder */
    DESCRIPTORS_MAX = 1024 * 1024,
    TEXT_MAX = 3 * METADATA_NAME_MAX + 1,
    PROBES_MAX = 1024, /* chosen collisions cost no more than that each */
    FIRST_SLOTS = 1024,
};

/* A dentry as it lies in the resource */
struct dentry {
    struct metadata_inode inode;
    uint8_t sha1[SHA1_BYTES];
    uint64_t folder_at; /* where its children lie, or 0 */
    uint64_t link_group;
    size_t n_streams; /* besides its own */
    struct bytes name;
    struct bytes short_name;
    struct bytes items;   /* tagged */
    struct bytes streams; /* the entries of those streams */
    size_t size;          /* of all that, to the next dentry */
};

struct link {
    uint64_t group; /* 0: the slot is free */
    uint32_t inode;
    uint8_t sha1[SHA1_BYTES];
};

struct folder {
    uint64_t at;
    uint32_t inode;
    uint32_t depth;
};

struct reader {
    struct bytes all;
    size_t
        budget; /* what may still be read: each byte belongs to one dentry, so a circle has an end */
    struct metadata *m;
    struct link *links; /* owned, as all below */
    size_t n_links;
    size_t cap_links;
    struct folder *folders;
    size_t n_folders;
    size_t cap_folders;
    const char **sorted;
    size_t cap_sorted;
};

static void reader_fini(struct reader *reader)
{
    free(reader->links);
    free(reader->folders);
    free(reader->sorted);
}

static size_t aligned(size_t n)
{
    return (n + 7) & ~(size_t)7;
}

/* A length from the resource, rounded up. Return: false if it is above @max. */
static bool take_aligned(uint64_t n, size_t max, size_t *ret)
{
    if (n > max)
        return false;
    *ret = aligned((size_t)n) > max ? max : aligned((size_t)n);
    return true;
}

static int parse_descriptors(struct reader *reader, size_t *ret_end)
{
    struct bytes src = reader->all;
    struct bytes sizes;
    uint32_t total;
    uint32_t n;

    if (!bytes_take_u32le(&src, &total) || !bytes_take_u32le(&src, &n) || n > DESCRIPTORS_MAX)
        return METADATA_E_MALFORMED;
    if (total == 0)
        total = 8;
    if (total < 8 || total - 8 > src.len)
        return METADATA_E_MALFORMED;
    src.len = total - 8;
    if (!bytes_take(&src, (size_t)n * 8, &sizes))
        return METADATA_E_MALFORMED;
    for (uint32_t i = 0; i < n; i++) {
        struct bytes descriptor;
        uint64_t size;
        int r;

        if (!bytes_take_u64le(&sizes, &size) || size > METADATA_DESCRIPTOR_MAX ||
            !bytes_take(&src, (size_t)size, &descriptor))
            return METADATA_E_MALFORMED;
        r = metadata_add_descriptor(reader->m, descriptor);
        if (r != 0)
            return TRACE(r);
    }
    *ret_end = aligned(total);
    return 0;
}

/* Names are followed by a NUL that their length does not count, if there is a name. */
static bool take_name(struct bytes *src, uint16_t size, struct bytes *ret)
{
    struct bytes nul;

    *ret = (struct bytes){0};
    return size == 0 || (size % 2 == 0 && bytes_take(src, size, ret) && bytes_take(src, 2, &nul));
}

static bool take_times(struct bytes *src, struct metadata_inode *inode)
{
    return bytes_take_u64le(src, &inode->created) && bytes_take_u64le(src, &inode->accessed) &&
           bytes_take_u64le(src, &inode->written);
}

/* Eight bytes: of a reparse point what it is, of others their hard link group. */
static bool take_link_or_reparse(struct bytes *src, struct dentry *d)
{
    if ((d->inode.attributes & METADATA_REPARSE) == 0)
        return bytes_take_u64le(src, &d->link_group);
    return bytes_take_u32le(src, &d->inode.reparse_tag) &&
           bytes_take_u16le(src, &d->inode.reparse_extra) &&
           bytes_take_u16le(src, &d->inode.reparse_flags);
}

/* @src: from the dentry's second field to the end of what its length counts */
static bool parse_fields(struct bytes src, size_t length, struct dentry *d)
{
    struct bytes unused;
    struct bytes sha1;
    uint32_t security;
    uint16_t n_streams;
    uint16_t short_size;
    uint16_t size;

    if (!bytes_take_u32le(&src, &d->inode.attributes) || !bytes_take_u32le(&src, &security) ||
        !bytes_take_u64le(&src, &d->folder_at) || !bytes_take(&src, 16, &unused) ||
        !take_times(&src, &d->inode) || !bytes_take(&src, SHA1_BYTES, &sha1) ||
        !bytes_take(&src, 4, &unused) || !take_link_or_reparse(&src, d) ||
        !bytes_take_u16le(&src, &n_streams) || !bytes_take_u16le(&src, &short_size) ||
        !bytes_take_u16le(&src, &size) || !take_name(&src, size, &d->name) ||
        !take_name(&src, short_size, &d->short_name))
        return false;
    memcpy(d->sha1, sha1.ptr, SHA1_BYTES);
    d->inode.security = security > INT32_MAX ? METADATA_NONE : security;
    d->n_streams = n_streams;

    size_t used = length - src.len;

    if (bytes_take(&src, aligned(used) - used, &unused))
        d->items = src;
    return true;
}

/* @src: split off the entry of a stream; @ret: what lies behind its length, without padding */
static bool take_stream(struct bytes *src, struct bytes *ret)
{
    struct bytes view = *src;
    uint64_t length;
    size_t size;

    if (!bytes_take_u64le(&view, &length) || length < STREAM_BYTES ||
        !take_aligned(length, src->len, &size) || !bytes_take(src, size, ret))
        return false;
    ret->ptr += 8;
    ret->len = (size_t)length - 8;
    return true;
}

/* The dentry at @at. @ret->size: 0 at the end of a folder */
static bool parse_dentry(struct reader *reader, uint64_t at, struct dentry *ret)
{
    struct bytes src = reader->all;
    struct bytes skipped;
    struct bytes head;
    uint64_t length;
    size_t size;

    *ret = (struct dentry){0};
    if (at > src.len || !bytes_take(&src, (size_t)at, &skipped))
        return false;
    head = src;
    if (!bytes_take_u64le(&head, &length))
        return false;
    if (length <= END_BYTES)
        return true;
    if (length < DENTRY_BYTES || !take_aligned(length, src.len, &size))
        return false;
    head.len = (size_t)length - 8;
    if (!parse_fields(head, (size_t)length, ret) || !bytes_take(&src, size, &skipped))
        return false;

    struct bytes rest = src;

    for (size_t i = 0; i < ret->n_streams; i++)
        if (!take_stream(&rest, &skipped))
            return false;
    ret->streams = (struct bytes){src.ptr, src.len - rest.len};
    ret->size = size + ret->streams.len;
    if (ret->size > reader->budget)
        return false;
    reader->budget -= ret->size;
    return true;
}

static bool is_zero(const uint8_t sha1[static SHA1_BYTES])
{
    static const uint8_t zero[SHA1_BYTES];

    return memcmp(sha1, zero, sizeof(zero)) == 0;
}

/* Of an entry that take_stream() gave. */
static bool parse_stream(struct bytes src, struct bytes *ret_name, const uint8_t **ret_sha1)
{
    struct bytes reserved;
    struct bytes sha1;
    uint16_t size;

    if (!bytes_take(&src, 8, &reserved) || !bytes_take(&src, SHA1_BYTES, &sha1) ||
        !bytes_take_u16le(&src, &size) || !take_name(&src, size, ret_name))
        return false;
    *ret_sha1 = sha1.ptr;
    return true;
}

/* The hash that decides whether two names of a hard link group are one inode. */
static void unnamed_sha1(const struct dentry *d, uint8_t ret[static SHA1_BYTES])
{
    struct bytes rest = d->streams;
    struct bytes entry;

    memcpy(ret, d->sha1, SHA1_BYTES);
    while (is_zero(ret) && rest.len > 0 && take_stream(&rest, &entry)) {
        const uint8_t *sha1;
        struct bytes name;

        if (parse_stream(entry, &name, &sha1) && name.len == 0)
            memcpy(ret, sha1, SHA1_BYTES);
    }
}

static int add_stream(struct metadata *m,
                      enum metadata_stream_kind kind,
                      const char *name,
                      const uint8_t *sha1)
{
    struct metadata_stream stream = {.kind = kind, .name = name};

    memcpy(stream.sha1, sha1, SHA1_BYTES);
    return metadata_add_stream(m, &stream);
}

/* What has been seen of an inode's streams. */
struct unnamed {
    bool has_link_data;
    bool has_data;
};

/* Which of the streams without names is which: their order says it. */
static int add_unnamed(struct reader *reader,
                       const struct dentry *d,
                       const uint8_t *sha1,
                       struct unnamed *seen)
{
    uint32_t attributes = d->inode.attributes;
    bool is_folder = (attributes & METADATA_FOLDER) != 0;

    if ((attributes & METADATA_REPARSE) != 0 && !seen->has_link_data) {
        seen->has_link_data = true;
        return add_stream(reader->m, METADATA_LINK_DATA, "", sha1);
    }
    if (seen->has_data || is_folder || is_zero(sha1))
        return 0;
    seen->has_data = true;
    return add_stream(reader->m,
                      (attributes & METADATA_ENCRYPTED) != 0 ? METADATA_EFS_DATA : METADATA_DATA,
                      "",
                      sha1);
}

static int add_streams(struct reader *reader, const struct dentry *d)
{
    struct bytes rest = d->streams;
    struct bytes entry;
    struct unnamed seen = {0};
    int r = is_zero(d->sha1) ? 0 : add_unnamed(reader, d, d->sha1, &seen);

    while (r == 0 && rest.len > 0 && take_stream(&rest, &entry)) {
        char text[TEXT_MAX];
        const uint8_t *sha1;
        struct bytes name;

        if (!parse_stream(entry, &name, &sha1) || !utf16_to_utf8(name, text, sizeof(text)))
            return METADATA_E_MALFORMED;
        r = name.len > 0 ? add_stream(reader->m, METADATA_DATA, text, sha1)
                         : add_unnamed(reader, d, sha1, &seen);
    }
    if (r == 0 && is_zero(d->sha1) && !seen.has_link_data &&
        (d->inode.attributes & METADATA_REPARSE) != 0)
        r = add_unnamed(reader, d, d->sha1, &seen);
    return TRACE(r);
}

static int add_inode(struct reader *reader, struct dentry *d, uint32_t *ret)
{
    int r;

    if (!metadata_items_parse(d->items, &d->inode))
        return METADATA_E_MALFORMED;
    *ret = (uint32_t)reader->m->n_inodes;
    r = metadata_add_inode(reader->m, &d->inode);
    if (r == 0)
        r = add_streams(reader, d);
    if (r == 0)
        r = metadata_items_add(reader->m, d->items);
    return TRACE(r);
}

static size_t first_slot(const struct reader *reader, uint64_t group, const uint8_t *sha1)
{
    uint64_t hash;

    memcpy(&hash, sha1, sizeof(hash));
    hash = (hash ^ group) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(hash >> 32) & (reader->cap_links - 1);
}

/* The slot of that link, or the free one where it belongs; NULL if there are too many others around it. */
static struct link *find_link(const struct reader *reader, uint64_t group, const uint8_t *sha1)
{
    size_t at = first_slot(reader, group, sha1);

    assert(reader->links);
    for (size_t i = 0; i < PROBES_MAX; i++) {
        struct link *link = &reader->links[(at + i) & (reader->cap_links - 1)];

        if (link->group == 0 || (link->group == group && memcmp(link->sha1, sha1, SHA1_BYTES) == 0))
            return link;
    }
    return NULL;
}

static int grow_links(struct reader *reader)
{
    struct reader more = {.cap_links = reader->cap_links > 0 ? 2 * reader->cap_links : FIRST_SLOTS};

    more.links = calloc(more.cap_links, sizeof(*more.links));
    if (!more.links)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < reader->cap_links; i++) {
        const struct link *link = &reader->links[i];
        struct link *slot = link->group == 0 ? NULL : find_link(&more, link->group, link->sha1);

        if (slot)
            *slot = *link;
    }
    free(reader->links);
    reader->links = more.links;
    reader->cap_links = more.cap_links;
    return 0;
}

/* The inode of a name: one that is there already if it is a hard link. */
static int inode_of(struct reader *reader, struct dentry *d, uint32_t *ret)
{
    uint8_t sha1[SHA1_BYTES];
    struct link *link;
    int r;

    if (d->link_group == 0 || (d->inode.attributes & METADATA_FOLDER) != 0)
        return TRACE(add_inode(reader, d, ret));
    if (2 * reader->n_links >= reader->cap_links) {
        r = grow_links(reader);
        if (r < 0)
            return TRACE(r);
    }
    unnamed_sha1(d, sha1);
    link = find_link(reader, d->link_group, sha1);
    if (!link)
        return METADATA_E_MALFORMED;
    if (link->group != 0) {
        *ret = link->inode;
        return 0;
    }
    r = add_inode(reader, d, ret);
    if (r != 0)
        return TRACE(r);
    *link = (struct link){.group = d->link_group, .inode = *ret};
    memcpy(link->sha1, sha1, SHA1_BYTES);
    reader->n_links++;
    return 0;
}

static bool is_name(const char *name)
{
    return name[0] != '\0' && !strchr(name, '/') && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

static int add_folder(struct reader *reader, const struct folder *folder)
{
    if (reader->n_folders == reader->cap_folders) {
        size_t cap = reader->cap_folders > 0 ? 2 * reader->cap_folders : FIRST_SLOTS;
        struct folder *folders = realloc(reader->folders, cap * sizeof(*folders));

        if (!folders)
            return ERR(-ENOMEM);
        reader->folders = folders;
        reader->cap_folders = cap;
    }
    reader->folders[reader->n_folders++] = *folder;
    return 0;
}

/* @parent: NULL for the root, whose name is not looked at */
static int add_dentry(struct reader *reader, const struct folder *parent, struct dentry *d)
{
    char name[TEXT_MAX] = "";
    char short_name[TEXT_MAX] = "";
    struct folder folder = {.at = d->folder_at, .depth = parent ? parent->depth + 1 : 0};
    int r;

    if (parent &&
        (!utf16_to_utf8(d->name, name, sizeof(name)) || !is_name(name) ||
         !utf16_to_utf8(d->short_name, short_name, sizeof(short_name)) || strchr(short_name, '/')))
        return METADATA_E_MALFORMED;
    r = inode_of(reader, d, &folder.inode);
    if (r != 0)
        return TRACE(r);
    r = metadata_add_name(reader->m,
                          &(struct metadata_name){.name = name,
                                                  .short_name = short_name,
                                                  .parent = parent ? parent->inode : METADATA_NONE,
                                                  .inode = folder.inode});
    if (r != 0 || folder.at == 0 || (d->inode.attributes & METADATA_FOLDER) == 0)
        return TRACE(r);
    return folder.depth <= METADATA_MAX_DEPTH ? add_folder(reader, &folder) : METADATA_E_MALFORMED;
}

static int compare(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return strcmp(*left, *right);
}

/* Of the names from @first on, which are those of one folder. */
static int check_different(struct reader *reader, size_t first)
{
    size_t n = reader->m->n_names - first;

    if (n > reader->cap_sorted) {
        const char **sorted = realloc(reader->sorted, 2 * n * sizeof(*sorted));

        if (!sorted)
            return ERR(-ENOMEM);
        reader->sorted = sorted;
        reader->cap_sorted = 2 * n;
    }
    for (size_t i = 0; i < n; i++)
        reader->sorted[i] = reader->m->names[first + i].name;
    if (n > 1)
        qsort(reader->sorted, n, sizeof(*reader->sorted), compare);
    for (size_t i = 1; i < n; i++)
        if (strcmp(reader->sorted[i - 1], reader->sorted[i]) == 0)
            return METADATA_E_MALFORMED;
    return 0;
}

static int parse_folder(struct reader *reader, const struct folder *folder)
{
    size_t first = reader->m->n_names;
    uint64_t at = folder->at;

    for (;;) {
        struct dentry d;
        int r;

        if (!parse_dentry(reader, at, &d))
            return METADATA_E_MALFORMED;
        if (d.size == 0)
            return TRACE(check_different(reader, first));
        r = add_dentry(reader, folder, &d);
        if (r != 0)
            return TRACE(r);
        at += d.size;
    }
}

static int parse(struct reader *reader)
{
    struct dentry root;
    size_t at = 0;
    int r;

    if (reader->all.len > METADATA_MAX_BYTES)
        return METADATA_E_MALFORMED;
    r = parse_descriptors(reader, &at);
    if (r != 0)
        return TRACE(r);
    if (!parse_dentry(reader, at, &root) || root.size == 0 ||
        (root.inode.attributes & (METADATA_FOLDER | METADATA_REPARSE)) != METADATA_FOLDER)
        return METADATA_E_MALFORMED;
    r = add_dentry(reader, NULL, &root);
    for (size_t i = 0; r == 0 && i < reader->n_folders; i++) {
        struct folder folder = reader->folders[i]; /* they move when there are more */

        r = parse_folder(reader, &folder);
    }
    return TRACE(r);
}

int metadata_parse(struct bytes src, struct metadata *ret)
{
    OWN(metadata_fini) struct metadata m = {0};
    OWN(reader_fini) struct reader reader = {.all = src, .budget = src.len, .m = &m};
    int r;

    *ret = (struct metadata){0};
    r = parse(&reader);
    if (r != 0)
        return TRACE(r);
    *ret = m;
    m = (struct metadata){0};
    return 0;
}
