/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/fetch/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/digest.h"
#include "plat/file.h"

enum {
    PATH_MAX_BYTES = 4096,
    FILE_MODE = 0644,
};

struct writing {
    const struct fetch_file *file;
    struct transfer *transfer;
    uint64_t told_len;     /* of progress */
    struct digest *digest; /* owned */
    int fd;                /* owned; the file aside */
    uint64_t len;
};

DEFINE_FREEP(struct digest *, digest_free);

static int begin_writing(void *ctx)
{
    struct writing *w = ctx;
    uint8_t ignored[SHA256_BYTES];

    w->len = 0;
    if (ftruncate(w->fd, 0) < 0 || lseek(w->fd, 0, SEEK_SET) < 0)
        return ERR(-errno);
    return TRACE(digest_end(w->digest, ignored));
}

static int take_piece(void *ctx, struct bytes piece)
{
    struct writing *w = ctx;
    int r;

    if (piece.len > w->file->size_bytes - w->len)
        return 1;
    r = digest_add(w->digest, piece);
    if (r == 0)
        r = fd_write_all(w->fd, piece);
    w->len += piece.len;
    if (w->len > w->told_len) { /* what comes again is not told again */
        transfer_add_done(w->transfer, w->len - w->told_len);
        w->told_len = w->len;
    }
    return TRACE(r);
}

static int end_writing(void *ctx)
{
    struct writing *w = ctx;
    uint8_t is[SHA256_BYTES];
    int r = digest_end(w->digest, is);

    if (r < 0)
        return TRACE(r);
    return w->len == w->file->size_bytes && memcmp(is, w->file->sha256, sizeof(is)) == 0 ? 0 : 1;
}

static int sync_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    OWN(freep) char *folder = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");

    if (!folder)
        return ERR(-ENOMEM);
    return TRACE(dir_sync(folder[0] != '\0' ? folder : "/"));
}

/* @aside is complete: make it @target. */
static int publish(int fd, const char *aside, const char *target)
{
    if (fchmod(fd, FILE_MODE) < 0 || fsync(fd) < 0 || rename(aside, target) < 0)
        return ERR(-errno);
    return TRACE(sync_parent(target));
}

static int get_into(struct transfer *transfer, const struct fetch_file *file, int fd)
{
    OWN(digest_freep) struct digest *digest = NULL;
    struct writing w = {.file = file, .transfer = transfer, .fd = fd};
    struct transfer_taker taker = {begin_writing, take_piece, end_writing, &w};
    int r = digest_new(&digest);

    if (r < 0)
        return TRACE(r);
    w.digest = digest;
    return transfer_get(transfer, file->path, file->path, &taker);
}

int fetch_file(const struct transfer_options *options,
               const struct fetch_file *file,
               const char *target,
               struct transfer_report *ret)
{
    OWN(transfer_freep) struct transfer *transfer = NULL;
    char aside[PATH_MAX_BYTES];
    int n = snprintf(aside, sizeof(aside), "%s.part", target);
    int r = transfer_new(options, ret, &transfer);

    if (r < 0)
        return TRACE(r);
    transfer_set_total(transfer, file->size_bytes);
    if (n < 0 || (size_t)n >= sizeof(aside))
        return ERR(-ENAMETOOLONG);

    OWN(fd_closep) int fd = open(aside, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);

    if (fd < 0)
        return ERR(-errno);

    r = get_into(transfer, file, fd);
    if (r == 0)
        r = publish(fd, aside, target);
    if (r != 0)
        (void)unlink(aside);
    return r < 0 ? TRACE(r) : r;
}
