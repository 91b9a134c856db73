/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/fetch/shelf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/fetch/fetch.h"
#include "base/buf.h"
#include "base/err.h"
#include "format/pack/pack.h"
#include "plat/checksum.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "plat/frame.h"

enum {
    PATH_MAX_BYTES = 4096,
    FOLDER_MODE = 0700,
    FILE_MODE = 0600,
    NAME_BYTES = SHA256_TEXT_MAX + 16,
    SOURCES_MAX_BYTES = 64 * 1024 * 1024,
    BAD_MAX = 64, /* more are fetched again, and not reported */
    BLOCK_BYTES = 4096,
    MIB = 1024 * 1024,
};

static const char sources_name[] = "sources";

struct shelf {
    char *path; /* owned */
    int folder; /* owned */
    int log;    /* owned; of the sources; -1: not open */
    uint64_t reserve_bytes;
    _Atomic uint64_t read_bytes;
    pthread_mutex_t lock; /* guards the two below */
    uint8_t bad[BAD_MAX][SHA256_BYTES];
    size_t n_bad;
};

int shelf_open(const char *path, struct shelf **ret)
{
    OWN(shelf_freep) struct shelf *shelf = NULL;
    struct shelf *made = calloc(1, sizeof(*made));
    int r;

    if (!made)
        return ERR(-ENOMEM);
    made->folder = -1;
    made->log = -1;
    (void)pthread_mutex_init(&made->lock, NULL);
    shelf = made;
    shelf->path = strdup(path);
    if (!shelf->path)
        return ERR(-ENOMEM);
    r = dir_make(path, FOLDER_MODE);
    if (r < 0)
        return TRACE(r);
    shelf->folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (shelf->folder < 0)
        return ERR(-errno);
    *ret = TAKE(shelf);
    return 0;
}

void shelf_free(struct shelf *shelf)
{
    if (!shelf)
        return;
    fd_closep(&shelf->folder);
    fd_closep(&shelf->log);
    (void)pthread_mutex_destroy(&shelf->lock);
    free(shelf->path);
    free(shelf);
}

static void put_name(char dst[static NAME_BYTES], const uint8_t *sha256, const char *tail)
{
    char name[SHA256_TEXT_MAX];

    hex_put(name, (struct bytes){sha256, SHA256_BYTES});
    (void)snprintf(dst, NAME_BYTES, "%s%s", name, tail);
}

static int put_path(const struct shelf *shelf, const char *name, char ret[static PATH_MAX_BYTES])
{
    int n = snprintf(ret, PATH_MAX_BYTES, "%s/%s", shelf->path, name);

    return n < 0 || n >= PATH_MAX_BYTES ? ERR(-ENAMETOOLONG) : 0;
}

