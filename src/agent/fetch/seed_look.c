/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/fetch/seed_look.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "format/pack/cut.h"
#include "format/wim/reparse.h"
#include "plat/digest.h"
#include "plat/file.h"

enum {
    PATH_MAX_BYTES = 4096,
    ROOM_BYTES = 1024 * 1024, /* for reading; at least two chunks */
    SECTOR_BYTES = 512,
    SPARSE_BYTES =
        64 * 1024 * 1024, /* larger files with holes are not read: mostly zeros, for hours */
    TELL_BYTES = 16 * 1024 * 1024,
    TELL_FILES = 1024,
    READ_E_FAILED = 64, /* an outcome of read_file() */
};

struct look {
    const struct seed_options *options;
    struct seed_places *places;
    struct seed_report *report;
    uint64_t told_bytes;
    uint64_t told_files;
    struct digest *sha1; /* owned */
    struct cut cut;
    uint8_t *room;  /* owned; ROOM_BYTES */
    uint8_t *first; /* owned; PACK_CHUNK_MAX_BYTES: the first chunk of a unit */
    char path[PATH_MAX_BYTES];
    size_t path_len;
};

struct unit { /* a file that is being read: room for its header, then its contents */
    enum seed_unit_kind kind;
    uint32_t number;   /* SEED_NOWHERE: nothing of it was wanted yet */
    uint64_t offset;   /* of the next chunk */
    size_t first_size; /* of the first chunk, if its length is wanted; otherwise 0 */
};

static void look_fini(struct look *look)
{
    digest_free(look->sha1);
    free(look->room);
    free(look->first);
}

