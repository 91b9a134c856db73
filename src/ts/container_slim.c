/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/container_slim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/container.h"
#include "ts/container_parts.h"
#include "ts/diag.h"
#include "ts/document.h"

enum {
    PIECE_BYTES = 64 * 1024,
    PATH_MAX_BYTES = 1024,
    EPOCH_OF_ZIP_S =
        315619200, /* 2 January 1980, in all time zones after the first day it can tell */
};

struct slimming {
    const struct ts_container_source *source;
    uint64_t offset;
    uint8_t piece[PIECE_BYTES];
    struct ts_imports seen; /* tells content from what describes it */
    struct archive *to;
    struct ts_diags *diags;
    size_t n_entries;
    size_t n_parts;
    size_t n_bytes; /* unpacked so far */
};

static la_ssize_t read_piece(struct archive *zip, void *ctx, const void **ret)
{
    struct slimming *s = ctx;
    int64_t n = s->source->read_at(s->source->ctx, s->offset, s->piece, sizeof(s->piece));

    if (n < 0) {
        archive_set_error(zip, EIO, "it cannot be read");
        return ARCHIVE_FATAL;
    }
    s->offset += (uint64_t)n;
    *ret = s->piece;
    return (la_ssize_t)n;
}

static la_int64_t skip(struct archive *zip, void *ctx, la_int64_t n)
{
    struct slimming *s = ctx;
    uint64_t rest = s->source->size_bytes > s->offset ? s->source->size_bytes - s->offset : 0;
    uint64_t skipped = n > 0 && (uint64_t)n < rest ? (uint64_t)n : n > 0 ? rest : 0;

    (void)zip;
    s->offset += skipped;
    return (la_int64_t)skipped;
}

static la_int64_t seek(struct archive *zip, void *ctx, la_int64_t offset, int whence)
{
    struct slimming *s = ctx;
    uint64_t from = whence == SEEK_CUR ? s->offset : whence == SEEK_END ? s->source->size_bytes : 0;

    (void)zip;
    if (offset < 0 ? (uint64_t)-offset > from : (uint64_t)offset > INT64_MAX - from)
        return ARCHIVE_FATAL;
    s->offset = offset < 0 ? from - (uint64_t)-offset : from + (uint64_t)offset;
    return (la_int64_t)s->offset;
}

static la_ssize_t put(struct archive *zip, void *ctx, const void *bytes, size_t len)
{
    struct buf *dst = ctx;

    buf_add(dst, (struct bytes){bytes, len});
    if (!dst->failed)
        return (la_ssize_t)len;
    archive_set_error(zip, ENOMEM, "it does not fit");
    return -1;
}

static int refuse(struct slimming *s, const char *name, const char *why)
{
    ts_diags_add(s->diags, TS_ERROR, 1, 1, "%.200s: %.200s", name, why);
    return TS_E_MALFORMED;
}

static int refuse_limit(struct slimming *s, const char *name, const char *what, size_t max)
{
    ts_diags_add_at(s->diags,
                    TS_ERROR,
                    &(struct ts_diag_place){.id = "SLW-0171", .line = 1, .column = 1},
                    "%.200s: %s; the limit is %zu",
                    name,
                    what,
                    max);
    return TS_E_MALFORMED;
}

/* Only of letters that all can read: it is looked at, and never a file here. */
static void copy_name(struct archive_entry *entry, char dst[static PATH_MAX_BYTES])
{
    const char *name = archive_entry_pathname_utf8(entry);

    (void)snprintf(dst, PATH_MAX_BYTES, "%s", name ? name : "a file without a name");
    for (char *c = dst; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
            *c = '_';
}

static int unpack(struct slimming *s, struct archive *zip, const char *name, struct buf *ret)
{
    uint8_t piece[PIECE_BYTES / 4];
    la_ssize_t n;

    while ((n = archive_read_data(zip, piece, sizeof(piece))) > 0) {
        if ((size_t)n > TS_PART_MAX_BYTES - ret->len)
            return refuse_limit(s, name, "too many bytes unpacked", TS_PART_MAX_BYTES);
        if ((size_t)n > TS_PARTS_MAX_BYTES - s->n_bytes)
            return refuse_limit(
                s, name, "too many bytes unpacked, with the files before it", TS_PARTS_MAX_BYTES);
        s->n_bytes += (size_t)n;
        buf_add(ret, (struct bytes){piece, (size_t)n});
        if (ret->failed)
            return ERR(-ENOMEM);
    }
    return n < 0 ? refuse(s, name, "the .zip file is damaged") : 0;
}

static int add(struct slimming *s, const char *name, const struct buf *text)
{
    struct archive_entry *entry = archive_entry_new();
    bool is_done;

    if (!entry)
        return ERR(-ENOMEM);
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, (la_int64_t)text->len);
    archive_entry_set_mtime(entry, EPOCH_OF_ZIP_S, 0);
    is_done = archive_write_header(s->to, entry) == ARCHIVE_OK &&
              (text->len == 0 ||
               archive_write_data(s->to, buf_str(text), text->len) == (la_ssize_t)text->len);
    archive_entry_free(entry);
    return is_done ? 0 : ERR(-ENOMEM);
}

