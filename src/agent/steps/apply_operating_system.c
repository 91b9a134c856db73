/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Apply Operating System Image: the image is streamed over HTTP into the file system, hash-checked, and
 * never stored twice; or, if the deployment says so, downloaded first and then read from there
 *
 * The step's thread fetches, and so tells how far it is; a second one writes. Each closes its end
 * of the stream when it is done, so neither can wait for the other for ever. The step can be repeated:
 * it begins by emptying the volume.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/fetch/fetch.h"
#include "agent/run/order.h"
#include "agent/run/target.h"
#include "agent/steps/content.h"
#include "agent/steps/empty.h"
#include "agent/steps/package.h"
#include "agent/steps/refresh.h"
#include "agent/steps/step.h"
#include "agent/steps/volumes.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "image/wim_apply.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "ts/vars.h"

enum {
    WHY_MAX_BYTES = 4096,
    WHAT_MAX = 160,
    SOCKET_BYTES = 4 * 1024 * 1024,
    POLL_US = 200 * 1000,
    US_PER_S = 1000 * 1000,
    MIB = 1024 * 1024,
    PERCENT_MAX = 99, /* until the file system is written out */
};

struct writer {     /* the second thread */
    int fd;         /* owned by the thread */
    int outcome;    /* of wim_apply(), like why: to be read after pthread_join() */
    struct buf why; /* owned */
    _Atomic bool is_done;
};

struct job {
    struct step_context *c;
    const char *package_id;
    const struct order_index *image;
    struct shelf *shelf; /* owned; where it was downloaded to; NULL: it is streamed */
    struct writer writer;
    struct transfer_report report;
    bool is_cancelled;
};

static void job_fini(struct job *job)
{
    buf_fini(&job->writer.why);
    shelf_free(job->shelf);
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
                   job->image->index,
                   job->package_id,
                   progress->done_bytes / MIB,
                   progress->total_bytes / MIB);
    if (!job->c->progress(job->c->ctx,
                          percent < PERCENT_MAX ? (unsigned)percent : PERCENT_MAX,
                          progress->rate_bytes_per_s,
                          what))
        job->is_cancelled = true;
    return !job->is_cancelled;
}

static void on_bad_source(void *ctx, const struct transfer_bad *bad)
{
    struct job *job = ctx;

    package_log_bad_source(job->c, bad);
}

static void *run_writer(void *ctx)
{
    struct writer *writer = ctx;

    writer->outcome = wim_apply(writer->fd, TARGET_ROOT, &writer->why);
    fd_closep(&writer->fd); /* a fetch that is still at it learns that nobody reads */
    writer->is_done = true;
    return NULL;
}

/* The last files are being written, and nothing more arrives. It is not cut off: that takes seconds. */
static void wait_for_writer(struct job *job)
{
    struct transfer_progress all = {job->image->size_bytes, job->image->size_bytes, 0};

    while (!job->writer.is_done) {
        clock_sleep_us(POLL_US);
        (void)tell(job, &all);
    }
}

static int fetch_image(struct job *job, int fd)
{
    struct transfer_options options;

    package_options(job->c, order_find_content(job->c->order, job->package_id), &options);
    options.progress = tell;
    options.bad_source = on_bad_source;
    options.ctx = job;
    if (job->shelf)
        return fetch_stream_from(
            job->shelf,
            &options,
            &(struct fetch_content){job->image->manifest, job->image->size_bytes},
            fd,
            &job->report);
    return fetch_stream(&options, job->image->manifest, job->image->size_bytes, fd, &job->report);
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
                         job->image->index,
                         job->package_id,
                         job->report.why);
    case TRANSFER_E_UNREACHABLE:
        return step_fail(ret,
                         "SLW-0302",
                         "Nothing has arrived of image %" PRIu32 " of %s for %d minutes: %s. Check "
                         "the network and the distribution point.",
                         job->image->index,
                         job->package_id,
                         TRANSFER_GIVE_UP_S / 60,
                         job->report.why);
    default:
        return step_fail(ret,
                         "SLW-0309",
                         "Applying image %" PRIu32 " of %s was cancelled at the site. The volume "
                         "holds a part of the image.",
                         job->image->index,
                         job->package_id);
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

    return step_fail(ret,
                     failures[outcome].error_id,
                     "Image %" PRIu32 " of %s %s (%s): %s",
                     job->image->index,
                     job->package_id,
                     failures[outcome].what,
                     job->c->target->root_device,
                     buf_str(&job->writer.why));
}

