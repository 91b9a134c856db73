/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/manifest/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "format/manifest/entry.h"
#include "format/pack/pack.h"

enum {
    /* shortest lines, with the newline */
    /* two digits of plain bytes, one of stored ones */
    PACK_LINE_MIN_BYTES = 2 * SHA256_BYTES + 2 * MANIFEST_CHECK_BYTES + 7,
    RUN_LINE_MIN_BYTES = 7,                            /* "0 52 1" */
    ENTRY_LINE_MIN_BYTES = 10,                         /* "d 0 0 0 a" */
    CHUNKS_BEGIN = PACK_HEAD_BYTES + PACK_ENTRY_BYTES, /* no chunk lies before it */
};

static const char *const kinds[MANIFEST_KIND_COUNT] = {
    [MANIFEST_OS_IMAGE_INDEX] = "os-image-index",
    [MANIFEST_FILE] = "file",
    [MANIFEST_TREE] = "tree",
};

void manifest_fini(struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->n_entries; i++)
        manifest_entry_fini(&manifest->entries[i]);
    free(manifest->packs);
    free(manifest->runs);
    free(manifest->entries);
    *manifest = (struct manifest){0};
}

static bool take_line(struct bytes *src, struct bytes *ret)
{
    const uint8_t *end = src->len > 0 ? memchr(src->ptr, '\n', src->len) : NULL;
    struct bytes newline;

    return end && bytes_take(src, (size_t)(end - src->ptr), ret) && bytes_take(src, 1, &newline);
}

/* The rest of a line that begins with @word. */
static bool take_field(struct bytes *src, const char *word, struct bytes *ret)
{
    struct bytes line;
    struct bytes head;

    if (!take_line(src, &line) || !bytes_take(&line, strlen(word), &head))
        return false;
    *ret = line;
    return bytes_eq(head, bytes_of(word));
}

static bool take_number(struct bytes *src, const char *word, uint64_t max, uint64_t *ret)
{
    struct bytes digits;

    return take_field(src, word, &digits) && entry_parse_number(digits, 0, max, ret);
}

static bool take_kind(struct bytes *src, enum manifest_kind *ret)
{
    struct bytes word;

    if (!take_field(src, "kind ", &word))
        return false;
    for (enum manifest_kind kind = 0; kind < MANIFEST_KIND_COUNT; kind++)
        if (bytes_eq(word, bytes_of(kinds[kind]))) {
            *ret = kind;
            return true;
        }
    return false;
}

/* A number in a line, with the space behind it. */
static bool take_u32(struct bytes *line, uint64_t min, uint64_t max, uint32_t *ret)
{
    struct bytes word;
    uint64_t number;

    if (!entry_take_word(line, &word) || !entry_parse_number(word, min, max, &number))
        return false;
    *ret = (uint32_t)number;
    return true;
}

/* A number that is the rest of a line. */
static bool last_u32(struct bytes line, uint64_t min, uint64_t max, uint32_t *ret)
{
    uint64_t number;

    if (!entry_parse_number(line, min, max, &number))
        return false;
    *ret = (uint32_t)number;
    return true;
}

static bool is_lower_hex(struct bytes src)
{
    for (size_t i = 0; i < src.len; i++)
        if (src.ptr[i] >= 'A' && src.ptr[i] <= 'F')
            return false;
    return true;
}

static bool take_pack(struct bytes *src, struct manifest_pack *ret)
{
    struct bytes line;
    struct bytes name;

    return take_line(src, &line) && entry_take_word(&line, &name) && is_lower_hex(name) &&
           hex_parse(name, SHA256_BYTES, ret->sha256) &&
           take_u32(&line, PACK_MIN_BYTES, PACK_MAX_BYTES, &ret->plain_bytes) &&
           take_u32(&line, 1, PACK_STORED_MAX_BYTES, &ret->stored_bytes) && is_lower_hex(line) &&
           hex_parse(line, MANIFEST_CHECK_BYTES, ret->check);
}

