/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What the agent does with an image, without a machine around it, for measurements:
 *
 *     bench_fetch SOURCE MANIFEST SIZE [TARGET]
 *
 * Fetches the content from SOURCE ("http://10.78.0.1") and applies it to TARGET, or reads it and drops it when there is
 * none. Prints what the stages count as one JSON object.
 */

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/fetch/fetch.h"
#include "base/bytes.h"
#include "base/own.h"
#include "base/text.h"
#include "image/wim_apply.h"
#include "plat/file.h"

enum {
    SOCKET_BYTES = 4 * 1024 * 1024,
    DROP_BYTES = 1024 * 1024,
    WHY_MAX_BYTES = 2048,
};

struct reader {
    const char *target; /* NULL: nothing is kept */
    int fd;
    int outcome;
    struct buf why;
};

static int drop_all(int fd)
{
    OWN(freep) uint8_t *bytes = malloc(DROP_BYTES);
    ssize_t n = 1;

    if (!bytes)
        return -ENOMEM;
    while (n > 0)
        n = read(fd, bytes, DROP_BYTES);
    return n < 0 ? -errno : 0;
}

static void *run_reader(void *ctx)
{
    struct reader *reader = ctx;

    reader->outcome =
        reader->target ? wim_apply(reader->fd, reader->target, &reader->why) : drop_all(reader->fd);
    fd_closep(&reader->fd);
    return NULL;
}

static void print_stage(const char *name, const struct transfer_stage *stage)
{
    (void)printf("\"%s\": {\"bytes\": %" PRIu64 ", \"busy_us\": %" PRIu64
                 ", \"waiting_us\": %" PRIu64 "}, ",
                 name,
                 stage->bytes,
                 stage->busy_us,
                 stage->waiting_us);
}

static void print_report(const struct transfer_report *report)
{
    (void)printf("{");
    print_stage("network", &report->network);
    print_stage("unpack", &report->unpack);
    print_stage("write", &report->write);
    (void)printf("\"elapsed_us\": %" PRIu64 ", \"network_wait_us\": %" PRIu64
                 ", \"unpack_wait_us\": %" PRIu64 ", \"peak_bytes\": %zu, \"n_retries\": %u"
                 ", \"bound_by\": \"%s\"}\n",
                 report->elapsed_us,
                 report->network_wait_us,
                 report->unpack_wait_us,
                 report->peak_bytes,
                 report->n_retries,
                 fetch_bound_by(report));
}

/* Return: an exit status. */
static int
transfer(const char *source, const uint8_t *manifest, uint64_t size_bytes, struct reader *reader)
{
    const struct transfer_options options = {
        .sources = &source, .n_sources = 1, .give_up_us = 20000000};
    struct transfer_report report;
    int size = SOCKET_BYTES;
    pthread_t thread;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return 1;
    (void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    reader->fd = ends[1];
    if (pthread_create(&thread, NULL, run_reader, reader) != 0)
        return 1;

    int r = fetch_stream(&options, manifest, size_bytes, ends[0], &report);

    (void)close(ends[0]);
    (void)pthread_join(thread, NULL);
    if (r != 0 || reader->outcome != 0) {
        (void)fprintf(stderr,
                      "bench_fetch: fetch %d %s, apply %d %s\n",
                      r,
                      report.why,
                      reader->outcome,
                      buf_str(&reader->why));
        return 1;
    }
    print_report(&report);
    return 0;
}

int main(int argc, char **argv)
{
    struct reader reader = {
        .target = argc == 5 ? argv[4] : NULL, .fd = -1, .why = BUF_INIT(WHY_MAX_BYTES)};
    uint8_t manifest[SHA256_BYTES];
    uint64_t size_bytes;

    if ((argc != 4 && argc != 5) || !hex_parse(bytes_of(argv[2]), sizeof(manifest), manifest) ||
        !bytes_parse_u64(bytes_of(argv[3]), 1, UINT64_MAX, &size_bytes)) {
        (void)fprintf(stderr, "usage: %s SOURCE MANIFEST SIZE [TARGET]\n", argv[0]);
        return 2;
    }

    int status = transfer(argv[1], manifest, size_bytes, &reader);

    buf_fini(&reader.why);
    return status;
}