static void closedirp(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

int seed_open(int root, const char *path, int flags)
{
    const struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC,
                                 .resolve =
                                     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};

    return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

bool seed_read_link(int folder, const char *name, struct buf *ret)
{
    char target[PATH_MAX_BYTES];
    ssize_t n = readlinkat(folder, name, target, sizeof(target));

    buf_clear(ret);
    return n > 0 && (size_t)n < sizeof(target) &&
           reparse_put_symlink((struct bytes){(const uint8_t *)target, (size_t)n}, ret) == 0;
}

/* Whether people still want it. */
static bool tell(struct look *look)
{
    const struct seed_options *options = look->options;
    struct seed_report *report = look->report;

    if (!options->tell || (report->read_bytes - look->told_bytes < TELL_BYTES &&
                           report->n_files - look->told_files < TELL_FILES))
        return true;
    look->told_bytes = report->read_bytes;
    look->told_files = report->n_files;
    return options->tell(options->ctx, report->read_bytes);
}

/* A chunk whose length is wanted: is it? */
static int match(struct look *look, struct unit *unit, struct bytes chunk, uint64_t offset)
{
    struct seed_place *place;
    uint8_t is[SHA256_BYTES];
    int r = digest_sha256(chunk, is);

    if (r < 0)
        return TRACE(r);
    look->report->hashed_bytes += chunk.len;
    place = seed_places_find(look->places, is, (uint32_t)chunk.len);
    if (!place || place->unit != SEED_NOWHERE)
        return 0;
    if (unit->number == SEED_NOWHERE)
        unit->number = seed_places_add_unit(look->places, unit->kind, look->path);
    if (unit->number == SEED_NOWHERE)
        return 0; /* too many paths: what was found so far is used */
    place->unit = unit->number;
    place->offset = offset;
    look->report->found_bytes += chunk.len;
    return 0;
}

/* The next chunk. The first is looked at when the SHA-1 of all is known, which is in its header. */
static int take_chunk(struct look *look, struct unit *unit, struct bytes chunk)
{
    bool is_wanted = seed_places_wants(look->places, chunk.len);
    struct bytes contents = chunk;
    struct bytes header;
    int r = 0;

    if (unit->offset == 0) {
        (void)bytes_take(&contents, WIM_RESOURCE_HEADER_BYTES, &header);
        if (is_wanted) {
            memcpy(look->first, chunk.ptr, chunk.len);
            unit->first_size = chunk.len;
        }
    } else if (is_wanted) {
        r = match(look, unit, chunk, unit->offset);
    }
    unit->offset += chunk.len;
    if (r == 0 && unit->first_size > 0)
        r = digest_add(look->sha1, contents);
    return TRACE(r);
}

static int end_unit(struct look *look, struct unit *unit)
{
    uint8_t sha1[SHA256_BYTES];
    struct sink header = {.ptr = look->first, .cap = WIM_RESOURCE_HEADER_BYTES};
    int r;

    if (unit->first_size == 0)
        return 0;
    r = digest_end(look->sha1, sha1);
    if (r < 0)
        return TRACE(r);
    wim_put_resource_header(
        &header, unit->offset - WIM_RESOURCE_HEADER_BYTES, sha1, WIM_RESOURCE_BLOB);
    r = match(look, unit, (struct bytes){look->first, unit->first_size}, 0);
    if (r == 0 && unit->number != SEED_NOWHERE)
        memcpy(
            seed_places_header(look->places, unit->number), look->first, WIM_RESOURCE_HEADER_BYTES);
    return TRACE(r);
}

/* As much as there is room for. Return: whether it could be read; *@is_end is set at the end. */
static bool fill(struct look *look, int fd, size_t *len, bool *is_end)
{
    while (*len < ROOM_BYTES && !*is_end) {
        ssize_t n = read(fd, look->room + *len, ROOM_BYTES - *len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        *is_end = n == 0;
        *len += (size_t)n;
        look->report->read_bytes += (size_t)n;
    }
    return true;
}

/* Return: 0, READ_E_FAILED, SEED_E_CANCELLED, or -errno. */
static int read_file(struct look *look, int fd, struct unit *unit)
{
    uint8_t ignored[SHA256_BYTES];
    size_t len = WIM_RESOURCE_HEADER_BYTES;
    bool is_end = false;
    int r = digest_end(look->sha1, ignored);

    memset(look->room, 0, WIM_RESOURCE_HEADER_BYTES);
    while (r == 0 && !(is_end && len == 0)) {
        struct bytes rest;
        size_t n;

        if (!fill(look, fd, &len, &is_end))
            return READ_E_FAILED;
        rest = (struct bytes){look->room, len};
        while (r == 0 && (n = cut_next(&look->cut, rest, is_end)) > 0) {
            struct bytes chunk;

            (void)bytes_take(&rest, n, &chunk);
            r = take_chunk(look, unit, chunk);
        }
        memmove(look->room, rest.ptr, rest.len);
        len = rest.len;
        if (!tell(look))
            return SEED_E_CANCELLED;
    }
    return r < 0 ? TRACE(r) : TRACE(end_unit(look, unit));
}

/* Whether it may have something that is wanted, and is worth reading. */
static bool is_worthwhile(const struct look *look, const struct stat *st)
{
    uint64_t size = (uint64_t)st->st_size;
    bool has_holes = (uint64_t)st->st_blocks * SECTOR_BYTES < size;

    if (size == 0 || size > look->options->manifest->size_bytes)
        return false;
    if (size + WIM_RESOURCE_HEADER_BYTES <= CUT_MIN_BYTES) /* one chunk */
        return seed_places_wants(look->places, (size_t)size + WIM_RESOURCE_HEADER_BYTES);
    return !has_holes || size <= SPARSE_BYTES;
}

static int look_at_file(struct look *look, int folder, const char *name, const struct stat *st)
{
    struct unit unit = {.kind = SEED_FILE, .number = SEED_NOWHERE};
    struct stat now;
    int r;

    look->report->n_files++;
    if (!is_worthwhile(look, st))
        return tell(look) ? 0 : SEED_E_CANCELLED;

    OWN(fd_closep) int fd = seed_open(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME);

    if (fd < 0 || fstat(fd, &now) < 0 || !S_ISREG(now.st_mode)) {
        look->report->n_unreadable++;
        return 0;
    }
    r = read_file(look, fd, &unit);
    if (r != READ_E_FAILED)
        return TRACE(r);
    look->report->n_unreadable++;
    return 0;
}

static int look_at_link(struct look *look, int folder, const char *name)
{
    OWN(buf_fini) struct buf data = BUF_INIT((size_t)2 * REPARSE_DATA_MAX);
    struct unit unit = {.kind = SEED_LINK, .number = SEED_NOWHERE};
    uint8_t ignored[SHA256_BYTES];
    int r;

    look->report->n_files++;
    if (!seed_read_link(folder, name, &data) ||
        data.len + WIM_RESOURCE_HEADER_BYTES > CUT_MIN_BYTES)
        return 0;
    memset(look->room, 0, WIM_RESOURCE_HEADER_BYTES);
    memcpy(look->room + WIM_RESOURCE_HEADER_BYTES, data.ptr, data.len);
    r = digest_end(look->sha1, ignored);
    if (r == 0)
        r = take_chunk(
            look, &unit, (struct bytes){look->room, data.len + WIM_RESOURCE_HEADER_BYTES});
    if (r == 0)
        r = end_unit(look, &unit);
    return TRACE(r);
}

static int look_into(struct look *look, int fd, unsigned depth);

static int look_at_folder(struct look *look, int folder, const char *name, unsigned depth)
{
    int fd = depth < SEED_DEPTH_MAX
                 ? seed_open(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NOATIME)
                 : -1;

    if (fd < 0) {
        look->report->n_unreadable += errno != EXDEV; /* something is mounted there */
        return 0;
    }
    return TRACE(look_into(look, fd, depth + 1));
}

/* look->path is that of the entry. */
static int look_at(struct look *look, int folder, const char *name, unsigned depth)
{
    struct stat st;

    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0) {
        look->report->n_unreadable++;
        return 0;
    }
    if (S_ISDIR(st.st_mode))
        return look_at_folder(look, folder, name, depth);
    if (S_ISREG(st.st_mode))
        return look_at_file(look, folder, name, &st);
    return S_ISLNK(st.st_mode) ? look_at_link(look, folder, name) : 0;
}

static bool is_skipped(const struct look *look, const char *name, unsigned depth)
{
    const char *skip = look->options->skip;

    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
           (depth == 0 && skip && strcmp(name, skip) == 0);
}

/* @fd is taken over. */
static int look_into(struct look *look, int fd, unsigned depth)
{
    OWN(closedirp) DIR *dir = fdopendir(fd);
    size_t len = look->path_len;
    int r = 0;

    if (!dir) {
        (void)close(fd);
        return ERR(-ENOMEM);
    }
    while (r == 0) {
        const struct dirent *entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): our own DIR */
        int n;

        if (!entry) /* or the rest cannot be read, and is not there */
            break;
        if (is_skipped(look, entry->d_name, depth))
            continue;
        n = snprintf(
            look->path + len, sizeof(look->path) - len, len > 0 ? "/%s" : "%s", entry->d_name);
        if (n < 0 || (size_t)n >= sizeof(look->path) - len)
            continue;
        look->path_len = len + (size_t)n;
        r = look_at(look, dirfd(dir), entry->d_name, depth);
    }
    look->path_len = len;
    return TRACE(r);
}

int seed_look(const struct seed_options *options,
              int root,
              struct seed_places *places,
              struct seed_report *report)
{
    OWN(freep) struct look *look = calloc(1, sizeof(*look));
    int fd;
    int r;

    if (!look)
        return ERR(-ENOMEM);
    look->options = options;
    look->places = places;
    look->report = report;
    look->room = malloc(ROOM_BYTES);
    look->first = malloc(PACK_CHUNK_MAX_BYTES);
    cut_init(&look->cut);
    r = look->room && look->first ? digest_new_sha1(&look->sha1) : ERR(-ENOMEM);
    if (r == 0) {
        fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = fd < 0 ? ERR(-errno) : look_into(look, fd, 0);
    }
    look_fini(look);
    return TRACE(r);
}
