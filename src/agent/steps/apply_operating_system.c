/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Apply Operating System Image: the image is streamed over HTTP into the file system, hash-checked, and
 * never stored twice (agent/steps/image_stream.h); or, if the deployment says so, downloaded first and then read from
 * there
 *
 * The step can be repeated: it begins by emptying the volume.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/run/order.h"
#include "agent/run/target.h"
#include "agent/steps/answer_file.h"
#include "agent/steps/content.h"
#include "agent/steps/empty.h"
#include "agent/steps/image_stream.h"
#include "agent/steps/refresh.h"
#include "agent/steps/step.h"
#include "agent/steps/volumes.h"
#include "agent/steps/without_effect.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/vars.h"

enum {
    WHY_MAX_BYTES = 4096,
};

struct job {
    struct step_context *c;
    const char *package_id;
    const struct order_index *image;
    struct shelf *shelf; /* owned; where it was downloaded to; NULL: it is streamed */
};

static void job_fini(struct job *job)
{
    shelf_free(job->shelf);
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
    r = empty_volume(job->c, TARGET_ROOT, &kept, &why);
    if (r < 0)
        buf_adds(&why, strerrordesc_np(-r));
    if (r == 0)
        return 0;
    if (r == EMPTY_E_STOPPED) {
        (void)step_fail(ret,
                        "SLW-0406",
                        "the deployment was cancelled while the volume %s was emptied",
                        job->c->target->root_device);
        return 1;
    }
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

static int finish(struct job *job, struct step_result *ret)
{
    if (ts_vars_set(job->c->vars, "OSDTargetSystemDrive", TARGET_ROOT, TS_BY_ENGINE) != 0)
        return ERR(-ENOMEM);
    job->c->target->is_old = false; /* and the state will say so */

    int r = answer_file_apply(job->c, ret);

    return r < 0 || ret->error_id ? TRACE(r) : TRACE(content_settle(job->c, ret));
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
    r = image_stream_run(&(struct image_stream){.c = job->c,
                                                .package_id = job->package_id,
                                                .image = job->image,
                                                .path = TARGET_ROOT,
                                                .device = job->c->target->root_device,
                                                .shelf = job->shelf},
                         ret);
    return r == 0 && !ret->error_id ? TRACE(finish(job, ret)) : TRACE(r);
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
    OWN(job_fini) struct job job = {.c = c};
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
    step_log_without_effect(c);
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
