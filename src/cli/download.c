/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/download.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/digest.h"
#include "plat/file.h"

enum {
    PATH_MAX_BYTES = 4096,
    HEADER_MAX_BYTES = 80,
    HASH_CHARS = 16, /* of the hash, in the part's name */
    PIECE_BYTES = 256 * 1024,
    FILE_MODE = 0666, /* as the umask lets it */
    HTTP_PARTIAL = 206,
};

/* The file on its way. */
struct part {
    char path[PATH_MAX_BYTES];
    int fd;                /* owned */
    struct digest *digest; /* owned; of what is there */
};

static void part_fini(struct part *part)
{
    fd_closep(&part->fd);
    digest_free(part->digest);
}

static int put_name(const struct download *d, struct part *part)
{
    char hex[SHA256_TEXT_MAX];
    int n;

    hex_put(hex, (struct bytes){d->sha256, SHA256_BYTES});
    n = snprintf(part->path, sizeof(part->path), "%s.%.*s.part", d->target, HASH_CHARS, hex);
    return n > 0 && (size_t)n < sizeof(part->path) ? 0 : ERR(-ENAMETOOLONG);
}

/* Hash what an earlier run has left, as far as it can be of this file. */
static int take_up(struct download *d, struct part *part)
{
    OWN(freep) uint8_t *piece = malloc(PIECE_BYTES);

    if (!piece)
        return ERR(-ENOMEM);
    while (d->offset < d->size_bytes) {
        ssize_t n = read(part->fd, piece, PIECE_BYTES);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR(-errno);
        if (n == 0)
            return 0;
        if ((uint64_t)n > d->size_bytes - d->offset)
            n = (ssize_t)(d->size_bytes - d->offset);

        int r = digest_add(part->digest, (struct bytes){piece, (size_t)n});

        if (r < 0)
            return TRACE(r);
        d->offset += (uint64_t)n;
    }
    return 0;
}

static int open_part(struct download *d, struct part *part)
{
    int r = put_name(d, part);

    if (r == 0)
        r = digest_new(&part->digest);
    if (r < 0)
        return TRACE(r);
    part->fd = open(part->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (part->fd < 0)
        return ERR(-errno);
    d->offset = 0;
    r = take_up(d, part);
    d->first_offset = d->offset;
    return TRACE(r);
}

/* What became of a request that was answered; with @want bytes it is good. */
static int judge(struct download *d, struct http_answer *answer, size_t want)
{
    d->status = answer->status;
    if (answer->status == HTTP_PARTIAL)
        return answer->body.len == want ? 0 : DOWNLOAD_E_CONFUSED;
    if (answer->status >= 500)
        return DOWNLOAD_E_UNREACHABLE;
    if (answer->status < 400)
        return DOWNLOAD_E_CONFUSED;
    http_answer_fini(&d->answer);
    d->answer = *answer;
    *answer = (struct http_answer){0};
    return DOWNLOAD_E_REFUSED;
}

static int ask(struct download *d, size_t want, struct http_answer *ret)
{
    char header[HEADER_MAX_BYTES];
    int r;

    (void)snprintf(header,
                   sizeof(header),
                   "Range: bytes=%" PRIu64 "-%" PRIu64,
                   d->offset,
                   d->offset + want - 1);
    r = http_client_next_header(d->client, header);
    if (r == 0)
        r = http_client_call(d->client, "GET", d->path, (struct bytes){0}, NULL, ret);
    if (r < 0)
        return TRACE(r);
    d->status = 0;
    if (r == HTTP_CLIENT_E_UNREACHABLE)
        return DOWNLOAD_E_UNREACHABLE;
    if (r == HTTP_CLIENT_E_PIN)
        return DOWNLOAD_E_PIN;
    return judge(d, ret, want);
}

static int fetch_part(struct download *d, struct part *part)
{
    OWN(http_answer_fini) struct http_answer answer = {0};
    uint64_t left = d->size_bytes - d->offset;
    size_t want = left < d->part_bytes ? (size_t)left : d->part_bytes;
    int r = ask(d, want, &answer);

    if (r != 0)
        return r;
    if (lseek(part->fd, (off_t)d->offset, SEEK_SET) < 0)
        return ERR(-errno);
    r = fd_write_all(part->fd, buf_bytes(&answer.body));
    if (r == 0)
        r = digest_add(part->digest, buf_bytes(&answer.body));
    if (r == 0)
        d->offset += want;
    return TRACE(r);
}

static int fetch_all(struct download *d, struct part *part)
{
    unsigned n_tries = 0;

    while (d->offset < d->size_bytes) {
        int r = fetch_part(d, part);

        if (r == 0)
            n_tries = 0;
        else if (r != DOWNLOAD_E_UNREACHABLE || ++n_tries >= DOWNLOAD_TRIES_MAX)
            return r;
        else
            clock_sleep_us(d->retry_us << (n_tries - 1));
        d->on_progress(d->ctx, d);
    }
    return 0;
}

static int sync_folder(const char *target)
{
    char folder[PATH_MAX_BYTES];
    const char *slash = strrchr(target, '/');

    (void)snprintf(folder,
                   sizeof(folder),
                   "%.*s",
                   slash ? (int)(slash - target) + (slash == target) : 1,
                   slash ? target : ".");
    return TRACE(dir_sync(folder));
}

/* Only what is whole gets the name. */
static int finish(struct download *d, struct part *part)
{
    uint8_t is[SHA256_BYTES];
    int r = digest_end(part->digest, is);

    if (r < 0)
        return TRACE(r);
    if (memcmp(is, d->sha256, sizeof(is)) != 0) {
        (void)unlink(part->path);
        return DOWNLOAD_E_CORRUPT;
    }
    if (ftruncate(part->fd, (off_t)d->size_bytes) < 0 || fsync(part->fd) < 0 ||
        rename(part->path, d->target) < 0)
        return ERR(-errno);
    return TRACE(sync_folder(d->target));
}

int download_run(struct download *d)
{
    OWN(part_fini) struct part part = {.fd = -1};
    int r = open_part(d, &part);

    if (r == 0)
        r = fetch_all(d, &part);
    if (r != 0)
        return r;
    return finish(d, &part);
}
