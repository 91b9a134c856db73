/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/wim/metadata.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum {
    BLOCK_BYTES = 64 * 1024,
    FIRST_COUNT = 64,
    DESCRIPTORS_MAX = 1024 * 1024,
};

struct metadata_block {
    struct metadata_block *next;
    size_t cap;
    size_t len;
    uint8_t bytes[];
};

void metadata_fini(struct metadata *m)
{
    while (m->blocks) {
        struct metadata_block *block = m->blocks;

        m->blocks = block->next;
        free(block);
    }
    free(m->inodes);
    free(m->names);
    free(m->streams);
    free(m->xattrs);
    free(m->descriptors);
    *m = (struct metadata){0};
}

/* Room for one more of @size bytes. Return: the array, moved perhaps, or NULL. */
static void *grown(void *array, size_t n, size_t *cap, size_t size)
{
    size_t more = *cap > 0 ? 2 * *cap : FIRST_COUNT;
    void *moved;

    if (n < *cap)
        return array;
    if (more > SIZE_MAX / size) /* millions of xattrs, on a computer of 32 bits */
        return NULL;
    moved = realloc(array, more * size);
    if (moved)
        *cap = more;
    return moved;
}

/* A copy that ends in a NUL, which is not counted. Return: NULL if there is no memory. */
static uint8_t *keep(struct metadata *m, struct bytes src)
{
    struct metadata_block *block = m->blocks;
    size_t need = src.len + 1;

    if (!block || need > block->cap - block->len) {
        size_t cap = need > BLOCK_BYTES ? need : BLOCK_BYTES;

        block = malloc(sizeof(*block) + cap);
        if (!block)
            return NULL;
        *block = (struct metadata_block){.next = m->blocks, .cap = cap};
        m->blocks = block;
    }

    uint8_t *copy = block->bytes + block->len;

    if (src.len > 0)
        memcpy(copy, src.ptr, src.len);
    copy[src.len] = 0;
    block->len += need;
    return copy;
}

/* Most names are none: they need no copy. */
static const char *keep_text(struct metadata *m, const char *text)
{
    return text[0] == '\0' ? "" : (const char *)keep(m, bytes_of(text));
}

static bool keep_bytes(struct metadata *m, struct bytes *src)
{
    const uint8_t *copy = src->len > 0 ? keep(m, *src) : NULL;

    if (src->len > 0 && !copy)
        return false;
    src->ptr = copy;
    return true;
}

int metadata_add_inode(struct metadata *m, const struct metadata_inode *inode)
{
    struct metadata_inode copy = *inode;

    if (m->n_inodes >= METADATA_MAX_NAMES || inode->object_id.len > METADATA_OBJECT_ID_MAX)
        return METADATA_E_MALFORMED;
    if (inode->security != METADATA_NONE && inode->security >= m->n_descriptors)
        return METADATA_E_MALFORMED;
    copy.first_stream = (uint32_t)m->n_streams;
    copy.n_streams = 0;
    copy.first_xattr = (uint32_t)m->n_xattrs;
    copy.n_xattrs = 0;
    copy.first_name = METADATA_NONE;
    copy.n_names = 0;

    struct metadata_inode *inodes = grown(m->inodes, m->n_inodes, &m->cap_inodes, sizeof(*inodes));

    if (!inodes)
        return ERR(-ENOMEM);
    m->inodes = inodes;
    if (!keep_bytes(m, &copy.object_id))
        return ERR(-ENOMEM);
    inodes[m->n_inodes++] = copy;
    return 0;
}

int metadata_add_stream(struct metadata *m, const struct metadata_stream *stream)
{
    struct metadata_stream copy = *stream;
    struct metadata_inode *inode = m->n_inodes > 0 ? &m->inodes[m->n_inodes - 1] : NULL;

    assert(inode);
    if (inode->n_streams >= METADATA_MAX_STREAMS || m->n_streams >= METADATA_NONE)
        return METADATA_E_MALFORMED;

    struct metadata_stream *streams =
        grown(m->streams, m->n_streams, &m->cap_streams, sizeof(*streams));

    if (!streams)
        return ERR(-ENOMEM);
    m->streams = streams;
    copy.name = keep_text(m, stream->name);
    if (!copy.name)
        return ERR(-ENOMEM);
    streams[m->n_streams++] = copy;
    inode->n_streams++;
    return 0;
}

