/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Where an image is written to: what wim_apply() hands its contents to
 *
 * There are two: a folder (apply_folder.h) and an NTFS volume (apply_ntfs.h). The functions are called from one
 * thread, in this order: begin; for each blob, in the order of the stream: blob_begin, blob_piece any
 * number of times, blob_end; finish; and at last, whatever happened since begin was called, stop. After anything
 * but 0 nothing but stop is called.
 *
 * Every blob that the metadata names comes once, before finish. Its bytes are those that were captured:
 * they were checked against SHA-256 where they arrived, so a back end does not hash them (docs/decisions/0008).
 *
 * Return of each: 0; WIM_APPLY_E_STREAM if the image is at fault, WIM_APPLY_E_TARGET if the target is, or, from
 * finish only, WIM_APPLY_E_LOST, all with a sentence, which names the file, appended to the buffer that the back
 * end got when it was made; or -errno.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "format/wim/metadata.h"

/* A stream that is made of a blob. */
struct apply_use {
    uint32_t inode;  /* index in metadata.inodes */
    uint32_t stream; /* index in metadata.streams */
};

struct apply_blob {
    const uint8_t *sha1; /* SHA1_BYTES; borrowed until blob_end */
    uint64_t size_bytes;
    const struct apply_use *uses; /* by inode, then stream; borrowed as long as the metadata */
    size_t n_uses;                /* at least 1 */
};

struct apply_target {
    void *ctx;

    /* @image: borrowed until stop returned */
    int (*begin)(void *ctx, const struct metadata *image);
    int (*blob_begin)(void *ctx, const struct apply_blob *blob);
    int (*blob_piece)(void *ctx,
                      struct bytes piece); /* not empty; @piece is borrowed for the call */
    int (*blob_end)(void *ctx);

    /* All is there: what comes last is done, and everything is on the disk when it returns. */
    int (*finish)(void *ctx);

    /* Threads end, files are closed; nothing that was borrowed is looked at any more. */
    void (*stop)(void *ctx);
};