static bool is_xml(const char *name)
{
    size_t len = strlen(name);

    return len >= 4 && bytes_eq_nocase(bytes_of(name + len - 4), ".xml");
}

static int take_entry(struct slimming *s, struct archive *zip, struct archive_entry *entry)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TS_PART_MAX_BYTES);
    char name[PATH_MAX_BYTES];
    int r;

    copy_name(entry, name);
    if (++s->n_entries > TS_SLIM_ENTRIES_MAX)
        return refuse_limit(s, name, "there are too many files in the .zip", TS_SLIM_ENTRIES_MAX);
    r = ts_container_add_content(&s->seen, name);
    if (r < 0)
        return TRACE(r);
    if (r > 0)
        return s->seen.n_content_files > TS_SLIM_CONTENT_MAX ? 0 : TRACE(add(s, name, &text));
    if (!is_xml(name))
        return 0;
    if (++s->n_parts > TS_PARTS_MAX - TS_SLIM_CONTENT_MAX)
        return refuse_limit(s,
                            name,
                            "there are too many XML files in the .zip",
                            TS_PARTS_MAX - TS_SLIM_CONTENT_MAX);
    r = unpack(s, zip, name, &text);
    return r == 0 ? TRACE(add(s, name, &text)) : TRACE(r);
}

static int take_entries(struct slimming *s, struct archive *zip)
{
    struct archive_entry *entry;
    int got;

    if (archive_read_support_format_zip(zip) != ARCHIVE_OK ||
        archive_read_set_read_callback(zip, read_piece) != ARCHIVE_OK ||
        archive_read_set_skip_callback(zip, skip) != ARCHIVE_OK ||
        archive_read_set_seek_callback(zip, seek) != ARCHIVE_OK ||
        archive_read_set_callback_data(zip, s) != ARCHIVE_OK)
        return ERR(-ENOMEM);
    if (archive_read_open1(zip) != ARCHIVE_OK)
        return refuse(s, "the file", "it is no .zip file, or it is damaged");
    while ((got = archive_read_next_header(zip, &entry)) != ARCHIVE_EOF) {
        int r = got < ARCHIVE_WARN ? refuse(s, "the file", "the .zip file is damaged")
                                   : take_entry(s, zip, entry);

        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

static void free_reader(struct archive **zip)
{
    (void)archive_read_free(*zip);
}

static void free_slimming(struct slimming **s)
{
    if (*s) {
        ts_imports_fini(&(*s)->seen);
        (void)archive_write_free((*s)->to);
    }
    free(*s);
}

int ts_container_slim(const struct ts_container_source *source,
                      struct buf *ret,
                      struct ts_diags *diags)
{
    OWN(free_slimming) struct slimming *s = calloc(1, sizeof(*s));
    OWN(free_reader) struct archive *zip = archive_read_new();
    int r;

    if (!s || !zip)
        return ERR(-ENOMEM);
    s->source = source;
    s->diags = diags;
    s->to = archive_write_new();
    if (!s->to || archive_write_set_format_zip(s->to) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(s->to, 1) != ARCHIVE_OK ||
        archive_write_open2(s->to, ret, NULL, put, NULL, NULL) != ARCHIVE_OK)
        return ERR(-ENOMEM);
    r = take_entries(s, zip);
    if (r == 0 && (archive_write_close(s->to) != ARCHIVE_OK || ret->failed))
        r = ERR(-ENOMEM);
    return TRACE(r);
}
