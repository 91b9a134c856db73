/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/fetch/seed_places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum {
    HEADER_AT = 1, /* in a unit, behind its kind; then the path and a NUL */
    PATH_AT = HEADER_AT + WIM_RESOURCE_HEADER_BYTES,
    FIRST_SLOTS = 1024,
};

void seed_places_fini(struct seed_places *places)
{
    free(places->slots);
    places->slots = NULL;
    places->cap = 0;
    places->n = 0;
    buf_fini(&places->units);
}

int seed_places_begin(struct seed_places *places, size_t n_chunks)
{
    size_t cap = FIRST_SLOTS;

    while (cap < 2 * n_chunks)
        cap *= 2;
    places->slots = calloc(cap, sizeof(*places->slots));
    if (!places->slots)
        return ERR(-ENOMEM);
    places->cap = cap;
    return 0;
}

/* The slot of the chunk, or the empty one where it belongs. */
static struct seed_place *
find_slot(const struct seed_places *places, const uint8_t *key, uint32_t size)
{
    uint64_t at;

    memcpy(&at, key, sizeof(at));
    for (;; at++) {
        struct seed_place *slot = &places->slots[at & (places->cap - 1)];

        if (slot->size_bytes == 0 ||
            (slot->size_bytes == size && memcmp(slot->key, key, CHUNK_LIST_KEY_BYTES) == 0))
            return slot;
    }
}

void seed_places_want(struct seed_places *places, struct chunk_list_chunk chunk)
{
    struct seed_place *slot;

    if (chunk.size_bytes == 0 || chunk.size_bytes > PACK_CHUNK_MAX_BYTES)
        return; /* there is none such */
    slot = find_slot(places, chunk.key, chunk.size_bytes);
    if (slot->size_bytes != 0)
        return;
    memcpy(slot->key, chunk.key, CHUNK_LIST_KEY_BYTES);
    slot->size_bytes = chunk.size_bytes;
    slot->unit = SEED_NOWHERE;
    places->lengths[chunk.size_bytes / 8] |= (uint8_t)(1U << (chunk.size_bytes % 8));
    places->n++;
}

bool seed_places_wants(const struct seed_places *places, size_t size)
{
    return size <= PACK_CHUNK_MAX_BYTES && (places->lengths[size / 8] >> (size % 8) & 1) != 0;
}

struct seed_place *
seed_places_find(const struct seed_places *places, const uint8_t *key, uint32_t size)
{
    struct seed_place *slot = find_slot(places, key, size);

    return slot->size_bytes != 0 ? slot : NULL;
}

uint32_t
seed_places_add_unit(struct seed_places *places, enum seed_unit_kind kind, const char *path)
{
    static const uint8_t no_header[WIM_RESOURCE_HEADER_BYTES];
    const uint8_t first = (uint8_t)kind;
    size_t at = places->units.len;
    size_t len = strlen(path) + 1;

    if (places->units.max - at < PATH_AT + len)
        return SEED_NOWHERE;
    buf_add(&places->units, (struct bytes){&first, 1});
    buf_add(&places->units, (struct bytes){no_header, sizeof(no_header)});
    buf_add(&places->units, (struct bytes){(const uint8_t *)path, len});
    return places->units.failed ? SEED_NOWHERE : (uint32_t)at;
}

uint8_t *seed_places_header(struct seed_places *places, uint32_t unit)
{
    return (uint8_t *)places->units.ptr + unit + HEADER_AT;
}

enum seed_unit_kind seed_places_kind(const struct seed_places *places, uint32_t unit)
{
    return places->units.ptr[unit] == SEED_LINK ? SEED_LINK : SEED_FILE;
}

const char *seed_places_path(const struct seed_places *places, uint32_t unit)
{
    return places->units.ptr + unit + PATH_AT;
}
