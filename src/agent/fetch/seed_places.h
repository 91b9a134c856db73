/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The chunks that are wanted, and where on the disk they are
 *
 * Chunks are told apart by the 8 bytes and the length that a chunk list has of them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "format/pack/chunk_list.h"
#include "format/pack/pack.h"
#include "format/wim/wim_put.h"

#define SEED_NOWHERE UINT32_MAX

struct seed_place {
    uint8_t key[CHUNK_LIST_KEY_BYTES];
    uint32_t size_bytes; /* 0: the slot is empty */
    uint32_t unit;       /* SEED_NOWHERE: not found */
    uint64_t offset;     /* in the unit: header and contents */
};

struct seed_places {          /* all zero but for @units.max: empty */
    struct seed_place *slots; /* owned */
    size_t cap;               /* a power of two, or 0 */
    size_t n;
    uint8_t lengths[PACK_CHUNK_MAX_BYTES / 8 + 1]; /* a bit for each that is wanted */
    struct buf units;                              /* owned; one after the other, see below */
};

enum seed_unit_kind {
    SEED_FILE = 'f',
    SEED_LINK = 'l',
};

/* Release; may be called twice. Fits OWN(). */
void seed_places_fini(struct seed_places *places);

/* Room for so many chunks. Once, before any is put. */
int seed_places_begin(struct seed_places *places, size_t n_chunks);

/* Want a chunk; there must be room. A length that no chunk has is ignored. */
void seed_places_want(struct seed_places *places, struct chunk_list_chunk chunk);

/* Whether any chunk of that length is wanted. */
bool seed_places_wants(const struct seed_places *places, size_t size);

/* The place of a chunk. Return: NULL if it is not wanted; borrowed. */
struct seed_place *
seed_places_find(const struct seed_places *places, const uint8_t *key, uint32_t size);

/**
 * seed_places_add_unit() - remember a file or link
 * @path: below the root
 *
 * Return: its number, or SEED_NOWHERE if there is no room.
 */
uint32_t
seed_places_add_unit(struct seed_places *places, enum seed_unit_kind kind, const char *path);

/* The resource header of the unit: WIM_RESOURCE_HEADER_BYTES, zero at first; borrowed until a unit is added. */
uint8_t *seed_places_header(struct seed_places *places, uint32_t unit);
enum seed_unit_kind seed_places_kind(const struct seed_places *places, uint32_t unit);
const char *seed_places_path(const struct seed_places *places, uint32_t unit);
