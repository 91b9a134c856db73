/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/extract.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "format/pack/pack.h"
#include "plat/frame.h"
#include "server/dp/prestage.h"
#include "store/store.h"

enum {
    PATH_MAX_BYTES = 4096,
    BLOCK_BYTES = 256 * 1024,
    NAMED_MAX = 100, /* wrong members that are named; more are counted */
};

DEFINE_FREEP(struct archive *, archive_read_free);

struct extracting {
    struct archive *archive; /* owned */
    struct store *store;     /* owned */
    const char *name;
    struct buf member; /* owned; its content */
    bool has_head;
    uint64_t n_packs;   /* added */
    uint64_t n_present; /* skipped */
    uint64_t n_contents;
    uint64_t n_wrong;
};

static void extracting_fini(struct extracting *e)
{
    archive_read_freep(&e->archive);
    store_free(e->store);
    buf_fini(&e->member);
}

__attribute__((format(printf, 2, 3))) static void say(const char *error_id, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)fprintf(stderr, "slipwayd: %s: %s\n", error_id, text);
}

static void say_wrong(struct extracting *e, const uint8_t *sha256, const char *what)
{
    char name[SHA256_TEXT_MAX];

    hex_put(name, (struct bytes){sha256, SHA256_BYTES});
    if (e->n_wrong++ < NAMED_MAX)
        say("SLW-0353", "%s: %s", name, what);
}

/* Outcomes of what follows, beside 0 */
enum {
    EXTRACT_E_END = 1,   /* there is no more to read */
    EXTRACT_E_WRONG = 2, /* not as it should be; it has been said */
};

/* Return: 0, EXTRACT_E_WRONG (longer than @most), EXTRACT_E_END (cut off), or -ENOMEM. */
static int read_member(struct extracting *e, size_t most)
{
    struct buf *content = &e->member;
    const void *ptr;
    size_t len;
    la_int64_t offset;
    int r;

    buf_clear(content);
    while ((r = archive_read_data_block(e->archive, &ptr, &len, &offset)) == ARCHIVE_OK) {
        if (offset < 0 || (size_t)offset != content->len || len > most - content->len)
            return EXTRACT_E_WRONG;
        buf_add(content, (struct bytes){ptr, len});
        if (content->failed)
            return ERR(-ENOMEM);
    }
    return r == ARCHIVE_EOF ? 0 : EXTRACT_E_END;
}

/* Return: 0, EXTRACT_E_WRONG, or -errno. */
static int outcome_of(int r)
{
    if (r == STORE_E_FULL) {
        say("SLW-0303", "the content store has no space left; what was extracted is kept");
        return EXTRACT_E_END;
    }
    return r < 0 ? TRACE(r) : 0;
}

static int take_pack(struct extracting *e, const uint8_t *sha256)
{
    struct manifest_pack pack = {.stored_bytes = (uint32_t)e->member.len};
    size_t plain_bytes = 0;
    int r;

    memcpy(pack.sha256, sha256, SHA256_BYTES);
    if (frame_size(buf_bytes(&e->member), PACK_MAX_BYTES, &plain_bytes) != 0) {
        say_wrong(e, sha256, "this pack is damaged and left out");
        return 0;
    }
    pack.plain_bytes = (uint32_t)plain_bytes;
    if (store_has_pack(e->store, &pack)) {
        e->n_present++;
        return 0;
    }
    r = store_add_pack(e->store, &pack, buf_bytes(&e->member));
    if (r == STORE_E_CORRUPT)
        say_wrong(e, sha256, "this pack is damaged and left out");
    else if (r == 0)
        e->n_packs++;
    return TRACE(outcome_of(r));
}

static int take_manifest(struct extracting *e, const uint8_t *id)
{
    int r = store_add_manifest(e->store, buf_bytes(&e->member), id);

    if (r == STORE_E_CORRUPT)
        say_wrong(e, id, "this manifest is damaged and left out");
    else if (r == STORE_E_MISSING)
        say_wrong(e, id, "this content is left out, because packs of it are damaged or missing");
    else if (r == 0)
        e->n_contents++;
    return TRACE(outcome_of(r));
}

static int take_head(struct extracting *e)
{
    static const char line[] = PRESTAGE_HEAD_LINE;

    if (e->member.len < sizeof(line) - 1 || memcmp(e->member.ptr, line, sizeof(line) - 1) != 0)
        return EXTRACT_E_WRONG;
    e->has_head = true;
    return 0;
}

