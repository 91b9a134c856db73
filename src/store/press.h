/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Threads that make packs: put the table before the chunks, hash, compress, write aside
 *
 * One thread fills packs and hands them in; while it cuts and hashes on, the packs before are pressed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"
#include "format/pack/pack.h"
#include "store/aside.h"

struct press;

struct press_job {       /* a pack being filled */
    struct aside *aside; /* owned; its table grows */
    size_t chunks_cap;
    size_t chunks_bytes;
    uint8_t *room; /* owned */
    struct press_job *next;
};

/**
 * press_new() - start the threads
 * @root: of the store; borrowed until press_free()
 * @n_threads: 0: as many as there are processors, within reason
 */
int press_new(const char *root, unsigned n_threads, struct press **ret);

/* What is not collected yet is dropped. */
void press_free(struct press *press);
DEFINE_FREEP(struct press *, press_free);

/**
 * press_open() - an empty pack to be filled; waits until there is room for one
 * @ret: to be given to press_submit(); borrowed until then, or until press_free()
 */
int press_open(struct press *press, uint32_t number, struct press_job **ret);

/* Append a chunk, which fits: ask press_is_full() before. */
int press_add(struct press_job *job, struct bytes plain, const uint8_t sha256[static SHA256_BYTES]);

/* Whether the pack has to be closed. */
bool press_is_full(const struct press_job *job);

/* Hand it in. It has a chunk. */
void press_submit(struct press *press, struct press_job *job);

/**
 * press_collect() - wait until everything that was handed in is pressed
 * @ret: a list of *@ret_n asides; borrowed; what they are comes to the caller, one by one
 *
 * Return: 0, or the first STORE_E_FULL or -errno that a thread met; then, too, the list is set.
 */
int press_collect(struct press *press, struct aside ***ret, size_t *ret_n);

/* The asides of the last press_collect() are the caller's from now on. */
void press_forget(struct press *press);
