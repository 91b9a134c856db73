/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_ntfs.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "image/apply_ntfs_own.h"
#include "image/wim_apply.h"

/* How many blobs there are to come for each inode. */
static void count_blobs(struct apply_ntfs *ntfs)
{
    const struct metadata *image = ntfs->image;

    for (uint32_t i = 0; i < image->n_inodes; i++) {
        const struct metadata_inode *inode = &image->inodes[i];

        for (uint32_t s = 0; s < inode->n_streams; s++)
            if (metadata_has_blob(&image->streams[inode->first_stream + s]))
                ntfs->places[i].n_blobs++;
    }
}

static int begin(void *ctx, const struct metadata *image)
{
    struct apply_ntfs *ntfs = ctx;

    ntfs->image = image;
    ntfs->places = calloc(image->n_inodes, sizeof(*ntfs->places));
    ntfs->security = calloc(image->n_descriptors + 1, sizeof(*ntfs->security));
    if (!ntfs->places || !ntfs->security)
        return ERR(-ENOMEM);
    count_blobs(ntfs);

    int r = ntfs_mark_volume(ntfs, true);

    return r != 0 ? r : ntfs_make_tree(ntfs);
}

static int blob_begin(void *ctx, const struct apply_blob *blob)
{
    return ntfs_begin_blob(ctx, blob);
}

static int blob_piece(void *ctx, struct bytes piece)
{
    return ntfs_take_piece(ctx, piece);
}

static int blob_end(void *ctx)
{
    return ntfs_end_blob(ctx);
}

/* Folders last: what was made in them changed their times. */
static int put_folder_times(struct apply_ntfs *ntfs)
{
    for (uint32_t i = 0; i < ntfs->image->n_inodes; i++) {
        if (!(ntfs->image->inodes[i].attributes & METADATA_FOLDER))
            continue;

        ntfs_inode *ni = ntfs_open_inode(ntfs, i);
        int r = ni ? ntfs_put_times(ntfs, i, ni) : ntfs_fail(ntfs, i, "be opened");
        int closed = ni ? ntfs_close_inode(ntfs, i, ni) : 0;

        if (r != 0 || closed != 0)
            return r != 0 ? r : closed;
    }
    return 0;
}

static int finish(void *ctx)
{
    struct apply_ntfs *ntfs = ctx;
    int r = put_folder_times(ntfs);

    if (r == 0)
        r = ntfs_settle_volume(ntfs);
    return r != 0 ? r : ntfs_say_lost(ntfs);
}

static void stop(void *ctx)
{
    struct apply_ntfs *ntfs = ctx;

    ntfs_drop_blob(ntfs);
    if (ntfs->folder_inode)
        (void)ntfs_inode_close(ntfs->folder_inode);
    ntfs->folder_inode = NULL;
    ntfs->image = NULL;
}

int apply_ntfs_new(const char *path, struct buf *why, struct apply_ntfs **ret)
{
    OWN(apply_ntfs_freep) struct apply_ntfs *ntfs = calloc(1, sizeof(*ntfs));

    if (!ntfs)
        return ERR(-ENOMEM);
    ntfs->why = why;
    ntfs->name = BUF_INIT(sizeof(ntfschar) * (NTFS_NAME_UNITS + 1));
    ntfs->blob.kept = BUF_INIT(NTFS_PIECE_BYTES);
    ntfs->folder = METADATA_NONE;

    int r = ntfs_open_volume(ntfs, path);

    if (r != 0)
        return r;
    *ret = TAKE(ntfs);
    return 0;
}

void apply_ntfs_free(struct apply_ntfs *ntfs)
{
    if (!ntfs)
        return;
    if (ntfs->volume)
        (void)ntfs_umount(ntfs->volume, 0);
    buf_fini(&ntfs->blob.kept);
    buf_fini(&ntfs->name);
    free(ntfs->security);
    free(ntfs->places);
    free(ntfs);
}

struct apply_target apply_ntfs_target(struct apply_ntfs *ntfs)
{
    return (struct apply_target){
        .ctx = ntfs,
        .begin = begin,
        .blob_begin = blob_begin,
        .blob_piece = blob_piece,
        .blob_end = blob_end,
        .finish = finish,
        .stop = stop,
    };
}