int metadata_add_xattr(struct metadata *m, const struct metadata_xattr *xattr)
{
    struct metadata_xattr copy = *xattr;
    struct metadata_inode *inode = m->n_inodes > 0 ? &m->inodes[m->n_inodes - 1] : NULL;

    assert(inode);
    if (inode->n_xattrs >= METADATA_MAX_XATTRS || m->n_xattrs >= METADATA_NONE ||
        xattr->value.len > METADATA_XATTR_VALUE_MAX || xattr->name[0] == '\0' ||
        strlen(xattr->name) > METADATA_XATTR_NAME_MAX)
        return METADATA_E_MALFORMED;

    struct metadata_xattr *xattrs = grown(m->xattrs, m->n_xattrs, &m->cap_xattrs, sizeof(*xattrs));

    if (!xattrs)
        return ERR(-ENOMEM);
    m->xattrs = xattrs;
    copy.name = keep_text(m, xattr->name);
    if (!copy.name || !keep_bytes(m, &copy.value))
        return ERR(-ENOMEM);
    xattrs[m->n_xattrs++] = copy;
    inode->n_xattrs++;
    return 0;
}

/* The first name stays the first; of the others nobody asks for an order. */
static void chain(struct metadata *m, struct metadata_inode *inode, uint32_t name)
{
    if (inode->n_names == 0) {
        inode->first_name = name;
    } else {
        m->names[name].next = m->names[inode->first_name].next;
        m->names[inode->first_name].next = name;
    }
    inode->n_names++;
}

int metadata_add_name(struct metadata *m, const struct metadata_name *name)
{
    struct metadata_name copy = *name;

    assert(name->inode < m->n_inodes);
    if (m->n_names >= METADATA_MAX_NAMES)
        return METADATA_E_MALFORMED;

    struct metadata_name *names = grown(m->names, m->n_names, &m->cap_names, sizeof(*names));

    if (!names)
        return ERR(-ENOMEM);
    m->names = names;
    copy.next = METADATA_NONE;
    copy.name = keep_text(m, name->name);
    copy.short_name = keep_text(m, name->short_name);
    if (!copy.name || !copy.short_name)
        return ERR(-ENOMEM);
    names[m->n_names] = copy;
    chain(m, &m->inodes[name->inode], (uint32_t)m->n_names++);
    return 0;
}

int metadata_add_descriptor(struct metadata *m, struct bytes descriptor)
{
    struct bytes copy = descriptor;

    if (m->n_descriptors >= DESCRIPTORS_MAX || descriptor.len > METADATA_DESCRIPTOR_MAX)
        return METADATA_E_MALFORMED;

    struct bytes *descriptors =
        grown(m->descriptors, m->n_descriptors, &m->cap_descriptors, sizeof(*descriptors));

    if (!descriptors)
        return ERR(-ENOMEM);
    m->descriptors = descriptors;
    if (!keep_bytes(m, &copy))
        return ERR(-ENOMEM);
    descriptors[m->n_descriptors++] = copy;
    return 0;
}

bool metadata_has_blob(const struct metadata_stream *stream)
{
    static const uint8_t none[SHA1_BYTES];

    return memcmp(stream->sha1, none, sizeof(none)) != 0;
}

const struct metadata_stream *metadata_unnamed(const struct metadata *m,
                                               const struct metadata_inode *inode,
                                               enum metadata_stream_kind kind)
{
    for (uint32_t i = 0; i < inode->n_streams; i++) {
        const struct metadata_stream *stream = &m->streams[inode->first_stream + i];

        if (stream->kind == kind && stream->name[0] == '\0')
            return stream;
    }
    return NULL;
}
