/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Capture Operating System Image (SMS_TaskSequence_CaptureSystemImageAction)
 *
 * Every volume of the computer becomes an index of one new OS image of the site's content library
 * (docs/protocol/client-api.md, Capturing), or of a WIM file in a network folder (agent/steps/capture_share.h). What the
 * library or the file has is not sent again, so that a step that was interrupted begins anew and yet goes on.
 */

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "agent/capture/capture.h"
#include "agent/run/link.h"
#include "agent/run/order.h"
#include "agent/steps/capture_parts.h"
#include "agent/steps/capture_share.h"
#include "agent/steps/generalize.h"
#include "agent/steps/inside.h"
#include "agent/steps/return_code.h"
#include "agent/steps/step.h"
#include "base/err.h"
#include "base/own.h"
#include "image/folder_capture.h"
#include "image/wim_create.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "ts/network_folder.h"
#include "ts/vars.h"

enum {
    WHY_MAX = 4096,
    MB = 1000 * 1000,
    US_PER_S = 1000 * 1000,
    PERCENT_MAX = 99,
};

struct run {
    struct step_context *c;
    uint64_t started_us;
    uint64_t total_bytes;
    atomic_bool is_stopped; /* asked by all threads; said in ours */
};

static void tell(void *ctx, uint64_t done_bytes)
{
    struct run *run = ctx;
    uint64_t us = clock_monotonic_us() - run->started_us;
    uint64_t percent = run->total_bytes > 0 ? done_bytes * 100 / run->total_bytes : 0;
    char what[64];

    (void)snprintf(what, sizeof(what), "%u MB read", (unsigned)(done_bytes / MB));
    if (!run->c->progress(run->c->ctx,
                          percent < PERCENT_MAX ? (unsigned)percent : PERCENT_MAX,
                          us > 0 ? done_bytes * US_PER_S / us : 0,
                          what))
        atomic_store(&run->is_stopped, true);
}

static bool is_stopped(void *ctx)
{
    struct run *run = ctx;

    return atomic_load(&run->is_stopped);
}

/* What a shutdown wrote behind Prepare Windows for Capture. */
static int generalize_again(struct step_context *c)
{
    OWN(fd_closep) int root = -1;
    int r;

    if (ts_vars_get(c->vars, CAPTURE_PREPARED_VARIABLE)[0] == '\0') {
        c->log(c->ctx,
               "Prepare Windows for Capture has not run: the image has what only this computer "
               "may have");
        return 0;
    }
    if (!c->target->is_mounted)
        return 0;
    r = inside_open(TARGET_ROOT, &root);
    return r < 0 ? TRACE(r) : TRACE(generalize_system(root));
}

static void put_comment(struct step_context *c, struct buf *dst)
{
    const char *creator = step_value(c, "OSDImageCreator");

    buf_addf(dst, "Captured from %.60s", c->order->device_name);
    if (creator[0] != '\0')
        buf_addf(dst, ", created by %.50s", creator);
}

static int fail(struct step_context *c, int r, const struct buf *why, struct step_result *ret)
{
    switch (r) {
    case CAPTURE_E_SOURCE:
        return step_fail(ret, "SLW-0481", "a volume could not be captured: %s", buf_str(why));
    case CAPTURE_E_TOO_LARGE:
        return step_fail(
            ret,
            "SLW-0481",
            "a volume could not be captured: it has more chunks than an image may have");
    case CAPTURE_E_STOPPED:
        return step_fail(ret, "SLW-0406", "the deployment was cancelled while it captured");
    default:
        return step_fail(ret,
                         "SLW-0482",
                         "the image \"%s\" could not be added to the content library: %s",
                         step_value(c, "OSDCaptureDestination"),
                         buf_str(why));
    }
}

/* With each of the site's URLs until one answers. Return: 0, CAPTURE_E_..., or -errno. */
static int run_at_site(struct step_context *c,
                       struct capture_options *options,
                       struct capture_result *result,
                       struct buf *why)
{
    int r = CAPTURE_E_SITE;

    for (size_t i = 0; r == CAPTURE_E_SITE && i < c->site->n_urls; i++) {
        options->http = (struct http_client_options){
            .base_url = c->site->urls[i],
            .unix_socket = c->site->unix_socket,
            .pin = c->site->has_pin ? c->site->pin : NULL,
            .tokens = c->tokens,
            .user_agent = "slipway-agent",
        };
        buf_clear(why);
        r = capture_run(options, result, why);
    }
    return r < 0 ? TRACE(r) : r;
}

