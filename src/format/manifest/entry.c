/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/manifest/entry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"

enum {
    ESCAPE_BYTES = 3, /* "%20" */
    DELETE = 0x7f,    /* the one control character above the space */
};

static const char kinds[MANIFEST_ENTRY_KIND_COUNT] = {
    [MANIFEST_FOLDER] = 'd',
    [MANIFEST_REGULAR] = 'f',
    [MANIFEST_LINK] = 'l',
};

static const char hex_digits[] = "0123456789ABCDEF";

void manifest_entry_fini(struct manifest_entry *entry)
{
    free(entry->path);
    free(entry->target);
    *entry = (struct manifest_entry){0};
}

/* Length of the UTF-8 character at the start of @src; 0 if there is none. */
static size_t utf8_length(struct bytes src)
{
    static const struct {
        uint8_t mask;
        uint8_t is;
        uint32_t min; /* a shorter form would have done below it */
    } forms[] = {
        {0x80, 0x00, 0},
        {0xe0, 0xc0, 0x80},
        {0xf0, 0xe0, 0x800},
        {0xf8, 0xf0, 0x10000},
    };

    for (size_t more = 0; more < sizeof(forms) / sizeof(forms[0]) && more < src.len; more++) {
        uint32_t c = src.ptr[0] & (uint32_t)(uint8_t)~forms[more].mask;

        if ((src.ptr[0] & forms[more].mask) != forms[more].is)
            continue;
        for (size_t i = 1; i <= more; i++) {
            if ((src.ptr[i] & 0xc0) != 0x80)
                return 0;
            c = c << 6 | (src.ptr[i] & 0x3f);
        }
        return c >= forms[more].min && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? more + 1 : 0;
    }
    return 0;
}

static bool is_utf8(struct bytes src)
{
    struct bytes character;

    while (src.len > 0) {
        size_t len = utf8_length(src);

        if (len == 0 || !bytes_take(&src, len, &character))
            return false;
    }
    return true;
}

bool manifest_path_is_valid(const char *path)
{
    struct bytes all = bytes_of(path);

    if (all.len > MANIFEST_PATH_MAX_BYTES || !is_utf8(all))
        return false;
    for (const char *at = path;;) {
        size_t len = strcspn(at, "/");
        struct bytes name = {(const uint8_t *)at, len};

        if (len == 0 || bytes_eq(name, bytes_of(".")) || bytes_eq(name, bytes_of("..")))
            return false;
        if (at[len] == '\0')
            return true;
        at += len + 1;
    }
}

static bool target_is_valid(const char *target)
{
    struct bytes all = bytes_of(target);

    return all.len >= 1 && all.len <= MANIFEST_PATH_MAX_BYTES && is_utf8(all);
}

static bool is_escaped(uint8_t c)
{
    return c <= ' ' || c == DELETE || c == '%';
}

static int hex_value(uint8_t c)
{
    const char *at = c != '\0' ? strchr(hex_digits, c) : NULL;

    return at ? (int)(at - hex_digits) : -1;
}

/* The character at the start of @src, which is not empty. Return: false if it is not as text_put() writes it. */
static bool take_character(struct bytes *src, char *ret)
{
    struct bytes from;
    int high;
    int low;

    if (src->ptr[0] != '%') {
        *ret = (char)src->ptr[0];
        return !is_escaped(src->ptr[0]) && bytes_take(src, 1, &from);
    }
    if (!bytes_take(src, ESCAPE_BYTES, &from))
        return false;
    high = hex_value(from.ptr[1]);
    low = hex_value(from.ptr[2]);
    if (high < 0 || low < 0)
        return false;
    *ret = (char)(high << 4 | low);
    return *ret != '\0' && is_escaped((uint8_t)*ret);
}

/* Return: 0, MANIFEST_E_MALFORMED, or -ENOMEM. @ret: owned by the caller */
static int text_parse(struct bytes src, char **ret)
{
    OWN(freep) char *text = NULL;
    size_t len = 0;

    if (src.len > (size_t)ESCAPE_BYTES * MANIFEST_PATH_MAX_BYTES)
        return MANIFEST_E_MALFORMED;
    text = malloc(src.len + 1);
    if (!text)
        return ERR(-ENOMEM);
    while (src.len > 0)
        if (!take_character(&src, &text[len++]))
            return MANIFEST_E_MALFORMED;
    text[len] = '\0';
    *ret = TAKE(text);
    return 0;
}

static void text_put(struct buf *dst, const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        uint8_t c = (uint8_t)*at;

        if (is_escaped(c))
            buf_addf(dst, "%%%02X", c);
        else
            buf_add(dst, (struct bytes){&c, 1});
    }
}

bool entry_take_word(struct bytes *line, struct bytes *ret)
{
    const uint8_t *end = line->len > 0 ? memchr(line->ptr, ' ', line->len) : NULL;
    struct bytes space;

    return end && end > line->ptr && bytes_take(line, (size_t)(end - line->ptr), ret) &&
           bytes_take(line, 1, &space);
}

