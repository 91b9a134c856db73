/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What the agent does with an image, without a machine around it, for measurements:
 *
 *     bench_fetch SOURCE MANIFEST SIZE [TARGET]
 *     bench_fetch --keep FOLDER SOURCE MANIFEST
 *
 * Fetches the content from SOURCE ("http://10.78.0.1") and applies it to TARGET; without one every pack is fetched,
 * checked and dropped. With --keep it is downloaded to FOLDER, as an agent does that downloads before it starts.
 * Prints what the stages count as one JSON object.
 */

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/fetch/fetch.h"
#include "agent/fetch/shelf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "base/text.h"
#include "format/manifest/manifest.h"
#include "image/wim_apply.h"
#include "plat/file.h"
#include "rt/transfer/transfer.h"

enum {
    SOCKET_BYTES = 4 * 1024 * 1024,
    WHY_MAX_BYTES = 2048,
    GIVE_UP_US = 20 * 1000 * 1000,
};

struct reader {
    const char *target;
    int fd;
    int outcome;
    struct buf why;
};

static void *run_reader(void *ctx)
{
    struct reader *reader = ctx;

    reader->outcome = wim_apply(reader->fd, reader->target, &reader->why);
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

static int count(void *ctx, const struct transfer_piece *piece)
{
    uint64_t *n_bytes = ctx;

    *n_bytes += piece->plain.len;
    return 0;
}

/* Every byte, checked, in order; nobody is given it. Return: of transfer_packs(), or 1: it was not all. */
static int download(const struct transfer_options *options,
                    const uint8_t *manifest_id,
                    uint64_t size_bytes,
                    struct transfer_report *report)
{
    OWN(transfer_freep) struct transfer *transfer = NULL;
    OWN(manifest_fini) struct manifest manifest = {0};
    uint64_t n_bytes = 0;
    int r = transfer_new(options, report, &transfer);

    if (r == 0)
        r = transfer_get_manifest(transfer, manifest_id, &manifest);
    if (r != 0)
        return r;

    const struct transfer_job job = {
        .packs = manifest.packs,
        .n_packs = manifest.n_packs,
        .runs = manifest.runs,
        .n_runs = manifest.n_runs,
        .take = count,
        .ctx = &n_bytes,
    };

    r = transfer_packs(transfer, &job);
    return r == 0 && n_bytes != size_bytes ? 1 : r;
}

/* As the agent does it: fetched here, written in a thread. Return: as download(). */
static int apply(const struct transfer_options *options,
                 const uint8_t *manifest_id,
                 uint64_t size_bytes,
                 struct reader *reader,
                 struct transfer_report *report)
{
    int size = SOCKET_BYTES;
    pthread_t thread;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    (void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    reader->fd = ends[1];
    if (pthread_create(&thread, NULL, run_reader, reader) != 0)
        return -EAGAIN;

    struct fetch_reader end = {.fd = ends[0]};
    int r = fetch_stream(options, &(struct fetch_content){manifest_id, size_bytes}, &end, report);

    (void)close(ends[0]);
    (void)pthread_join(thread, NULL);
    return r;
}

/* Return: the exit status. */
static int keep(const char *folder, const char *source, const char *manifest_text)
{
    OWN(shelf_freep) struct shelf *shelf = NULL;
    const struct transfer_options options = {
        .sources = (const char *const[]){source}, .n_sources = 1, .give_up_us = GIVE_UP_US};
    struct transfer_report report = {0};
    uint8_t manifest[SHA256_BYTES];
    int r = 1;

    if (hex_parse(bytes_of(manifest_text), sizeof(manifest), manifest))
        r = shelf_open(folder, &shelf);
    if (r == 0)
        r = shelf_download(shelf, &options, manifest, &report);
    if (r == 0)
        print_report(&report);
    else
        (void)fprintf(stderr, "bench_fetch: keep %d %s\n", r, report.why);
    return r == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "--keep") == 0)
        return keep(argv[2], argv[3], argv[4]);

    struct reader reader = {
        .target = argc == 5 ? argv[4] : NULL, .fd = -1, .why = BUF_INIT(WHY_MAX_BYTES)};
    uint8_t manifest[SHA256_BYTES];
    uint64_t size_bytes;

    if ((argc != 4 && argc != 5) || !hex_parse(bytes_of(argv[2]), sizeof(manifest), manifest) ||
        !bytes_parse_u64(bytes_of(argv[3]), 1, UINT64_MAX, &size_bytes)) {
        (void)fprintf(stderr, "usage: %s SOURCE MANIFEST SIZE [TARGET]\n", argv[0]);
        return 2;
    }

    const struct transfer_options options = {
        .sources = (const char *const[]){argv[1]}, .n_sources = 1, .give_up_us = GIVE_UP_US};
    struct transfer_report report = {0};
    int r = reader.target ? apply(&options, manifest, size_bytes, &reader, &report)
                          : download(&options, manifest, size_bytes, &report);

    /* an NTFS volume has no place for what UNIX knows of a file */
    bool is_done = r == 0 && (reader.outcome == 0 || reader.outcome == WIM_APPLY_E_LOST);

    if (is_done)
        print_report(&report);
    else
        (void)fprintf(stderr,
                      "bench_fetch: fetch %d %s, apply %d %s\n",
                      r,
                      report.why,
                      reader.outcome,
                      buf_str(&reader.why));
    buf_fini(&reader.why);
    return is_done ? 0 : 1;
}
