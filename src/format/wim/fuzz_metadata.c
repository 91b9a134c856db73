/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "format/wim/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want(bool is_so)
{
    if (!is_so)
        abort();
}

/* Whoever uses the model does not look again. */
static void check_inode(const struct metadata *m, size_t i, size_t *n_streams, size_t *n_xattrs)
{
    const struct metadata_inode *inode = &m->inodes[i];
    uint32_t n = 0;

    want(inode->security == METADATA_NONE || inode->security < m->n_descriptors);
    want(inode->first_stream == *n_streams && inode->first_xattr == *n_xattrs);
    want(inode->object_id.len <= METADATA_OBJECT_ID_MAX);
    *n_streams += inode->n_streams;
    *n_xattrs += inode->n_xattrs;
    for (uint32_t k = inode->first_name; k != METADATA_NONE; k = m->names[k].next) {
        want(k < m->n_names && m->names[k].inode == i);
        n++;
    }
    want(n > 0 && n == inode->n_names);
    if ((inode->attributes & METADATA_FOLDER) != 0)
        want(n == 1);
}

/* A folder's name comes before what is in it, so there is no circle. */
static void check_name(const struct metadata *m, size_t i)
{
    const struct metadata_name *name = &m->names[i];
    const struct metadata_inode *parent;

    want((i == 0) == (name->parent == METADATA_NONE));
    want((i == 0) == (name->name[0] == '\0'));
    if (i == 0)
        return;
    want(name->parent < m->n_inodes && name->inode < m->n_inodes);
    parent = &m->inodes[name->parent];
    want((parent->attributes & METADATA_FOLDER) != 0 && parent->first_name < i);
    want(!strchr(name->name, '/') && strcmp(name->name, ".") != 0 && strcmp(name->name, "..") != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(metadata_fini) struct metadata m = {0};
    size_t n_streams = 0;
    size_t n_xattrs = 0;

    if (metadata_parse((struct bytes){data, size}, &m) != 0) {
        want(m.n_inodes == 0 && !m.inodes);
        return 0;
    }
    want(m.n_inodes > 0 && m.names[0].inode == 0);
    for (size_t i = 0; i < m.n_inodes; i++)
        check_inode(&m, i, &n_streams, &n_xattrs);
    want(n_streams == m.n_streams && n_xattrs == m.n_xattrs);
    for (size_t i = 0; i < m.n_names; i++)
        check_name(&m, i);
    return 0;
}
