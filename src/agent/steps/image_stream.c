/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/image_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/fetch/fetch.h"
#include "agent/run/order.h"
#include "agent/steps/package.h"
#include "agent/steps/return_code.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "image/wim_apply.h"
#include "plat/clock.h"
#include "plat/file.h"

enum {
    WHY_MAX_BYTES = 4096,
    WHAT_MAX = 160,
    SOCKET_BYTES = 4 * 1024 * 1024,
    POLL_US = 200 * 1000,
    US_PER_S = 1000 * 1000,
    MIB = 1024 * 1024,
    PERCENT_MAX = 99, /* until the file system is written out */
};

struct writer {       /* the second thread */
    const char *path; /* borrowed */
    int fd;           /* owned by the thread */
    int outcome;      /* of wim_apply(), like why: to be read after pthread_join() */
    struct buf why;   /* owned */
    _Atomic bool is_done;
};

struct job {
    const struct image_stream *stream; /* borrowed */
    struct writer writer;
    struct transfer_report report;
    uint64_t begun_us;
    bool is_cancelled;
};

static void job_fini(struct job *job)
{
    buf_fini(&job->writer.why);
}

static bool tell(void *ctx, const struct transfer_progress *progress)
{
    struct job *job = ctx;
    uint64_t percent =
        progress->total_bytes > 0 ? progress->done_bytes * 100 / progress->total_bytes : 0;
    char what[WHAT_MAX];

    (void)snprintf(what,
                   sizeof(what),
                   "Applying image %" PRIu32 " of %s: %" PRIu64 " of %" PRIu64 " MiB",
                   job->stream->image->index,
                   job->stream->package_id,
                   progress->done_bytes / MIB,
                   progress->total_bytes / MIB);
    if (!job->stream->c->progress(job->stream->c->ctx,
                                  percent < PERCENT_MAX ? (unsigned)percent : PERCENT_MAX,
                                  progress->rate_bytes_per_s,
                                  what))
        job->is_cancelled = true;
    return !job->is_cancelled;
}

static void on_bad_source(void *ctx, const struct transfer_bad *bad)
{
    struct job *job = ctx;

    package_log_bad_source(job->stream->c, bad);
}

static void *run_writer(void *ctx)
{
    struct writer *writer = ctx;

    writer->outcome = wim_apply(writer->fd, writer->path, &writer->why);
    fd_closep(&writer->fd); /* a fetch that is still at it learns that nobody reads */
    writer->is_done = true;
    return NULL;
}

/* The last files are being written, and nothing more arrives. It is not cut off: that takes seconds. */
static void wait_for_writer(struct job *job)
{
    struct transfer_progress all = {
        job->stream->image->size_bytes, job->stream->image->size_bytes, 0};

    while (!job->writer.is_done) {
        clock_sleep_us(POLL_US);
        (void)tell(job, &all);
    }
}

/* What breaks off goes on where it was, if the step is to try again: the writer waits meanwhile. */
static int fetch_image(struct job *job, int fd)
{
    struct step_context *c = job->stream->c;
    const struct fetch_content content = {job->stream->image->manifest,
                                          job->stream->image->size_bytes};
    struct fetch_reader reader = {.fd = fd};
    struct transfer_options options;
    unsigned n_tries = 0;
    int r;

    package_options(c, order_find_content(c->order, job->stream->package_id), &options);
    options.progress = tell;
    options.bad_source = on_bad_source;
    options.ctx = job;
    do {
        if (job->stream->shelf)
            r = fetch_stream_from(job->stream->shelf, &options, &content, &reader, &job->report);
        else
            r = fetch_stream(&options, &content, &reader, &job->report);
        package_count(c, &job->report, 0);
    } while (r > 0 && package_is_retried(c, r, &n_tries));
    return r;
}

