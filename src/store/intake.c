/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/intake.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "format/pack/cut.h"

enum {
    WINDOW_BYTES = 4 * CUT_MAX_BYTES,
    FIRST_ITEMS = 256,
};

struct intake {
    struct store *store; /* borrowed */
    struct cut cut;
    struct manifest
        manifest; /* owned; its runs have the store's numbers of packs and offsets behind the tables */
    size_t runs_cap;
    size_t entries_cap;
    uint64_t awaited_bytes; /* of the entries so far that were not fed */
    uint8_t *window;        /* owned; WINDOW_BYTES: bytes that are not cut yet */
    size_t window_len;
    uint64_t new_bytes;
    uint64_t n_chunks;
};

void intake_free(struct intake *intake)
{
    if (!intake)
        return;
    manifest_fini(&intake->manifest);
    free(intake->window);
    free(intake);
}

int intake_new(struct store *store, enum manifest_kind kind, struct intake **ret)
{
    OWN(intake_freep) struct intake *intake = calloc(1, sizeof(*intake));

    if (!intake)
        return ERR(-ENOMEM);
    intake->store = store;
    intake->manifest.kind = kind;
    cut_init(&intake->cut);
    intake->window = malloc(WINDOW_BYTES);
    if (!intake->window)
        return ERR(-ENOMEM);
    *ret = TAKE(intake);
    return 0;
}

/* Return: 0, INTAKE_E_TOO_LARGE, or -errno. */
static int reserve_run(struct intake *intake)
{
    struct manifest *manifest = &intake->manifest;
    size_t cap = intake->runs_cap > 0 ? 2 * intake->runs_cap : FIRST_ITEMS;
    struct manifest_run *grown;

    if (manifest->n_runs < intake->runs_cap)
        return 0;
    if (manifest->n_runs == MANIFEST_MAX_RUNS)
        return INTAKE_E_TOO_LARGE;
    grown = realloc(manifest->runs, cap * sizeof(*grown));
    if (!grown)
        return ERR(-ENOMEM);
    manifest->runs = grown;
    intake->runs_cap = cap;
    return 0;
}

/* What continues the run before is a part of it. Return: 0, INTAKE_E_TOO_LARGE, or -errno. */
static int add_run(struct intake *intake, const struct store_place *place, uint32_t size)
{
    struct manifest *manifest = &intake->manifest;
    struct manifest_run *last = manifest->n_runs > 0 ? &manifest->runs[manifest->n_runs - 1] : NULL;
    int r;

    if (last && last->pack == place->pack && last->offset + last->size_bytes == place->offset) {
        last->size_bytes += size;
        return 0;
    }
    r = reserve_run(intake);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    assert(manifest->runs);
    manifest->runs[manifest->n_runs++] = (struct manifest_run){
        .pack = place->pack,
        .offset = place->offset,
        .size_bytes = size,
    };
    return 0;
}

/* It lies there. Return: 0, INTAKE_E_TOO_LARGE, or -errno. */
static int list_chunk(struct intake *intake, const struct store_place *place, uint32_t size)
{
    int r = add_run(intake, place, size);

    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    intake->n_chunks++;
    intake->manifest.size_bytes += size;
    intake->new_bytes += place->is_new ? size : 0;
    return 0;
}

static int add_chunk(struct intake *intake, struct bytes plain)
{
    struct store_place place;
    int r;

    if (plain.len > MANIFEST_MAX_BYTES - intake->manifest.size_bytes)
        return INTAKE_E_TOO_LARGE;
    r = store_put_chunk(intake->store, plain, &place);
    if (r == 0)
        r = list_chunk(intake, &place, (uint32_t)plain.len);
    return r < 0 ? TRACE(r) : r;
}

int intake_chunk(struct intake *intake,
                 const uint8_t sha256[static SHA256_BYTES],
                 uint32_t size_bytes)
{
    struct store_place place;
    int r;

    assert(intake->window_len == 0 && intake->manifest.kind != MANIFEST_TREE);
    if (size_bytes > MANIFEST_MAX_BYTES - intake->manifest.size_bytes)
        return INTAKE_E_TOO_LARGE;
    r = store_find_chunk(intake->store, sha256, size_bytes, &place);
    if (r == 0)
        r = list_chunk(intake, &place, size_bytes);
    return r < 0 ? TRACE(r) : r;
}

/* Cut off every chunk whose end is known. */
static int cut_window(struct intake *intake, bool is_end)
{
    struct bytes rest = {intake->window, intake->window_len};

    for (;;) {
        size_t len = cut_next(&intake->cut, rest, is_end);
        struct bytes plain;
        int r;

        if (len == 0 || !bytes_take(&rest, len, &plain))
            break;
        r = add_chunk(intake, plain);
        if (r != 0)
            return r < 0 ? TRACE(r) : r;
    }
    if (rest.len > 0)
        memmove(intake->window, rest.ptr, rest.len);
    intake->window_len = rest.len;
    return 0;
}