bool entry_parse_number(struct bytes src, uint64_t min, uint64_t max, uint64_t *ret)
{
    if (src.len > 1 && src.ptr[0] == '0')
        return false;
    return bytes_parse_u64(src, min, max, ret);
}

static bool parse_mode(struct bytes src, unsigned *ret)
{
    unsigned mode = 0;

    if (src.len < 1 || src.len > 4 || (src.len > 1 && src.ptr[0] == '0'))
        return false;
    for (size_t i = 0; i < src.len; i++) {
        if (src.ptr[i] < '0' || src.ptr[i] > '7')
            return false;
        mode = mode << 3 | (unsigned)(src.ptr[i] - '0');
    }
    *ret = mode;
    return true;
}

static bool parse_kind(struct bytes src, enum manifest_entry_kind *ret)
{
    for (enum manifest_entry_kind kind = 0; kind < MANIFEST_ENTRY_KIND_COUNT; kind++)
        if (src.len == 1 && src.ptr[0] == (uint8_t)kinds[kind]) {
            *ret = kind;
            return true;
        }
    return false;
}

/* Kind to time of last change; @line is left with the names. */
static bool take_numbers(struct bytes *line, struct manifest_entry *entry)
{
    struct bytes kind;
    struct bytes mode;
    struct bytes size;
    struct bytes time;

    return entry_take_word(line, &kind) && parse_kind(kind, &entry->kind) &&
           entry_take_word(line, &mode) && parse_mode(mode, &entry->mode) &&
           entry_take_word(line, &size) &&
           entry_parse_number(size,
                              0,
                              entry->kind == MANIFEST_REGULAR ? MANIFEST_MAX_BYTES : 0,
                              &entry->size_bytes) &&
           entry_take_word(line, &time) && entry_parse_number(time, 0, INT64_MAX, &entry->mtime_ns);
}

int entry_parse(struct bytes line, struct manifest_entry *ret)
{
    OWN(manifest_entry_fini) struct manifest_entry entry = {0};
    struct bytes path;
    int r;

    if (!take_numbers(&line, &entry))
        return MANIFEST_E_MALFORMED;
    path = line;
    if (entry.kind == MANIFEST_LINK && !entry_take_word(&line, &path))
        return MANIFEST_E_MALFORMED;
    r = text_parse(path, &entry.path);
    if (r == 0 && entry.kind == MANIFEST_LINK)
        r = text_parse(line, &entry.target);
    if (r != 0)
        return r < 0 ? TRACE(r) : MANIFEST_E_MALFORMED;
    *ret = entry;
    entry = (struct manifest_entry){0}; /* now in @ret */
    return 0;
}

void entry_put(struct buf *dst, const struct manifest_entry *entry)
{
    buf_addf(dst,
             "%c %o %" PRIu64 " %" PRIu64 " ",
             kinds[entry->kind],
             entry->mode,
             entry->size_bytes,
             entry->mtime_ns);
    text_put(dst, entry->path);
    if (entry->kind == MANIFEST_LINK) {
        buf_adds(dst, " ");
        text_put(dst, entry->target);
    }
    buf_adds(dst, "\n");
}

struct part { /* the beginning of a path */
    const char *path;
    size_t len;
};

static int compare_part(const void *key, const void *item)
{
    const struct part *part = key;
    const struct manifest_entry *entry = item;
    int order = strncmp(part->path, entry->path, part->len);

    return order != 0 || entry->path[part->len] == '\0' ? order : -1;
}

/* Whether @path comes after all that are there, and its folder is one of them. */
static bool may_follow(const struct manifest *manifest, const char *path)
{
    const struct manifest_entry *entries = manifest->entries;
    const char *slash = strrchr(path, '/');
    const struct manifest_entry *folder;
    struct part part;

    if (manifest->n_entries > 0 && strcmp(entries[manifest->n_entries - 1].path, path) >= 0)
        return false;
    if (!slash)
        return true;
    if (manifest->n_entries == 0)
        return false;
    part = (struct part){path, (size_t)(slash - path)};
    folder = bsearch(&part, entries, manifest->n_entries, sizeof(*entries), compare_part);
    return folder && folder->kind == MANIFEST_FOLDER;
}

bool manifest_takes_entry(const struct manifest *manifest, const struct manifest_entry *entry)
{
    bool has_target = entry->kind == MANIFEST_LINK;
    uint64_t size_max = entry->kind == MANIFEST_REGULAR ? MANIFEST_MAX_BYTES : 0;

    return manifest->kind == MANIFEST_TREE && entry->kind < MANIFEST_ENTRY_KIND_COUNT &&
           entry->mode <= MANIFEST_MODE_MAX && entry->size_bytes <= size_max &&
           entry->mtime_ns <= INT64_MAX && manifest_path_is_valid(entry->path) &&
           has_target == (entry->target != NULL) &&
           (!has_target || target_is_valid(entry->target)) && may_follow(manifest, entry->path);
}
