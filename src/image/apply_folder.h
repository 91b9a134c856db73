/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * An image written to a folder: files, folders, links, devices, with owners, modes, xattrs and times
 *
 * Folders are made first, by the thread that reads the stream. Each blob then goes to one of a few threads: a
 * small one whole, which is made into its files at once; of a large one each piece is written where it belongs,
 * while the next arrives. What waits is APPLY_FOLDER_QUEUE_BYTES at most. Folders get their attributes at last.
 */

#include "base/buf.h"
#include "base/own.h"
#include "image/apply_target.h"

enum {
    APPLY_FOLDER_QUEUE_BYTES = 32 * 1024 * 1024,
    APPLY_FOLDER_PIECE_BYTES = 1024 * 1024, /* a larger blob comes in pieces */
};

struct apply_folder;

/**
 * apply_folder_new() - prepare; nothing is written before begin
 * @root: the folder, open; borrowed
 * @why:  borrowed; see apply_target.h
 * @ret:  owned by the caller, after stop
 */
int apply_folder_new(int root, struct buf *why, struct apply_folder **ret);
void apply_folder_free(struct apply_folder *f);
DEFINE_FREEP(struct apply_folder *, apply_folder_free);

/* Borrows from the folder. */
struct apply_target apply_folder_target(struct apply_folder *f);