static int feed(struct intake *intake, struct bytes src)
{
    while (src.len > 0) {
        size_t room = WINDOW_BYTES - intake->window_len;
        struct bytes piece;
        int r;

        (void)bytes_take(&src, src.len < room ? src.len : room, &piece);
        memcpy(intake->window + intake->window_len, piece.ptr, piece.len);
        intake->window_len += piece.len;
        if (intake->window_len < WINDOW_BYTES)
            continue;
        r = cut_window(intake, false);
        if (r != 0)
            return r < 0 ? TRACE(r) : r;
    }
    return 0;
}

int intake_feed(struct intake *intake, struct bytes src)
{
    int r;

    if (intake->manifest.kind == MANIFEST_TREE) {
        if (src.len > intake->awaited_bytes)
            return INTAKE_E_ENTRY;
        intake->awaited_bytes -= src.len;
    }
    r = feed(intake, src);
    return r < 0 ? TRACE(r) : r;
}

int intake_cut(struct intake *intake)
{
    int r = cut_window(intake, true);

    return r < 0 ? TRACE(r) : r;
}

/* Return: 0, INTAKE_E_TOO_LARGE, or -errno. */
static int reserve_entry(struct intake *intake)
{
    struct manifest *manifest = &intake->manifest;
    size_t cap = intake->entries_cap > 0 ? 2 * intake->entries_cap : FIRST_ITEMS;
    struct manifest_entry *grown;

    if (manifest->n_entries < intake->entries_cap)
        return 0;
    if (manifest->n_entries == MANIFEST_MAX_ENTRIES)
        return INTAKE_E_TOO_LARGE;
    grown = realloc(manifest->entries, cap * sizeof(*grown));
    if (!grown)
        return ERR(-ENOMEM);
    manifest->entries = grown;
    intake->entries_cap = cap;
    return 0;
}

/* There is room. */
static int copy_entry(struct manifest *manifest, const struct manifest_entry *entry)
{
    OWN(manifest_entry_fini) struct manifest_entry copy = *entry;

    copy.path = strdup(entry->path);
    copy.target = entry->target ? strdup(entry->target) : NULL;
    if (!copy.path || (entry->target && !copy.target))
        return ERR(-ENOMEM);
    manifest->entries[manifest->n_entries++] = copy;
    copy = (struct manifest_entry){0}; /* now in @manifest */
    return 0;
}

int intake_entry(struct intake *intake, const struct manifest_entry *entry)
{
    int r;

    if (intake->awaited_bytes > 0 || !manifest_takes_entry(&intake->manifest, entry))
        return INTAKE_E_ENTRY;
    r = intake_cut(intake);
    if (r == 0)
        r = reserve_entry(intake);
    if (r == 0)
        r = copy_entry(&intake->manifest, entry);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    intake->awaited_bytes = entry->size_bytes;
    return 0;
}

/* Room for the manifest's numbers of packs, by the store's. All 0: none yet. */
static uint32_t *make_numbers(const struct manifest *manifest)
{
    uint32_t max = 0;

    for (size_t i = 0; i < manifest->n_runs; i++)
        max = manifest->runs[i].pack > max ? manifest->runs[i].pack : max;
    return calloc((size_t)max + 1, sizeof(uint32_t));
}

static size_t count_packs(const struct manifest *manifest, uint32_t *numbers)
{
    size_t n = 0;

    for (size_t i = 0; i < manifest->n_runs; i++)
        if (numbers[manifest->runs[i].pack] == 0)
            numbers[manifest->runs[i].pack] = (uint32_t)++n;
    return n;
}

/*
 * Name the packs, now that they have names: runs get the manifest's numbers, in the order of first use, and
 * offsets in the plain packs.
 */
static int name_packs(struct intake *intake)
{
    struct manifest *manifest = &intake->manifest;
    OWN(freep) uint32_t *numbers = make_numbers(manifest); /* plus 1 */
    OWN(freep) struct manifest_pack *packs = NULL;
    size_t n;

    if (!numbers)
        return ERR(-ENOMEM);
    n = count_packs(manifest, numbers);
    if (n > MANIFEST_MAX_PACKS)
        return INTAKE_E_TOO_LARGE;
    packs = calloc(n > 0 ? n : 1, sizeof(*packs));
    if (!packs)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < manifest->n_runs; i++) {
        struct manifest_run *run = &manifest->runs[i];
        uint32_t number = numbers[run->pack] - 1;
        uint32_t table_bytes;

        store_pack(intake->store, run->pack, &packs[number], &table_bytes);
        run->pack = number;
        run->offset += table_bytes;
    }
    manifest->packs = TAKE(packs);
    manifest->n_packs = n;
    return 0;
}

int intake_end(struct intake *intake, uint8_t ret_id[static SHA256_BYTES])
{
    int r;

    assert(!intake->manifest.packs);
    if (intake->awaited_bytes > 0)
        return INTAKE_E_ENTRY;
    r = intake_cut(intake);
    if (r == 0)
        r = store_flush(intake->store);
    if (r == 0)
        r = name_packs(intake);
    if (r == 0)
        r = store_put_manifest(intake->store, &intake->manifest, ret_id);
    return r < 0 ? TRACE(r) : r;
}

struct intake_counts intake_counts(const struct intake *intake)
{
    return (struct intake_counts){
        .size_bytes = intake->manifest.size_bytes,
        .new_bytes = intake->new_bytes,
        .n_chunks = intake->n_chunks,
        .n_entries = intake->manifest.n_entries,
    };
}
