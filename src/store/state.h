/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a store handle is; for the files of this layer
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/pack/names.h"
#include "store/aside.h"
#include "store/index.h"
#include "store/press.h"
#include "store/store.h"

enum {
    STATE_BATCH_PACKS = 16, /* open files at a time; what a kill can cost */
};

struct state_pack { /* a pack that store_put_chunk() has spoken of */
    struct manifest_pack pack;
    uint32_t n_chunks;
    bool is_there; /* a file has its name, as long as it should be */
};

struct store {
    char *root;                /* owned */
    int lock_fd;               /* owned; -1 unless it adds */
    int failed;                /* what adding has come to; 0: nothing */
    struct store_index *index; /* owned; NULL: go on without */

    struct press *press;                    /* owned; NULL until there is something to press */
    struct press_job *open;                 /* borrowed; the pack being filled */
    unsigned n_pressing;                    /* handed in since the last flush */
    struct aside *added[STATE_BATCH_PACKS]; /* owned; of store_add_pack() */
    size_t n_added;

    struct state_pack *packs; /* owned; a pack's number is its place */
    size_t n_packs;
    size_t packs_cap;
    struct names pack_numbers; /* of those packs that have a name */
    struct names chunks;       /* that the index does not know: number << 32 | offset */
};

/* Drop what is not flushed, and forget all packs. */
void put_reset(struct store *store);

/**
 * recover_index() - while nobody else adds: make the index again if it has to be, and teach it the packs that are there
 *
 * Whatever goes wrong, the index is no more than it was.
 */
void recover_index(const char *root);

/* The path of the index. */
void recover_index_path(const char *root, char ret[static STORE_PATH_MAX]);

/* The lock file, made if it is not there. @ret: owned by the caller */
int state_open_lock(const char *root, int *ret);

/* @how: LOCK_EX or LOCK_SH. Return: 0, STORE_E_BUSY, or -errno. */
int state_try_lock(int fd, int how);