bool shelf_has(const struct shelf *shelf, const uint8_t id[static SHA256_BYTES])
{
    char name[NAME_BYTES];

    put_name(name, id, ".whole");
    return faccessat(shelf->folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int shelf_read_manifest(const struct shelf *shelf,
                        const uint8_t id[static SHA256_BYTES],
                        struct manifest *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(MANIFEST_TEXT_MAX);
    uint8_t is[SHA256_BYTES];
    char name[NAME_BYTES];
    char path[PATH_MAX_BYTES];
    int r;

    put_name(name, id, ".manifest");
    r = put_path(shelf, name, path);
    if (r == 0)
        r = file_read(path, &text);
    if (r == 0)
        r = digest_sha256(buf_bytes(&text), is);
    if (r == 0 && memcmp(is, id, sizeof(is)) != 0)
        r = 1;
    if (r == 0)
        r = manifest_parse(buf_bytes(&text), ret);
    return r < 0 ? TRACE(r) : r != 0;
}

static int full(const struct shelf *shelf, struct transfer *transfer)
{
    transfer_why(transfer, "the disk was full while content was kept in %s", shelf->path);
    return FETCH_E_FULL;
}

static int load_manifest(const struct shelf *shelf,
                         struct transfer *transfer,
                         const uint8_t *id,
                         struct manifest *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(MANIFEST_TEXT_MAX);
    OWN(manifest_fini) struct manifest manifest = {0};
    char name[NAME_BYTES];
    char path[PATH_MAX_BYTES];
    int r = transfer_get_manifest_text(transfer, id, &text);

    put_name(name, id, ".manifest");
    if (r == 0 && manifest_parse(buf_bytes(&text), &manifest) != 0) {
        transfer_why(transfer, "%s is none that this version understands", name);
        return TRANSFER_E_CONTENT;
    }
    if (r == 0)
        r = put_path(shelf, name, path);
    if (r != 0)
        return TRACE(r);
    r = file_write_if_room(path, buf_bytes(&text), FILE_MODE);
    if (r != 0)
        return r < 0 ? TRACE(r) : full(shelf, transfer);
    *ret = manifest;
    manifest = (struct manifest){0}; /* now in @ret */
    return 0;
}

int shelf_get_manifest(struct shelf *shelf,
                       struct transfer *transfer,
                       const uint8_t id[static SHA256_BYTES],
                       struct manifest *ret)
{
    int r = shelf_read_manifest(shelf, id, ret);

    if (r > 0)
        r = load_manifest(shelf, transfer, id, ret);
    return TRACE(r);
}

static bool has_length(const struct shelf *shelf, const char *name, uint64_t len)
{
    struct stat st;

    return fstatat(shelf->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
           (uint64_t)st.st_size == len;
}

/* Return: whether exactly @len bytes are in the file and in @ret now. */
static bool read_exactly(const struct shelf *shelf, const char *name, uint8_t *ret, size_t len)
{
    OWN(fd_closep) int fd = openat(shelf->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    size_t got = 0;

    if (fd < 0 || !has_length(shelf, name, len))
        return false;
    while (got < len) {
        ssize_t n = read(fd, ret + got, len - got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

/* Whether the frame that is here is the one the manifest speaks of. @room: for any frame */
static bool
is_frame_right(const struct shelf *shelf, const struct manifest_pack *pack, uint8_t *room)
{
    uint8_t is[CHECKSUM_BYTES];
    char name[NAME_BYTES];

    put_name(name, pack->sha256, "");
    if (!read_exactly(shelf, name, room, pack->stored_bytes))
        return false;
    checksum_of((struct bytes){room, pack->stored_bytes}, is);
    return memcmp(is, pack->check, sizeof(is)) == 0;
}

/* @is_trusted: what is as long as it should be is not read */
static bool
is_here(const struct shelf *shelf, const struct manifest_pack *pack, bool is_trusted, uint8_t *room)
{
    char name[NAME_BYTES];

    put_name(name, pack->sha256, ".plain");
    if (has_length(shelf, name, pack->plain_bytes))
        return true;
    put_name(name, pack->sha256, "");
    return has_length(shelf, name, pack->stored_bytes) &&
           (is_trusted || is_frame_right(shelf, pack, room));
}

bool shelf_has_pack(const struct shelf *shelf, const struct manifest_pack *pack)
{
    return is_here(shelf, pack, true, NULL);
}

int shelf_put_plain(const struct shelf *shelf, const struct manifest_pack *pack, struct bytes plain)
{
    uint8_t is[SHA256_BYTES];
    char name[NAME_BYTES];
    char path[PATH_MAX_BYTES];
    int r = digest_sha256(plain, is);

    if (r == 0 && memcmp(is, pack->sha256, sizeof(is)) != 0)
        return SHELF_E_WRONG;
    put_name(name, pack->sha256, ".plain");
    if (r == 0)
        r = put_path(shelf, name, path);
    if (r == 0)
        r = file_write_if_room(path, plain, FILE_MODE);
    return r <= 0 ? TRACE(r) : FETCH_E_FULL;
}

uint64_t shelf_free_bytes(const struct shelf *shelf)
{
    struct statvfs st;
    uint64_t free_bytes;

    if (fstatvfs(shelf->folder, &st) < 0)
        return 0;
    free_bytes = st.f_bavail * st.f_frsize;
    return free_bytes > shelf->reserve_bytes ? free_bytes - shelf->reserve_bytes : 0;
}

int shelf_unseal(const struct shelf *shelf, const uint8_t id[static SHA256_BYTES])
{
    char name[NAME_BYTES];

    put_name(name, id, ".whole");
    if (unlinkat(shelf->folder, name, 0) < 0 && errno != ENOENT)
        return ERR(-errno);
    return 0;
}

struct missing {
    struct manifest_pack *packs; /* owned */
    size_t n_packs;
    uint64_t bytes;      /* of frames */
    uint64_t disk_bytes; /* that they need on a disk */
};

static void missing_fini(struct missing *missing)
{
    free(missing->packs);
}

static int find_missing(const struct shelf *shelf,
                        const struct manifest *manifest,
                        bool is_trusted,
                        struct missing *ret)
{
    OWN(freep) uint8_t *room = malloc(PACK_STORED_MAX_BYTES);

    ret->packs = calloc(manifest->n_packs + 1, sizeof(*ret->packs));
    if (!room || !ret->packs)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < manifest->n_packs; i++) {
        const struct manifest_pack *pack = &manifest->packs[i];

        if (is_here(shelf, pack, is_trusted, room))
            continue;
        ret->packs[ret->n_packs++] = *pack;
        ret->bytes += pack->stored_bytes;
        ret->disk_bytes +=
            ((uint64_t)pack->stored_bytes + BLOCK_BYTES - 1) & ~(uint64_t)(BLOCK_BYTES - 1);
    }
    return 0;
}

static int check_room(const struct shelf *shelf, struct transfer *transfer, uint64_t need)
{
    struct statvfs st;

    if (fstatvfs(shelf->folder, &st) < 0)
        return ERR(-errno);
    need += shelf->reserve_bytes;
    if (st.f_bavail * st.f_frsize >= need)
        return 0;
    transfer_why(transfer,
                 "%" PRIu64 " MiB are needed in %s, and %" PRIu64 " MiB are free",
                 need / MIB + 1,
                 shelf->path,
                 (uint64_t)(st.f_bavail * st.f_frsize) / MIB);
    return FETCH_E_FULL;
}

/* Remember whence a pack is. */
static int note_source(void *ctx, const struct transfer_kept *kept)
{
    struct shelf *shelf = ctx;
    OWN(buf_fini) struct buf line = BUF_INIT(PATH_MAX_BYTES);
    char name[SHA256_TEXT_MAX];

    if (shelf->log < 0)
        shelf->log = openat(shelf->folder,
                            sources_name,
                            O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
                            FILE_MODE);
    if (shelf->log < 0)
        return ERR(-errno);
    hex_put(name, (struct bytes){kept->pack->sha256, SHA256_BYTES});
    buf_addf(&line, "%s %s\n", name, kept->source);
    return line.failed ? ERR(-ENOMEM) : TRACE(fd_write_all(shelf->log, buf_bytes(&line)));
}

/* All packs are here: make that durable, and remember it. */
static int seal(const struct shelf *shelf, struct transfer *transfer, const uint8_t *id)
{
    char name[NAME_BYTES];
    char path[PATH_MAX_BYTES];
    int r;

    if (syncfs(shelf->folder) < 0)
        return errno == ENOSPC || errno == EDQUOT ? full(shelf, transfer) : ERR(-errno);
    put_name(name, id, ".whole");
    r = put_path(shelf, name, path);
    if (r == 0)
        r = file_write_if_room(path, (struct bytes){0}, FILE_MODE);
    return r <= 0 ? TRACE(r) : full(shelf, transfer);
}

static int load_packs(struct shelf *shelf,
                      struct transfer *transfer,
                      const uint8_t *id,
                      const struct manifest *manifest)
{
    OWN(missing_fini) struct missing missing = {0};
    bool is_whole = shelf_has(shelf, id);
    int r = find_missing(shelf, manifest, is_whole, &missing);

    if (r < 0)
        return TRACE(r);
    transfer_set_total(transfer, missing.bytes);
    if (missing.n_packs > 0) {
        r = check_room(shelf, transfer, missing.disk_bytes);
        if (r == 0)
            r = transfer_keep(transfer,
                              &(struct transfer_keeping){.packs = missing.packs,
                                                         .n_packs = missing.n_packs,
                                                         .folder = shelf->folder,
                                                         .take = note_source,
                                                         .ctx = shelf});
    }
    if (r == TRANSFER_E_FULL)
        return full(shelf, transfer);
    if (r == 0 && (missing.n_packs > 0 || !is_whole))
        r = seal(shelf, transfer, id);
    return TRACE(r);
}

int shelf_download(struct shelf *shelf,
                   const struct transfer_options *options,
                   const uint8_t id[static SHA256_BYTES],
                   struct transfer_report *report)
{
    OWN(transfer_freep) struct transfer *transfer = NULL;
    OWN(manifest_fini) struct manifest manifest = {0};
    int r = transfer_new(options, report, &transfer);

    if (r == 0)
        r = shelf_get_manifest(shelf, transfer, id, &manifest);
    if (r == 0)
        r = load_packs(shelf, transfer, id, &manifest);
    return TRACE(r);
}

static int copy_file(const struct shelf *from, const struct shelf *to, const char *name)
{
    OWN(fd_closep) int src = openat(from->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    OWN(freep) uint8_t *room = NULL;
    OWN(fd_closep) int dst = -1;

    if (src < 0)
        return errno == ENOENT ? 0 : ERR(-errno); /* a pack is there as a frame, or plain */
    dst =
        openat(to->folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    room = malloc(MIB);
    if (dst < 0 || !room)
        return ERR(dst < 0 ? -errno : -ENOMEM);
    for (;;) {
        ssize_t n = read(src, room, MIB);
        int r;

        if (n < 0)
            return ERR(-errno);
        if (n == 0)
            return 0;
        r = fd_write_all(dst, (struct bytes){room, (size_t)n});
        if (r < 0)
            return TRACE(r);
    }
}

int shelf_copy(const struct shelf *from,
               const struct shelf *to,
               const uint8_t id[static SHA256_BYTES])
{
    OWN(manifest_fini) struct manifest manifest = {0};
    char name[NAME_BYTES];
    int r = shelf_read_manifest(from, id, &manifest);

    if (r > 0)
        return ERR(-ENOENT);
    for (size_t i = 0; r == 0 && i < manifest.n_packs; i++) {
        put_name(name, manifest.packs[i].sha256, "");
        r = copy_file(from, to, name);
        if (r == 0) {
            put_name(name, manifest.packs[i].sha256, ".plain");
            r = copy_file(from, to, name);
        }
    }
    put_name(name, id, ".manifest");
    if (r == 0)
        r = copy_file(from, to, name);
    if (r == 0)
        r = copy_file(from, to, sources_name);
    if (r == 0 && syncfs(to->folder) < 0)
        r = ERR(-errno);
    put_name(name, id, ".whole");
    if (r == 0)
        r = copy_file(from, to, name);
    if (r == 0 && syncfs(to->folder) < 0)
        r = ERR(-errno);
    return TRACE(r);
}

void shelf_set_reserve(struct shelf *shelf, uint64_t bytes)
{
    shelf->reserve_bytes = bytes;
}

static bool find_manifest(void *ctx, const uint8_t *id, struct buf *ret)
{
    const struct shelf *shelf = ctx;
    char name[NAME_BYTES];
    char path[PATH_MAX_BYTES];

    put_name(name, id, ".manifest");
    return put_path(shelf, name, path) == 0 && file_read(path, ret) == 0;
}

void shelf_offer(struct shelf *shelf, struct transfer_options *options)
{
    options->local = shelf_find;
    options->local_manifest = find_manifest;
    options->local_bad = shelf_drop;
    options->local_ctx = shelf;
}

bool shelf_find(void *ctx, const struct manifest_pack *pack, uint8_t *ret)
{
    struct shelf *shelf = ctx;
    OWN(freep) uint8_t *frame = NULL;
    char name[NAME_BYTES];

    put_name(name, pack->sha256, ".plain");
    if (read_exactly(shelf, name, ret, pack->plain_bytes)) {
        shelf->read_bytes += pack->plain_bytes;
        return true;
    }
    put_name(name, pack->sha256, "");
    if (!has_length(shelf, name, pack->stored_bytes))
        return false;
    frame = malloc(pack->stored_bytes);
    if (!frame || !read_exactly(shelf, name, frame, pack->stored_bytes))
        return false;
    shelf->read_bytes += pack->stored_bytes;
    if (frame_unpack((struct bytes){frame, pack->stored_bytes}, pack->plain_bytes, ret) == 0)
        return true;
    shelf_drop(shelf, pack);
    return false;
}

void shelf_drop(void *ctx, const struct manifest_pack *pack)
{
    struct shelf *shelf = ctx;
    OWN(freep) uint8_t *room = malloc(PACK_STORED_MAX_BYTES);
    char name[NAME_BYTES];

    put_name(name, pack->sha256, ".plain");
    if (unlinkat(shelf->folder, name, 0) == 0)
        return; /* it was never downloaded */
    /* what is not as it came, the disk has damaged; the rest is the source's doing */
    if (room && is_frame_right(shelf, pack, room)) {
        (void)pthread_mutex_lock(&shelf->lock);
        if (shelf->n_bad < BAD_MAX)
            memcpy(shelf->bad[shelf->n_bad++], pack->sha256, SHA256_BYTES);
        (void)pthread_mutex_unlock(&shelf->lock);
    }
    put_name(name, pack->sha256, "");
    (void)unlinkat(shelf->folder, name, 0);
}

uint64_t shelf_read_bytes(const struct shelf *shelf)
{
    return shelf->read_bytes;
}

/* The last line about a pack. @ret: borrowed from @text, in which its end is marked; NULL: none */
static const char *find_source(char *text, const uint8_t *sha256)
{
    char name[SHA256_TEXT_MAX];
    char *found = NULL;

    hex_put(name, (struct bytes){sha256, SHA256_BYTES});
    for (char *at = strstr(text, name); at; at = strstr(at + 1, name))
        found = at + SHA256_TEXT_MAX; /* behind the space */
    if (!found || found > text + strlen(text))
        return NULL;
    found[strcspn(found, "\n")] = '\0';
    return found;
}

void shelf_tell_bad(struct shelf *shelf, const struct transfer_options *options)
{
    for (size_t i = 0; i < shelf->n_bad && options->bad_source; i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(SOURCES_MAX_BYTES);
        OWN(freep) char *copy = NULL;
        char path[PATH_MAX_BYTES];
        char name[SHA256_TEXT_MAX];
        char what[NAME_BYTES];
        const char *source;

        if (put_path(shelf, sources_name, path) != 0 || file_read(path, &text) != 0)
            break;
        copy = strdup(buf_str(&text));
        source = copy ? find_source(copy, shelf->bad[i]) : NULL;
        hex_put(name, (struct bytes){shelf->bad[i], SHA256_BYTES});
        (void)snprintf(what, sizeof(what), "pack %s", name);
        if (source)
            options->bad_source(options->ctx,
                                &(struct transfer_bad){source, what, TRANSFER_FAULT_DAMAGED});
    }
    shelf->n_bad = 0;
}