/* The file system is written out: then it is done. */
static int finish(struct job *job, struct step_result *ret)
{
    const struct transfer_report *report = &job->report;
    uint64_t seconds = report->elapsed_us / US_PER_S + 1;
    OWN(fd_closep) int root = open(TARGET_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char what[WHAT_MAX];

    if (root < 0 || syncfs(root) < 0)
        return ERR(-errno);
    (void)snprintf(what,
                   sizeof(what),
                   "Image applied: %" PRIu64 " MiB in %" PRIu64 " s; %s",
                   job->image->size_bytes / MIB,
                   seconds,
                   fetch_bound_by(report));
    (void)job->c->progress(job->c->ctx, 100, job->image->size_bytes / seconds, what);
    job->c->log(job->c->ctx,
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
    if (ts_vars_set(job->c->vars, "OSDTargetSystemDrive", TARGET_ROOT, TS_BY_ENGINE) != 0)
        return ERR(-ENOMEM);
    job->c->target->is_old = false; /* and the state will say so */
    *ret = (struct step_result){0};
    return 0;
}

/* Before the image is written it is here in full, unless it is streamed. Return: 0, 1 if @ret was set, or -errno. */
static int provide(struct job *job, struct step_result *ret)
{
    const struct content_want want = {
        .package = order_find_content(job->c->order, job->package_id),
        .manifest = job->image->manifest,
        .reserve_bytes = job->image->size_bytes,
    };
    int r = content_provide(job->c, &want, ret, &job->shelf);

    return r < 0 ? TRACE(r) : ret->error_id != NULL;
}

static int clear(struct job *job, struct step_result *ret)
{
    OWN(empty_kept_fini) struct empty_kept kept = {0};
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    int r = refresh_kept(job->c, &kept, ret);

    if (r != 0)
        return TRACE(r);
    r = empty_volume(TARGET_ROOT, &kept, &why);
    if (r < 0)
        buf_adds(&why, strerrordesc_np(-r));
    if (r == 0)
        return 0;
    (void)step_fail(ret,
                    "SLW-0305",
                    "Could not empty the volume %s before applying %s: %s.",
                    job->c->target->root_device,
                    job->package_id,
                    buf_str(&why));
    return 1;
}

/* An old system goes when all of the new one is here. Return: 0, 1 if @ret was set, or -errno. */
static int replace_old(struct job *job, struct step_result *ret)
{
    const struct content_want want = {
        .package = order_find_content(job->c->order, job->package_id),
        .manifest = job->image->manifest,
    };
    int r = refresh_provide(job->c, &want, job->image->size_bytes, ret, &job->shelf);

    if (r != 0)
        return TRACE(r);
    job->c->log(job->c->ctx,
                "All of %s is on the volume %s and was checked: the old system is removed",
                job->package_id,
                job->c->target->root_device);
    return TRACE(clear(job, ret));
}

static int apply(struct job *job, struct step_result *ret)
{
    int r;

    if (job->c->target->is_old) {
        r = replace_old(job, ret);
    } else {
        r = clear(job, ret);
        if (r == 0)
            r = provide(job, ret);
    }
    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    r = stream_image(job);
    package_count(job->c, &job->report, 0);
    if (r < 0)
        return TRACE(r);
    /* without a reader, the reader knows why; without the whole stream, the fetch does */
    if (r != 0 && r != TRANSFER_E_CONSUMER)
        return fail_fetch(job, r, ret);
    if (job->writer.outcome < 0)
        return TRACE(job->writer.outcome);
    if (job->writer.outcome > 0)
        return fail_writer(job, ret);
    if (r == 0)
        r = finish(job, ret);
    else
        r = ERR(-EPIPE);
    return r == 0 ? TRACE(content_settle(job->c, ret)) : TRACE(r);
}

/*
 * Where the step says, or where Format and Partition Disk has made a place; if that has made nothing, where an old system is.
 * Return: 0, 1 if @ret was set, or -errno.
 */
static int choose_volume(struct step_context *c, struct step_result *ret)
{
    struct volume volume;
    int r;

    if (c->target->root_device[0] == '\0')
        return TRACE(refresh_adopt(c, ret));
    if (c->target->is_old) /* chosen already: by its destination too */
        return 0;
    r = volumes_destination(c, &volume, ret);
    if (r == 0)
        r = volumes_take_target(c, &volume, ret);
    return r < 0 ? TRACE(r) : ret->error_id != NULL;
}

int step_apply_os_run(struct step_context *c, struct step_result *ret)
{
    OWN(job_fini) struct job job = {.c = c, .writer = {.fd = -1, .why = BUF_INIT(WHY_MAX_BYTES)}};
    int r;

    if (c->target->root_device[0] == '\0' && c->order->content_option == ORDER_STREAM)
        return step_fail(ret,
                         "SLW-0308",
                         "There is no volume to apply the image to. Put Format and Partition Disk "
                         "before this step. A volume that holds an old system is used only with "
                         "the content options download-when-needed and download-all-first.");
    job.image = content_choose_image(c, ret);
    if (!job.image)
        return 0;
    job.package_id = step_value(c, "ImagePackageID");
    r = choose_volume(c, ret);
    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    r = target_mount(c->target);
    if (r < 0)
        return TRACE(r);
    if (r == TARGET_E_MISSING)
        return step_fail(ret,
                         "SLW-0308",
                         "The volume %s is not there or holds no file system that can be mounted.",
                         c->target->root_device);
    return apply(&job, ret);
}
