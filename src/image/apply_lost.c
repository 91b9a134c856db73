/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_lost.h"

#include <stddef.h>
#include <stdint.h>

#include "format/wim/reparse.h"

enum lost {
    LOST_DESCRIPTORS,
    LOST_STREAMS,
    LOST_REPARSE,
    LOST_ENCRYPTED,
    LOST_ATTRIBUTES,
    LOST_OBJECT_IDS,
    LOST_EAS,
    LOST_COUNT,
};

static const char *const names[LOST_COUNT] = {
    [LOST_DESCRIPTORS] = "security descriptors",
    [LOST_STREAMS] = "alternate data streams",
    [LOST_REPARSE] = "reparse points that are no links",
    [LOST_ENCRYPTED] = "encrypted contents",
    [LOST_ATTRIBUTES] = "attributes of Windows",
    [LOST_OBJECT_IDS] = "object ids",
    [LOST_EAS] = "extended attributes of Windows",
};

static bool
has_kind(const struct metadata *image, const struct metadata_inode *inode, enum lost lost)
{
    for (uint32_t i = 0; i < inode->n_streams; i++) {
        const struct metadata_stream *stream = &image->streams[inode->first_stream + i];

        if (lost == LOST_STREAMS ? stream->name[0] != '\0' : stream->kind == METADATA_EFS_DATA)
            return true;
    }
    return false;
}

static bool
is_lost(const struct metadata *image, const struct metadata_inode *inode, enum lost lost)
{
    static const uint32_t attributes = METADATA_READONLY | METADATA_HIDDEN | METADATA_SYSTEM |
                                       METADATA_COMPRESSED | METADATA_NOT_INDEXED |
                                       METADATA_ENCRYPTED;

    switch (lost) {
    case LOST_DESCRIPTORS:
        return inode->security != METADATA_NONE;
    case LOST_STREAMS:
    case LOST_ENCRYPTED:
        return has_kind(image, inode, lost);
    case LOST_REPARSE:
        return (inode->attributes & METADATA_REPARSE) != 0 && !reparse_is_link(inode->reparse_tag);
    case LOST_ATTRIBUTES:
        return (inode->attributes & attributes) != 0;
    case LOST_OBJECT_IDS:
        return inode->object_id.len > 0;
    case LOST_EAS:
        return !inode->has_unix && inode->n_xattrs > 0;
    case LOST_COUNT:
    default:
        return false;
    }
}

bool apply_lost(const struct metadata *image, unsigned n_xattrs, struct buf *why)
{
    bool has_any = n_xattrs > 0;

    if (n_xattrs > 0)
        buf_addf(why, "The file system has no place for %u extended attributes", n_xattrs);
    for (enum lost lost = 0; lost < LOST_COUNT; lost++) {
        size_t n = 0;

        for (size_t i = 0; i < image->n_inodes; i++)
            n += is_lost(image, &image->inodes[i], lost);
        if (n == 0)
            continue;
        buf_addf(why,
                 "%sA folder has no place for %s, which %zu files have",
                 has_any ? "\n" : "",
                 names[lost],
                 n);
        has_any = true;
    }
    return has_any;
}
