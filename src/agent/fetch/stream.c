/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/fetch/fetch.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/socket.h>

#include "agent/fetch/shelf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "format/manifest/manifest.h"

enum {
    WAIT_MS = 200,
};

struct stream {
    struct transfer *transfer; /* owned */
    struct manifest manifest;  /* owned */
    struct fetch_reader *reader;
    bool is_cancelled;
};

static void stream_fini(struct stream *s)
{
    manifest_fini(&s->manifest);
    transfer_free(s->transfer);
}

/* Until the reader takes more. Return: 0; 1 when people have cancelled; or -errno. */
static int wait_for_reader(struct stream *s)
{
    struct pollfd reader = {.fd = s->reader->fd, .events = POLLOUT};

    if (poll(&reader, 1, WAIT_MS) < 0 && errno != EINTR)
        return ERR(-errno);
    s->is_cancelled = !transfer_tell(s->transfer);
    return s->is_cancelled ? 1 : 0;
}

static int send_run(void *ctx, const struct transfer_piece *piece)
{
    struct stream *s = ctx;
    struct bytes rest = piece->plain;

    while (rest.len > 0) {
        ssize_t n = send(s->reader->fd, rest.ptr, rest.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        int r = 0;

        if (n >= 0)
            rest = (struct bytes){rest.ptr + n, rest.len - (size_t)n};
        else if (errno == EAGAIN)
            r = wait_for_reader(s);
        else if (errno == EPIPE || errno == ECONNRESET)
            r = 1;
        else if (errno != EINTR)
            r = ERR(-errno);
        if (r != 0)
            return r;
    }
    s->reader->n_runs++;
    return 0;
}

static int get_manifest(struct stream *s, const uint8_t *id, uint64_t size_bytes)
{
    char name[SHA256_TEXT_MAX];
    int r = transfer_get_manifest(s->transfer, id, &s->manifest);

    if (r != 0 || s->manifest.size_bytes == size_bytes)
        return TRACE(r);
    hex_put(name, (struct bytes){id, SHA256_BYTES});
    transfer_why(s->transfer,
                 "manifest %s describes %" PRIu64 " bytes, not the %" PRIu64 " that were ordered",
                 name,
                 s->manifest.size_bytes,
                 size_bytes);
    return TRANSFER_E_CONTENT;
}

/* All runs that the reader has not got yet. */
static int send_rest(struct stream *s)
{
    size_t n_sent = s->reader->n_runs;

    for (size_t i = 0; i < n_sent; i++)
        transfer_add_done(s->transfer, s->manifest.runs[i].size_bytes);
    return TRACE(transfer_packs(s->transfer,
                                &(struct transfer_job){.packs = s->manifest.packs,
                                                       .n_packs = s->manifest.n_packs,
                                                       .runs = s->manifest.runs + n_sent,
                                                       .n_runs = s->manifest.n_runs - n_sent,
                                                       .take = send_run,
                                                       .ctx = s}));
}

static int run(const struct transfer_options *options,
               const struct fetch_content *content,
               struct fetch_reader *reader,
               struct transfer_report *ret)
{
    OWN(stream_fini) struct stream s = {.reader = reader};
    int r = transfer_new(options, ret, &s.transfer);

    if (r < 0)
        return TRACE(r);
    transfer_set_total(s.transfer, content->size_bytes);
    r = get_manifest(&s, content->manifest, content->size_bytes);
    if (r == 0)
        r = send_rest(&s);
    if (r == TRANSFER_E_CONSUMER && s.is_cancelled)
        r = TRANSFER_E_CANCELLED;
    return TRACE(r);
}

int fetch_stream(const struct transfer_options *options,
                 const struct fetch_content *content,
                 struct fetch_reader *reader,
                 struct transfer_report *ret)
{
    return TRACE(run(options, content, reader, ret));
}

int fetch_stream_from(struct shelf *shelf,
                      const struct transfer_options *options,
                      const struct fetch_content *content,
                      struct fetch_reader *reader,
                      struct transfer_report *ret)
{
    struct transfer_options from_here = *options;
    int r;

    shelf_offer(shelf, &from_here);
    r = run(&from_here, content, reader, ret);
    shelf_tell_bad(shelf, options);
    return TRACE(r);
}

const char *fetch_bound_by(const struct transfer_report *report)
{
    static const char *const texts[] = {
        [TRANSFER_BY_NETWORK] = "the network took longest",
        [TRANSFER_BY_PROCESSOR] = "decompressing and checking took longest",
        [TRANSFER_BY_DISK] = "writing the files took longest",
    };

    return texts[transfer_bound_by(report)];
}