static size_t most_of(enum prestage_kind kind)
{
    switch (kind) {
    case PRESTAGE_HEAD:
        return PRESTAGE_HEAD_MAX_BYTES;
    case PRESTAGE_PACK:
        return PACK_STORED_MAX_BYTES;
    case PRESTAGE_MANIFEST:
        return MANIFEST_TEXT_MAX;
    case PRESTAGE_OTHER:
    default:
        return 0;
    }
}

static int fail_kind(const struct extracting *e)
{
    say("SLW-0354", "%s is no file of prestaged content of this version", e->name);
    return EXTRACT_E_WRONG;
}

static int fail_cut(const struct extracting *e)
{
    say("SLW-0355",
        "%s is cut off or damaged from here on; what came before is extracted",
        e->name);
    return EXTRACT_E_WRONG;
}

static int take_member(struct extracting *e, const char *path)
{
    uint8_t sha256[SHA256_BYTES];
    enum prestage_kind kind = prestage_name_read(path, sha256);
    int r;

    if (e->has_head ? kind == PRESTAGE_OTHER || kind == PRESTAGE_HEAD : kind != PRESTAGE_HEAD)
        return fail_kind(e);
    r = read_member(e, most_of(kind));
    if (r == EXTRACT_E_END)
        return fail_cut(e);
    if (r == EXTRACT_E_WRONG && kind == PRESTAGE_HEAD)
        return fail_kind(e);
    if (r == EXTRACT_E_WRONG) {
        say_wrong(e, sha256, "this member is longer than it may be, and left out");
        return 0;
    }
    if (r < 0)
        return TRACE(r);
    if (kind == PRESTAGE_HEAD)
        return take_head(e) == 0 ? 0 : fail_kind(e);
    return kind == PRESTAGE_PACK ? TRACE(take_pack(e, sha256)) : TRACE(take_manifest(e, sha256));
}

/* Return: 0 at the end, EXTRACT_E_WRONG or EXTRACT_E_END if it ended before, or -errno. */
static int take_all(struct extracting *e)
{
    for (;;) {
        struct archive_entry *entry;
        int r = archive_read_next_header(e->archive, &entry);
        const char *path;

        if (r == ARCHIVE_EOF)
            return e->has_head ? 0 : fail_kind(e);
        if (r != ARCHIVE_OK)
            return e->has_head ? fail_cut(e) : fail_kind(e);
        path = archive_entry_pathname(entry);
        r = path && archive_entry_filetype(entry) == AE_IFREG ? take_member(e, path) : fail_kind(e);
        if (r != 0)
            return r < 0 ? TRACE(r) : r;
    }
}

static int open_archive(struct extracting *e, int fd)
{
    e->archive = archive_read_new();
    if (!e->archive)
        return ERR(-ENOMEM);
    if (archive_read_support_format_tar(e->archive) != ARCHIVE_OK)
        return ERR(-EIO);
    if (archive_read_open_fd(e->archive, fd, BLOCK_BYTES) != ARCHIVE_OK)
        return fail_kind(e);
    return 0;
}

static int open_store(struct extracting *e, const char *state_folder)
{
    char root[PATH_MAX_BYTES];
    int r;

    (void)snprintf(root, sizeof(root), "%s/dp/content", state_folder);
    r = store_new(root, &e->store);
    if (r == 0)
        r = store_begin(e->store);
    if (r == STORE_E_FORMAT)
        say("SLW-0360", "the content store in %s was made by another version", root);
    if (r == STORE_E_BUSY)
        say("SLW-0361", "the content store in %s is being tidied up; try again", root);
    return r < 0 ? TRACE(r) : r > 0 ? EXTRACT_E_WRONG : 0;
}

int extract(const char *state_folder, int fd, const char *name)
{
    OWN(extracting_fini)
    struct extracting e = {.name = name, .member = BUF_INIT(MANIFEST_TEXT_MAX)};
    int r = open_store(&e, state_folder);

    if (r == 0)
        r = open_archive(&e, fd);
    if (r == 0)
        r = take_all(&e);
    if (r >= 0 && e.store) {
        int flushed = outcome_of(store_flush(e.store));

        r = flushed != 0 ? flushed : r;
    }
    (void)printf("%" PRIu64 " contents, %" PRIu64 " packs extracted, %" PRIu64
                 " packs were there already.\n",
                 e.n_contents,
                 e.n_packs,
                 e.n_present);
    if (r < 0)
        say("SLW-0018", "%s could not be extracted: %s", name, strerrordesc_np(-r));
    return r == 0 && e.n_wrong > 0 ? 1 : r < 0 ? r : r > 0 ? 1 : 0;
}
