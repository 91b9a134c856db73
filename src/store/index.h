/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Which pack a chunk lies in: an SQLite file beside the packs
 *
 * It is a cache. Nothing is lost with it, and nothing here is a reason to fail: whoever meets
 * INDEX_E_UNUSABLE goes on without. What a row says is sealed, so that a damaged file that is still a database
 * does not lead to a wrong place.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/text.h"
#include "format/manifest/manifest.h"
#include "format/pack/pack.h"

struct store_index;

/* Outcomes; there are no errors beside these */
enum {
    INDEX_E_MISSING = 1,  /* no such chunk */
    INDEX_E_UNUSABLE = 2, /* not to be had now; if the file is damaged, it has been removed */
};

/**
 * index_open() - open the file
 * @path:     of the file
 * @may_make: make it if it is missing or unusable; only while nobody else has it open
 *
 * Return: 0, or INDEX_E_UNUSABLE.
 */
int index_open(const char *path, bool may_make, struct store_index **ret);

void index_close(struct store_index *index);
DEFINE_FREEP(struct store_index *, index_close);

struct index_pack {
    struct manifest_pack pack;
    uint32_t n_chunks;
};

struct index_place {
    struct index_pack in;
    uint32_t offset; /* behind the pack's table */
    uint32_t size_bytes;
};

/* Return: 0, INDEX_E_MISSING, or INDEX_E_UNUSABLE. */
int index_find(struct store_index *index,
               const uint8_t sha256[static SHA256_BYTES],
               struct index_place *ret);

/* All that is changed between these two is changed at once. Return: 0, or INDEX_E_UNUSABLE. So below. */
int index_begin(struct store_index *index);
int index_commit(struct store_index *index);

/**
 * index_add() - a pack and its chunks; what is there under its name is replaced
 */
int index_add(struct store_index *index,
              const struct manifest_pack *pack,
              const struct pack *table);

/* Forget a pack and its chunks; it need not be there. */
int index_remove(struct store_index *index, const uint8_t sha256[static SHA256_BYTES]);

/**
 * index_list() - every pack, sorted by name
 * @ret: owned by the caller, free()
 */
int index_list(struct store_index *index, struct manifest_pack **ret, size_t *ret_n);