/* Return: of fetch_stream(). */
static int stream_image(struct job *job)
{
    OWN(fd_closep) int out = -1;
    int size = SOCKET_BYTES;
    pthread_t thread;
    int ends[2];
    int r;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return ERR(-errno);
    out = ends[0];
    job->writer.fd = ends[1];
    (void)setsockopt(out, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    if (pthread_create(&thread, NULL, run_writer, &job->writer) != 0) {
        fd_closep(&job->writer.fd);
        return ERR(-EAGAIN);
    }
    r = fetch_image(job, out);
    fd_closep(&out); /* the end of the stream, whole or not */
    wait_for_writer(job);
    (void)pthread_join(thread, NULL);
    return r;
}

static int fail_fetch(const struct job *job, int outcome, struct step_result *ret)
{
    switch (outcome) {
    case TRANSFER_E_CONTENT:
        return step_fail(ret,
                         "SLW-0301",
                         "Content of image %" PRIu32 " of %s is bad: %s, each asked twice. "
                         "Validate the content of the package on these distribution points.",
                         job->stream->image->index,
                         job->stream->package_id,
                         job->report.why);
    case TRANSFER_E_UNREACHABLE:
        return step_fail(ret,
                         "SLW-0302",
                         "Nothing has arrived of image %" PRIu32 " of %s for %d minutes: %s. Check "
                         "the network and the distribution point.",
                         job->stream->image->index,
                         job->stream->package_id,
                         TRANSFER_GIVE_UP_S / 60,
                         job->report.why);
    default:
        return step_fail(ret,
                         "SLW-0309",
                         "Applying image %" PRIu32 " of %s was cancelled at the site. The volume "
                         "holds a part of the image.",
                         job->stream->image->index,
                         job->stream->package_id);
    }
}

static int fail_writer(const struct job *job, struct step_result *ret)
{
    static const struct {
        const char *error_id;
        const char *what;
    } failures[] = {
        [WIM_APPLY_E_STREAM] = {"SLW-0304", "is not a usable image"},
        [WIM_APPLY_E_TARGET] = {"SLW-0305", "could not be written to the volume"},
        [WIM_APPLY_E_LOST] = {"SLW-0306", "could not be restored completely"},
    };
    int outcome = job->writer.outcome;
    bool is_full = strstr(buf_str(&job->writer.why), strerrordesc_np(ENOSPC)) != NULL;

    return step_fail_with(ret,
                          is_full ? RETURN_DISK_FULL : RETURN_UNSPECIFIED,
                          failures[outcome].error_id,
                          "Image %" PRIu32 " of %s %s (%s): %s",
                          job->stream->image->index,
                          job->stream->package_id,
                          failures[outcome].what,
                          job->stream->device,
                          buf_str(&job->writer.why));
}

/* The file system is written out: then it is done. */
static int finish(struct job *job, struct step_result *ret)
{
    const struct transfer_report *report = &job->report;
    uint64_t seconds = (clock_monotonic_us() - job->begun_us) / US_PER_S + 1;
    OWN(fd_closep) int root = open(job->stream->path, O_RDONLY | O_CLOEXEC);
    char what[WHAT_MAX];

    if (root < 0 || syncfs(root) < 0)
        return ERR(-errno);
    (void)snprintf(what,
                   sizeof(what),
                   "Image applied: %" PRIu64 " MiB in %" PRIu64 " s; %s",
                   job->stream->image->size_bytes / MIB,
                   seconds,
                   fetch_bound_by(report));
    (void)job->stream->c->progress(
        job->stream->c->ctx, 100, job->stream->image->size_bytes / seconds, what);
    job->stream->c->log(job->stream->c->ctx,
                        "%s (%" PRIu64
                        " MiB in %u packs received, %u transfers repeated; network: busy %" PRIu64
                        " ms, held up %" PRIu64 " ms; unpacking: busy %" PRIu64 " ms, idle %" PRIu64
                        " ms; writing: busy %" PRIu64 " ms, waited %" PRIu64
                        " ms for the network and %" PRIu64 " ms for unpacking)",
                        what,
                        report->network.bytes / MIB,
                        report->n_packs,
                        report->n_retries,
                        report->network.busy_us / 1000,
                        report->network.waiting_us / 1000,
                        report->unpack.busy_us / 1000,
                        report->unpack.waiting_us / 1000,
                        report->write.busy_us / 1000,
                        report->network_wait_us / 1000,
                        report->unpack_wait_us / 1000);
    *ret = (struct step_result){0};
    return 0;
}

/* The step has no wish for what the file system has no place for. */
static bool is_written(const struct job *job)
{
    bool is_lost = job->writer.outcome == WIM_APPLY_E_LOST && job->stream->may_lose;

    if (is_lost)
        job->stream->c->log(job->stream->c->ctx,
                            "Image %" PRIu32 " of %s has more than %s has a place for: %s",
                            job->stream->image->index,
                            job->stream->package_id,
                            job->stream->device,
                            buf_str(&job->writer.why));
    return job->writer.outcome == 0 || is_lost;
}

int image_stream_run(const struct image_stream *stream, struct step_result *ret)
{
    OWN(job_fini)
    struct job job = {.stream = stream,
                      .begun_us = clock_monotonic_us(),
                      .writer = {.path = stream->path, .fd = -1, .why = BUF_INIT(WHY_MAX_BYTES)}};
    int r = stream_image(&job);

    if (r < 0)
        return TRACE(r);
    /* without a reader, the reader knows why; without the whole stream, the fetch does */
    if (r != 0 && r != TRANSFER_E_CONSUMER)
        return fail_fetch(&job, r, ret);
    if (job.writer.outcome < 0)
        return TRACE(job.writer.outcome);
    if (!is_written(&job))
        return fail_writer(&job, ret);
    return r == 0 ? TRACE(finish(&job, ret)) : ERR(-EPIPE);
}