static int send(struct step_context *c,
                const struct capture_volume *volumes,
                size_t n,
                struct run *run,
                struct step_result *ret)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    OWN(buf_fini) struct buf stages = BUF_INIT(WHY_MAX);
    struct capture_result result = {0};
    OWN(buf_fini) struct buf comment = BUF_INIT(WHY_MAX);
    struct capture_options options = {
        .volumes = volumes,
        .n_volumes = n,
        .name = step_value(c, "OSDCaptureDestination"),
        .version = step_value(c, "OSDImageVersion"),
        .order_id = c->order->order_id,
        .tell = tell,
        .is_stopped = is_stopped,
        .ctx = run,
    };
    int r;

    put_comment(c, &comment);
    options.comment = buf_str(&comment);
    r = run_at_site(c, &options, &result, &why);
    if (r != 0)
        return r < 0 ? TRACE(r) : fail(c, r, &why, ret);
    capture_put_stages(&result.counts, &stages);
    c->log(c->ctx, "Captured as %s: %s", result.package_id, buf_str(&stages));
    return TRACE(ts_vars_set(c->vars, "_SLWCapturedPackageID", result.package_id, TS_BY_ENGINE));
}

static int write_to_share(struct step_context *c,
                          const struct capture_volume *volumes,
                          size_t n,
                          struct run *run,
                          struct step_result *ret)
{
    struct wim_create_volume sources[CAPTURE_VOLUMES_MAX];
    const struct wim_create_options options = {
        .volumes = sources,
        .n_volumes = n,
        .version = step_value(c, "OSDImageVersion"),
        .creator = step_value(c, "OSDImageCreator"),
        .tell = tell,
        .is_stopped = is_stopped,
        .ctx = run,
    };
    struct ts_capture_target target;

    for (size_t i = 0; i < n; i++)
        sources[i] = (struct wim_create_volume){.source = volumes[i].source,
                                                .name = volumes[i].name,
                                                .description = volumes[i].description,
                                                .filter = volumes[i].filter};
    return ts_capture_target_parse(step_value(c, "OSDCaptureDestination"), &target)
               ? TRACE(capture_share_write(c, &target, &options, ret))
               : ERR(-EINVAL); /* which was looked at before */
}

static void list_volumes(struct step_context *c,
                         const struct capture_parts *parts,
                         const struct folder_filter filters[2],
                         struct run *run,
                         struct capture_volume *ret)
{
    const char *description = step_value(c, "OSDImageDescription");

    for (size_t i = 0; i < parts->n; i++) {
        const struct capture_part *part = &parts->list[i];

        ret[i] = (struct capture_volume){
            .source = part->folder[0] != '\0' ? part->folder : part->device,
            .name = part->name,
            .description = description[0] != '\0' ? description : NULL,
            .filter = &filters[part->is_os ? 1 : 0],
        };
        run->total_bytes += part->used_bytes;
        c->log(c->ctx, "Index %zu: %s, %s", i + 1, part->device, part->name);
    }
}

static int capture(struct step_context *c, struct step_result *ret)
{
    OWN(capture_parts_fini) struct capture_parts parts = {0};
    OWN(capture_exclusions_fini) struct capture_exclusions of_data = {0};
    OWN(capture_exclusions_fini) struct capture_exclusions of_os = {0};
    const char *own = step_value(c, "SLWCaptureExclusions");
    const struct folder_filter filters[2] = {{capture_is_left_out, &of_data},
                                             {capture_is_left_out, &of_os}};
    struct capture_volume volumes[CAPTURE_VOLUMES_MAX];
    struct run run = {.c = c, .started_us = clock_monotonic_us()};
    int r = capture_parts_find(c, &parts);

    if (r == 0)
        r = capture_exclusions_new(own, false, &of_data);
    if (r == 0)
        r = capture_exclusions_new(own, true, &of_os);
    if (r < 0)
        return TRACE(r);
    if (parts.n == 0)
        return step_fail_with(
            ret,
            RETURN_NO_VOLUME,
            "SLW-0481",
            "no volume of this computer's disks has an operating system that can be "
            "captured");
    list_volumes(c, &parts, filters, &run, volumes);
    r = ts_capture_is_path(step_value(c, "OSDCaptureDestination"))
            ? write_to_share(c, volumes, parts.n, &run, ret)
            : send(c, volumes, parts.n, &run, ret);
    if (r >= 0 && !ret->error_id)
        r = ts_vars_set(c->vars, CAPTURE_DONE_VARIABLE, "true", TS_BY_ENGINE);
    return r < 0 ? TRACE(r) : 0;
}

int step_capture_system_image_run(struct step_context *c, struct step_result *ret)
{
    const char *destination = step_value(c, "OSDCaptureDestination");
    struct ts_capture_target target;
    int r;

    *ret = (struct step_result){0};
    if (destination[0] == '\0')
        return step_fail(ret, "SLW-0482", "the step names no target to capture into");
    if (ts_capture_is_path(destination) && !ts_capture_target_parse(destination, &target))
        return step_fail(
            ret,
            "SLW-0482",
            "\"%.200s\" is neither the name of an OS image nor a .wim file of a network "
            "folder: write \\\\SERVER\\SHARE\\FILE.wim, SERVER:/PATH/FILE.wim, or "
            "Z:\\FILE.wim for a drive of Connect To Network Folder",
            destination);
    r = generalize_again(c);
    return r < 0 ? TRACE(r) : TRACE(capture(c, ret));
}
