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

enum {
    CHUNK_LINE_MIN_BYTES = 2 * SHA256_BYTES + 3, /* the name, a space, a digit, a newline */
};

static const char *const kinds[MANIFEST_KIND_COUNT] = {
    [MANIFEST_OS_IMAGE_INDEX] = "os-image-index",
    [MANIFEST_FILE] = "file",
};

void manifest_fini(struct manifest *manifest)
{
    free(manifest->chunks);
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

/* Digits as manifest_put() writes them: "0" itself, else no leading zero. */
static bool parse_number(struct bytes src, uint64_t min, uint64_t max, uint64_t *ret)
{
    if (src.len > 1 && src.ptr[0] == '0')
        return false;
    return bytes_parse_u64(src, min, max, ret);
}

static bool
take_number(struct bytes *src, const char *word, uint64_t min, uint64_t max, uint64_t *ret)
{
    struct bytes digits;

    return take_field(src, word, &digits) && parse_number(digits, min, max, ret);
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

static bool is_lower_hex(struct bytes src)
{
    for (size_t i = 0; i < src.len; i++)
        if (src.ptr[i] >= 'A' && src.ptr[i] <= 'F')
            return false;
    return true;
}

static bool take_chunk(struct bytes *src, struct manifest_chunk *ret)
{
    struct bytes line;
    struct bytes name;
    struct bytes space;
    uint64_t size;

    if (!take_line(src, &line) || !bytes_take(&line, (size_t)2 * SHA256_BYTES, &name))
        return false;
    if (!is_lower_hex(name) || !hex_parse(name, SHA256_BYTES, ret->sha256))
        return false;
    if (!bytes_take(&line, 1, &space) || space.ptr[0] != ' ')
        return false;
    if (!parse_number(line, 1, CHUNK_MAX_BYTES, &size))
        return false;
    ret->size_bytes = (uint32_t)size;
    return true;
}

static bool take_chunks(struct bytes *src, struct manifest *manifest)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < manifest->n_chunks; i++) {
        if (!take_chunk(src, &manifest->chunks[i]))
            return false;
        sum += manifest->chunks[i].size_bytes;
    }
    return src->len == 0 && sum == manifest->size_bytes;
}

int manifest_parse(struct bytes src, struct manifest *ret)
{
    OWN(manifest_fini) struct manifest manifest = {0};
    struct bytes nothing;
    uint64_t n_chunks;

    if (!take_field(&src, "slipway-manifest 1", &nothing) || nothing.len > 0)
        return MANIFEST_E_MALFORMED;
    if (!take_kind(&src, &manifest.kind))
        return MANIFEST_E_MALFORMED;
    if (!take_number(&src, "size ", 0, MANIFEST_MAX_BYTES, &manifest.size_bytes) ||
        !take_number(&src, "chunks ", 0, MANIFEST_MAX_CHUNKS, &n_chunks))
        return MANIFEST_E_MALFORMED;
    if (n_chunks > src.len / CHUNK_LINE_MIN_BYTES)
        return MANIFEST_E_MALFORMED;

    manifest.chunks = calloc(n_chunks > 0 ? n_chunks : 1, sizeof(*manifest.chunks));
    if (!manifest.chunks)
        return ERR(-ENOMEM);
    manifest.n_chunks = n_chunks;
    if (!take_chunks(&src, &manifest))
        return MANIFEST_E_MALFORMED;

    *ret = manifest;
    manifest.chunks = NULL; /* now in @ret */
    return 0;
}

void manifest_put(struct buf *dst, const struct manifest *manifest)
{
    buf_addf(dst,
             "slipway-manifest 1\nkind %s\nsize %" PRIu64 "\nchunks %zu\n",
             kinds[manifest->kind],
             manifest->size_bytes,
             manifest->n_chunks);
    for (size_t i = 0; i < manifest->n_chunks; i++) {
        const struct manifest_chunk *chunk = &manifest->chunks[i];
        char name[SHA256_TEXT_MAX];

        hex_put(name, (struct bytes){chunk->sha256, SHA256_BYTES});
        buf_addf(dst, "%s %" PRIu32 "\n", name, chunk->size_bytes);
    }
}