static bool take_run(struct bytes *src, const struct manifest *manifest, struct manifest_run *ret)
{
    struct bytes line;

    if (manifest->n_packs == 0 || !take_line(src, &line) ||
        !take_u32(&line, 0, manifest->n_packs - 1, &ret->pack))
        return false;

    uint32_t end = manifest->packs[ret->pack].plain_bytes;

    return take_u32(&line, CHUNKS_BEGIN, end - 1, &ret->offset) &&
           last_u32(line, 1, end - ret->offset, &ret->size_bytes);
}

/* Room for @n things, all zero; NULL only without memory. */
static void *make_room(uint64_t n, size_t size)
{
    return calloc(n > 0 ? (size_t)n : 1, size);
}

/* The line "WORD n", if @src can have n lines behind it. */
static bool
take_count(struct bytes *src, const char *word, uint64_t max, size_t line_min, uint64_t *ret)
{
    return take_number(src, word, max, ret) && *ret <= src->len / line_min;
}

static int compare_packs(const void *a, const void *b)
{
    const struct manifest_pack *const *pack_a = a;
    const struct manifest_pack *const *pack_b = b;

    return memcmp((*pack_a)->sha256, (*pack_b)->sha256, SHA256_BYTES);
}

/* Return: 0, MANIFEST_E_MALFORMED, or -ENOMEM. */
static int check_packs_differ(const struct manifest *manifest)
{
    OWN(freep)
    const struct manifest_pack **sorted =
        make_room(manifest->n_packs, sizeof(const struct manifest_pack *));

    if (!sorted)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < manifest->n_packs; i++)
        sorted[i] = &manifest->packs[i];
    qsort(sorted, manifest->n_packs, sizeof(const struct manifest_pack *), compare_packs);
    for (size_t i = 1; i < manifest->n_packs; i++)
        if (compare_packs(&sorted[i - 1], &sorted[i]) == 0)
            return MANIFEST_E_MALFORMED;
    return 0;
}

/* Return: 0, MANIFEST_E_MALFORMED, or -ENOMEM. So the next two. */
static int take_packs(struct bytes *src, struct manifest *manifest)
{
    uint64_t n;

    if (!take_count(src, "packs ", MANIFEST_MAX_PACKS, PACK_LINE_MIN_BYTES, &n))
        return MANIFEST_E_MALFORMED;
    manifest->packs = make_room(n, sizeof(*manifest->packs));
    if (!manifest->packs)
        return ERR(-ENOMEM);
    manifest->n_packs = (size_t)n;
    for (size_t i = 0; i < n; i++)
        if (!take_pack(src, &manifest->packs[i]))
            return MANIFEST_E_MALFORMED;
    return check_packs_differ(manifest);
}

/* Packs come in the order of first use, none is left out, and no two runs could be one. */
static bool runs_are_canonical(const struct manifest *manifest)
{
    uint64_t sum = 0;
    size_t n_used = 0;

    for (size_t i = 0; i < manifest->n_runs; i++) {
        const struct manifest_run *run = &manifest->runs[i];
        const struct manifest_run *before = i > 0 ? run - 1 : NULL;

        if (run->pack > n_used)
            return false;
        n_used += run->pack == n_used;
        if (before && before->pack == run->pack &&
            before->offset + before->size_bytes == run->offset)
            return false;
        sum += run->size_bytes;
    }
    return n_used == manifest->n_packs && sum == manifest->size_bytes;
}

static int take_runs(struct bytes *src, struct manifest *manifest)
{
    uint64_t n;

    if (!take_count(src, "runs ", MANIFEST_MAX_RUNS, RUN_LINE_MIN_BYTES, &n))
        return MANIFEST_E_MALFORMED;
    manifest->runs = make_room(n, sizeof(*manifest->runs));
    if (!manifest->runs)
        return ERR(-ENOMEM);
    manifest->n_runs = (size_t)n;
    for (size_t i = 0; i < n; i++)
        if (!take_run(src, manifest, &manifest->runs[i]))
            return MANIFEST_E_MALFORMED;
    return runs_are_canonical(manifest) ? 0 : MANIFEST_E_MALFORMED;
}

