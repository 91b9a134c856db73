/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the parts of apply_ntfs share
 *
 * libntfs-3g has no memory of which inodes are open. Opened twice, an inode is two copies, of which the one
 * that is closed last wins; and closing a file opens the folders it lies in, setting a reparse point opens the root. So at
 * most one inode of the image is open at a time, and beside it the folder it lies in only where a comment says so.
 */

#include <stdarg.h> /* ntfs-3g's headers use what they do not include, */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <ntfs-3g/types.h> /* and types of their own */

#include <ntfs-3g/attrib.h>
#include <ntfs-3g/inode.h>
#include <ntfs-3g/layout.h>
#include <ntfs-3g/volume.h>

#include "base/buf.h"
#include "format/wim/metadata.h"
#include "image/apply_target.h"

enum {
    NTFS_PIECE_BYTES =
        1024 * 1024, /* what is written at once, if it does not come in longer pieces */
    NTFS_NAME_UNITS = 255,
};

/* What is left out */
enum ntfs_loss {
    NTFS_LOSS_UNIX,
    NTFS_LOSS_XATTRS,
    NTFS_LOSS_ENCRYPTED,
    NTFS_LOSS_SECURITY,
    NTFS_LOSS_SHORT_NAME,
    NTFS_LOSS_REPARSE,
    NTFS_LOSS_OBJECT_ID,
    NTFS_LOSS_FOLDER_DATA,
    NTFS_LOSS_COUNT,
};

struct ntfs_lost {
    size_t n;
    uint32_t first; /* inode of the image */
};

/* Where an inode of the image is */
struct ntfs_place {
    uint64_t number;  /* of its record in the MFT; 0: it has none yet */
    uint32_t n_blobs; /* streams that still come */
};

struct ntfs_name {
    ntfschar units[NTFS_NAME_UNITS];
    uint8_t n_units;
};

/* The blob that is coming */
struct ntfs_blob {
    struct apply_blob blob;
    uint64_t done;   /* bytes of it that were written */
    struct buf kept; /* bytes that were not yet */
    ntfs_inode *inode;
    ntfs_attr *stream; /* of inode; NULL unless there is one use and many bytes */
};

struct apply_ntfs {
    struct buf *why; /* borrowed, as image */
    const struct metadata *image;
    ntfs_volume *volume;
    struct ntfs_place *places; /* of image->n_inodes */
    le32 *security;  /* of image->n_descriptors, and one for what has none; 0: not yet known */
    struct buf name; /* room for UTF-16 */
    struct ntfs_blob blob;
    struct ntfs_lost lost[NTFS_LOSS_COUNT];
    uint32_t folder; /* inode of the image, which is open as folder_inode */
    ntfs_inode *folder_inode;
};

/* apply_ntfs_volume.c */

/**
 * ntfs_fail() - something failed at the target; errno says how
 * @what: "be made"
 *
 * Return: WIM_APPLY_E_TARGET, with "PATH cannot @what: reason" in why, or -ENOMEM.
 */
int ntfs_fail(struct apply_ntfs *ntfs, uint32_t inode, const char *what);

void ntfs_lose(struct apply_ntfs *ntfs, enum ntfs_loss loss, uint32_t inode);

/* Return: 0, or WIM_APPLY_E_LOST with a line for each kind of loss. */
int ntfs_say_lost(struct apply_ntfs *ntfs);

int ntfs_open_volume(struct apply_ntfs *ntfs, const char *path);

/* Everything is on the disk, and the volume needs no check any more; it stays open. */
int ntfs_settle_volume(struct apply_ntfs *ntfs);
int ntfs_mark_volume(struct apply_ntfs *ntfs, bool is_unclean);

/* apply_ntfs_tree.c */

/* Folders, files and links, with all that is not in a blob. */
int ntfs_make_tree(struct apply_ntfs *ntfs);

/* apply_ntfs_inode.c */

/* To UTF-16. Return: 0, or -ENOMEM. */
int ntfs_name_of(struct apply_ntfs *ntfs, const char *text, struct ntfs_name *ret);

ntfs_inode *ntfs_open_inode(struct apply_ntfs *ntfs, uint32_t inode);

/* Close it; no folder may be open. */
int ntfs_close_inode(struct apply_ntfs *ntfs, uint32_t inode, ntfs_inode *ni);

/* The number of the descriptor in $Secure; 0 if it is not there yet. */
le32 ntfs_security_of(const struct apply_ntfs *ntfs, uint32_t inode);

/* Attributes, security, empty streams. A folder may be open. */
int ntfs_put_attributes(struct apply_ntfs *ntfs, uint32_t inode, ntfs_inode *ni);

/* Whether there is something for ntfs_put_indexed(). */
bool ntfs_is_indexed(const struct apply_ntfs *ntfs, uint32_t inode);

/* Object identifier, extended attributes, reparse point without content. No folder may be open. */
int ntfs_put_indexed(struct apply_ntfs *ntfs, uint32_t inode, ntfs_inode *ni);

/* The last thing that is done to an inode. */
int ntfs_put_times(struct apply_ntfs *ntfs, uint32_t inode, ntfs_inode *ni);

/* @data: behind the header, perhaps empty. */
int ntfs_put_reparse(struct apply_ntfs *ntfs, uint32_t inode, ntfs_inode *ni, struct bytes data);

/* apply_ntfs_data.c */

int ntfs_begin_blob(struct apply_ntfs *ntfs, const struct apply_blob *blob);
int ntfs_take_piece(struct apply_ntfs *ntfs, struct bytes piece);
int ntfs_end_blob(struct apply_ntfs *ntfs);
void ntfs_drop_blob(struct apply_ntfs *ntfs);
