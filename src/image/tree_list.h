/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The folders, files and links of a tree, collected first, then sorted: a tree goes into the store in the order of
 * the bytes of its paths, which no folder of a file system and no disc has
 *
 * The list is its own queue: who walks a tree adds what is in a folder to the end, until there is no folder
 * left behind the one it has just read.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "format/manifest/manifest.h"

/* Where a tree goes. Return of both: 0; another value ends it. */
struct tree_sink {
    int (*entry)(void *ctx, const struct manifest_entry *entry); /* in order; its bytes come next */
    int (*feed)(void *ctx, struct bytes piece, unsigned percent);
    void *ctx;
};

/* Outcomes of whoever reads a tree, beside 0; @why says which path it is about */
enum {
    TREE_E_REFUSED = 1,   /* something that cannot be kept, or cannot be read */
    TREE_E_CHANGED = 2,   /* something changed while it was read */
    TREE_E_CANCELLED = 3, /* the sink said so */
    TREE_E_FULL = 4,      /* no space left for what has to be put aside */
    TREE_E_UNKNOWN = 5,   /* not what this reads; nothing was given to the sink */
};

struct tree_item {
    struct manifest_entry entry; /* its texts are owned by the list */
    uint64_t device;             /* of a file system; what tells that a file is still the same */
    uint64_t inode;
    uint64_t changed_ns; /* of the inode */
    uint64_t offset;     /* of who puts files aside */
};

struct tree_list {
    struct tree_item *items; /* owned */
    size_t n;
    size_t cap;
    uint64_t size_bytes; /* of all files */
    uint64_t fed_bytes;  /* of tree_list_feed() */
};

void tree_list_fini(struct tree_list *list);

/**
 * tree_list_add() - @item->entry without its texts, which are copied
 * @folder: path of what it is in, "" for the root; may belong to the list
 * @name:   in the folder
 * @target: of a link; otherwise NULL
 *
 * Return: 0; TREE_E_REFUSED if the name is not UTF-8, the path too long, or all of it too large; -ENOMEM.
 */
int tree_list_add(struct tree_list *list,
                  const struct tree_item *item,
                  const char *folder,
                  const char *name,
                  const char *target,
                  struct buf *why);

/* Return: 0, or TREE_E_REFUSED if two have one path. */
int tree_list_sort(struct tree_list *list, struct buf *why);

/* Of a sorted list. Return: NULL if there is none. */
struct tree_item *tree_list_find(const struct tree_list *list, const char *path);

/* Give the sink some bytes of a file. Return: 0 or TREE_E_CANCELLED. */
int tree_list_feed(struct tree_list *list, const struct tree_sink *sink, struct bytes piece);

/* TREE_E_REFUSED, with "@path: @what" in @why. */
int tree_refuse(struct buf *why, const char *path, const char *what);