/* Return: 0, MANIFEST_E_MALFORMED, or -ENOMEM. */
static int take_entry(struct bytes *src, struct manifest *manifest)
{
    OWN(manifest_entry_fini) struct manifest_entry entry = {0};
    struct bytes line;
    int r;

    if (!take_line(src, &line))
        return MANIFEST_E_MALFORMED;
    r = entry_parse(line, &entry);
    if (r != 0)
        return r < 0 ? TRACE(r) : MANIFEST_E_MALFORMED;
    if (!manifest_takes_entry(manifest, &entry))
        return MANIFEST_E_MALFORMED;
    manifest->entries[manifest->n_entries++] = entry;
    entry = (struct manifest_entry){0}; /* now in @manifest */
    return 0;
}

static int take_entries(struct bytes *src, struct manifest *manifest)
{
    uint64_t left = manifest->size_bytes;
    uint64_t n;

    if (manifest->kind != MANIFEST_TREE)
        return 0;
    if (!take_count(src, "entries ", MANIFEST_MAX_ENTRIES, ENTRY_LINE_MIN_BYTES, &n))
        return MANIFEST_E_MALFORMED;
    manifest->entries = make_room(n, sizeof(*manifest->entries));
    if (!manifest->entries)
        return ERR(-ENOMEM);
    while (manifest->n_entries < n) {
        int r = take_entry(src, manifest);

        if (r != 0)
            return r < 0 ? TRACE(r) : MANIFEST_E_MALFORMED;
        if (manifest->entries[manifest->n_entries - 1].size_bytes > left)
            return MANIFEST_E_MALFORMED;
        left -= manifest->entries[manifest->n_entries - 1].size_bytes;
    }
    return left == 0 ? 0 : MANIFEST_E_MALFORMED;
}

int manifest_parse(struct bytes src, struct manifest *ret)
{
    OWN(manifest_fini) struct manifest manifest = {0};
    struct bytes nothing;
    int r;

    if (src.len > MANIFEST_TEXT_MAX)
        return MANIFEST_E_MALFORMED;
    if (!take_field(&src, "slipway-manifest 3", &nothing) || nothing.len > 0 ||
        !take_kind(&src, &manifest.kind) ||
        !take_number(&src, "size ", MANIFEST_MAX_BYTES, &manifest.size_bytes))
        return MANIFEST_E_MALFORMED;
    r = take_packs(&src, &manifest);
    if (r == 0)
        r = take_runs(&src, &manifest);
    if (r == 0)
        r = take_entries(&src, &manifest);
    if (r < 0)
        return TRACE(r);
    if (r != 0 || src.len > 0)
        return MANIFEST_E_MALFORMED;

    *ret = manifest;
    manifest = (struct manifest){0}; /* now in @ret */
    return 0;
}

static void put_packs(struct buf *dst, const struct manifest *manifest)
{
    buf_addf(dst, "packs %zu\n", manifest->n_packs);
    for (size_t i = 0; i < manifest->n_packs; i++) {
        const struct manifest_pack *pack = &manifest->packs[i];
        char name[SHA256_TEXT_MAX];
        char check[2 * MANIFEST_CHECK_BYTES + 1];

        hex_put(name, (struct bytes){pack->sha256, SHA256_BYTES});
        hex_put(check, (struct bytes){pack->check, MANIFEST_CHECK_BYTES});
        buf_addf(dst,
                 "%s %" PRIu32 " %" PRIu32 " %s\n",
                 name,
                 pack->plain_bytes,
                 pack->stored_bytes,
                 check);
    }
}

static void put_runs(struct buf *dst, const struct manifest *manifest)
{
    buf_addf(dst, "runs %zu\n", manifest->n_runs);
    for (size_t i = 0; i < manifest->n_runs; i++) {
        const struct manifest_run *run = &manifest->runs[i];

        buf_addf(
            dst, "%" PRIu32 " %" PRIu32 " %" PRIu32 "\n", run->pack, run->offset, run->size_bytes);
    }
}

void manifest_put(struct buf *dst, const struct manifest *manifest)
{
    buf_addf(dst,
             "slipway-manifest 3\nkind %s\nsize %" PRIu64 "\n",
             kinds[manifest->kind],
             manifest->size_bytes);
    put_packs(dst, manifest);
    put_runs(dst, manifest);
    if (manifest->kind != MANIFEST_TREE)
        return;
    buf_addf(dst, "entries %zu\n", manifest->n_entries);
    for (size_t i = 0; i < manifest->n_entries; i++)
        entry_put(dst, &manifest->entries[i]);
}
