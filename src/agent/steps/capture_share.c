/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/capture_share.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/run/order.h"
#include "agent/steps/capture_claim.h"
#include "agent/steps/network_folder.h"
#include "agent/steps/network_reach.h"
#include "agent/steps/return_code.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "image/wim_create.h"
#include "image/wim_part.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "ts/network_folder.h"
#include "ts/vars.h"

#define SHARE_ROOT "/run/slipway/capture-share"

/* What is known of a file that is not finished, and which that is. */
#define PART_VARIABLE        "_SLWCapturePart"
#define DESTINATION_VARIABLE "_SLWCapturePartOf"

enum {
    WHY_MAX = 4096,
    TRIES_MAX = 20, /* without a stage that became whole */
    PAUSE_S = 15,
    US_PER_S = 1000 * 1000,
    S_PER_MINUTE = 60,
    WRITE_AGAIN = 2, /* of functions that return 1 if the result was set: it may go well later */
    CHECKPOINT_MAX_MB = 1024 * 1024,
    MB_SHIFT = 20,
};

struct place { /* where it is written */
    struct step_context *c;
    const struct ts_capture_target *target;
    const char *text;                        /* as the step says it */
    const struct wim_create_options *source; /* as the step made it */
    struct capture_claim *claim;             /* while it is written */
    unsigned n_tries;                        /* that have failed one behind the other */
    char folder[PATH_MAX];
    char file[PATH_MAX];
    char part[PATH_MAX];
    char lock[PATH_MAX];
};

/* Where the folder is, once it is connected. */
static void find_folder(struct place *place)
{
    const struct ts_capture_target *target = place->target;

    if (target->drive == '\0')
        (void)snprintf(place->folder, sizeof(place->folder), "%s", SHARE_ROOT);
    else
        (void)snprintf(place->folder,
                       sizeof(place->folder),
                       NETWORK_FOLDER_ROOT "/%c/%s",
                       target->drive,
                       target->path);
}

static int fail_with(const struct place *place, int code, const char *why, struct step_result *ret)
{
    (void)step_fail_with(ret,
                         code,
                         "SLW-0484",
                         "the image could not be written to \"%.200s\": %s",
                         place->text,
                         why);
    return 1;
}

/* @why: as the system says it. */
static bool is_full(const char *why)
{
    return strstr(why, strerrordesc_np(ENOSPC)) != NULL ||
           strstr(why, strerrordesc_np(EDQUOT)) != NULL;
}

/* The server or what is between, and not what it thinks of us. */
static bool is_lost(const char *why)
{
    static const int errors[] = {EIO,
                                 EHOSTDOWN,
                                 EHOSTUNREACH,
                                 ENETDOWN,
                                 ENETUNREACH,
                                 ETIMEDOUT,
                                 ECONNREFUSED,
                                 ECONNRESET,
                                 ECONNABORTED,
                                 ENOTCONN,
                                 EPIPE,
                                 EAGAIN,
                                 ESTALE,
                                 EREMOTEIO};

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (strstr(why, strerrordesc_np(errors[i])))
            return true;
    return false;
}

static int fail(const struct place *place, const char *why, struct step_result *ret)
{
    return fail_with(place, is_full(why) ? RETURN_DISK_FULL : RETURN_UNSPECIFIED, why, ret);
}

/* Return: 0, 1 if @ret was set, or -errno. */
static int
connect_folder(struct step_context *c, const struct place *place, struct step_result *ret)
{
    const char *account = step_value(c, "OSDCaptureAccount");
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    int r;

    if (place->target->drive != '\0')
        return file_exists(place->folder)
                   ? 0
                   : fail_with(place,
                               RETURN_NOT_FOUND,
                               "the drive has no such folder, or is not connected",
                               ret);
    c->log(c->ctx,
           "Connecting the folder of %s%s%s",
           place->text,
           account[0] != '\0' ? " as " : "",
           account);
    r = network_folder_reach(c, &place->target->folder, &why);
    if (r == NETWORK_FOLDER_E_CANCELLED) {
        (void)step_fail(
            ret, "SLW-0406", "the deployment was cancelled before %s was connected", place->text);
        return 1;
    }
    if (r == 0)
        r = network_folder_mount(&place->target->folder,
                                 account,
                                 step_value(c, "OSDCaptureAccountPassword"),
                                 place->folder,
                                 &why);
    return r <= 0 ? TRACE(r) : fail_with(place, network_folder_code(r), buf_str(&why), ret);
}

static void forget_part(const struct place *place)
{
    (void)ts_vars_set(place->c->vars, PART_VARIABLE, "", TS_BY_ENGINE);
    (void)ts_vars_set(place->c->vars, DESTINATION_VARIABLE, "", TS_BY_ENGINE);
}

/* The file got so far: from here it goes on after a power cut. */
static int keep_part(void *ctx, const struct wim_part *part)
{
    struct place *place = ctx;
    struct step_context *c = place->c;
    char text[WIM_PART_TEXT_MAX];
    int r;

    place->n_tries = 0;
    wim_part_put(part, text);
    r = ts_vars_set(c->vars, DESTINATION_VARIABLE, place->text, TS_BY_ENGINE);
    if (r == 0)
        r = ts_vars_set(c->vars, PART_VARIABLE, text, TS_BY_ENGINE);
    if (r > 0) {
        c->log(c->ctx, "There is no room for one more variable: an interruption begins anew");
        forget_part(place);
        return 0;
    }
    if (r == 0 && c->save)
        r = c->save(c->ctx);
    if (r == 0)
        c->log(c->ctx,
               "%llu bytes of %s.part are durable, %u of the volumes are whole",
               (unsigned long long)part->file_bytes,
               place->target->name,
               (unsigned)part->n_volumes);
    return TRACE(r);
}

static bool find_part(const struct place *place, struct wim_part *ret)
{
    const struct ts_vars *vars = place->c->vars;

    return strcmp(ts_vars_get(vars, DESTINATION_VARIABLE), place->text) == 0 &&
           wim_part_parse(bytes_of(ts_vars_get(vars, PART_VARIABLE)), ret);
}

static int fail_claim(const struct place *place, const char *why, struct step_result *ret)
{
    forget_part(place);
    return step_fail(
        ret,
        "SLW-0487",
        "\"%.200s\" is another computer's: %s. Give each computer a file of its own, such as "
        "%%_SMSTSMachineName%%.wim; a computer that is gone for good loses the file after %d minutes, "
        "or at once to a step with SLWCaptureTakeOver",
        place->text,
        why,
        CAPTURE_CLAIM_STALE_S / S_PER_MINUTE);
}

/*
 * What is left of the file is of use only after a failure of the network or the server: else it goes.
 * Return: 0, or WRITE_AGAIN.
 */
static int explain(const struct place *place, int outcome, struct buf *why, struct step_result *ret)
{
    struct wim_part part;

    if (capture_claim_is_lost(place->claim)) /* what is there is not ours any more */
        return TRACE(fail_claim(place, "another computer has taken it over", ret));

    bool is_again =
        outcome == WIM_CREATE_E_TARGET && is_lost(buf_str(why)) && place->n_tries < TRIES_MAX;

    if (outcome == WIM_CREATE_E_TARGET && !is_full(buf_str(why)) && find_part(place, &part)) {
        buf_addf(why,
                 "; %s.part is kept, and the step goes on there if it runs again",
                 place->target->name);
        (void)fail(place, buf_str(why), ret);
        return is_again ? WRITE_AGAIN : 0;
    }
    if (!is_again)
        (void)unlink(place->part);
    forget_part(place);
    switch (outcome) {
    case WIM_CREATE_E_SOURCE:
        return step_fail(ret, "SLW-0481", "a volume could not be captured: %s", buf_str(why));
    case WIM_CREATE_E_STOPPED:
        return step_fail(ret, "SLW-0406", "the deployment was cancelled while it captured");
    default:
        (void)fail(place, buf_str(why), ret);
        return is_again ? WRITE_AGAIN : 0;
    }
}

/* It is whole: it gets its name, in the place of what had it. */
static int give_name(const struct place *place, struct step_result *ret)
{
    struct step_context *c = place->c;
    OWN(fd_closep) int folder = -1;
    struct stat st;

    if (!capture_claim_renew(place->claim))
        return TRACE(fail_claim(place, "another computer has taken it over", ret));
    if (rename(place->part, place->file) != 0) {
        OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

        buf_adds(&why, strerrordesc_np(errno));
        return TRACE(explain(place, WIM_CREATE_E_TARGET, &why, ret));
    }
    forget_part(place);
    folder = open(place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0)
        (void)fsync(folder); /* which some servers have no word for */
    if (stat(place->file, &st) == 0)
        c->log(c->ctx, "Captured into %s, %lld bytes", place->text, (long long)st.st_size);
    return 0;
}

/* What an interruption has left. Return: 0, with *@ret_has_part whether it is of use, an outcome of wim_create(), or -errno. */
static int check_part(const struct place *place,
                      const struct wim_create_options *options,
                      struct wim_part *part,
                      bool *ret_has_part,
                      struct buf *why)
{
    struct step_context *c = place->c;
    int r;

    *ret_has_part = false;
    if (!find_part(place, part))
        return 0;
    c->log(c->ctx,
           "Going on with %s.part, of which %llu bytes were durable: they are compared with their "
           "hashes first",
           place->target->name,
           (unsigned long long)part->file_bytes);
    r = wim_create_check(options, place->part, part, why);
    if (r == WIM_CREATE_E_CHANGED) {
        c->log(c->ctx, "%s.part is written anew: %s", place->target->name, buf_str(why));
        buf_clear(why);
        forget_part(place);
        return 0;
    }
    *ret_has_part = r == 0;
    return r < 0 ? TRACE(r) : r;
}

/* @ret: in bytes. Return: whether the step says a number. */
static bool find_checkpoint(struct step_context *c, uint64_t *ret)
{
    const char *text = step_value(c, "SLWCaptureCheckpointMB");
    uint64_t mb;

    *ret = 0;
    if (text[0] == '\0')
        return true;
    if (!bytes_parse_u64(bytes_of(text), 1, CHECKPOINT_MAX_MB, &mb))
        return false;
    *ret = mb << MB_SHIFT;
    return true;
}

static void tell(void *ctx, uint64_t done_bytes)
{
    const struct place *place = ctx;

    if (place->source->tell)
        place->source->tell(place->source->ctx, done_bytes);
}

static bool is_stopped(void *ctx)
{
    const struct place *place = ctx;

    return capture_claim_is_lost(place->claim) ||
           (place->source->is_stopped && place->source->is_stopped(place->source->ctx));
}

/* The file is ours alone. Return: 0 with @ret a success or a failure, WRITE_AGAIN, or -errno. */
static int write_claimed(struct place *place, uint64_t stage_bytes, struct step_result *ret)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    struct wim_create_options options = *place->source;
    struct wim_part part;
    bool has_part;
    int r;

    options.stage_bytes = stage_bytes;
    options.tell = tell;
    options.is_stopped = is_stopped;
    options.ctx = place;
    options.keep = keep_part;
    options.keep_ctx = place;
    r = check_part(place, &options, &part, &has_part, &why);
    if (r == 0 && !has_part)
        (void)unlink(place->part); /* not the same file: somebody may still have it open */
    if (r == 0)
        r = wim_create(&options, place->part, has_part ? &part : NULL, &why);
    if (r != 0)
        return r < 0 ? TRACE(r) : explain(place, r, &why, ret);
    return TRACE(give_name(place, ret));
}

/* Return: 0, 1 with @ret set, WRITE_AGAIN with a failure, or -errno. */
static int claim(struct place *place, struct step_result *ret)
{
    struct step_context *c = place->c;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    const struct capture_claim_options options = {
        .path = place->lock,
        .device_id = c->order->device_id,
        .device_name = c->order->device_name,
        .is_forced = bytes_eq_nocase(bytes_of(step_value(c, "SLWCaptureTakeOver")), "true"),
        .renew_us = (uint64_t)CAPTURE_CLAIM_RENEW_S * US_PER_S,
        .stale_s = CAPTURE_CLAIM_STALE_S,
    };
    int r = capture_claim_take(&options, &place->claim, &why);

    if (r <= 0)
        return TRACE(r);
    if (r == CAPTURE_CLAIM_E_HELD) {
        (void)fail_claim(place, buf_str(&why), ret);
        return 1;
    }
    (void)fail(place, buf_str(&why), ret); /* what is there may be another computer's */
    return is_lost(buf_str(&why)) && place->n_tries < TRIES_MAX ? WRITE_AGAIN : 1;
}

static int write_file(struct place *place, struct step_result *ret)
{
    uint64_t stage_bytes;
    struct wim_part part;
    struct stat st;
    int r;

    if (!find_checkpoint(place->c, &stage_bytes)) {
        (void)fail(place,
                   "SLWCaptureCheckpointMB is not a number from 1 to 1048576; correct it or remove "
                   "it",
                   ret);
        return 0;
    }
    if (stat(place->file, &st) == 0 && S_ISDIR(st.st_mode)) {
        (void)fail(place, "a folder has this name", ret);
        return 0;
    }
    r = claim(place, ret);
    if (r != 0)
        return r < 0 || r == WRITE_AGAIN ? TRACE(r) : 0;
    r = write_claimed(place, stage_bytes, ret);
    capture_claim_end(place->claim, r == 0 && !find_part(place, &part));
    place->claim = NULL;
    return TRACE(r);
}

/* Once. Return: 0 or 1 with @ret a success or a failure, WRITE_AGAIN with a failure, or -errno. */
static int try_to_write(struct place *place, struct step_result *ret)
{
    int r;

    *ret = (struct step_result){0};
    r = connect_folder(place->c, place, ret);
    if (r != 0)
        return r < 0 ? TRACE(r)
                     : (place->n_tries > 0 && place->n_tries < TRIES_MAX ? WRITE_AGAIN : 1);
    r = write_file(place, ret);
    if (place->target->drive == '\0')
        (void)umount2(place->folder, MNT_DETACH);
    return r < 0 ? TRACE(r) : r;
}

/* Return: whether the order goes on. */
static bool wait_a_while(const struct place *place)
{
    struct step_context *c = place->c;

    for (unsigned i = 0; i < PAUSE_S; i++) {
        if (!c->progress(c->ctx, STEP_PERCENT_UNKNOWN, 0, "Waiting for the network folder"))
            return false;
        clock_sleep_us(US_PER_S);
    }
    return true;
}

int capture_share_write(struct step_context *c,
                        const struct ts_capture_target *target,
                        const struct wim_create_options *options,
                        struct step_result *ret)
{
    struct place place = {.c = c,
                          .target = target,
                          .text = step_value(c, "OSDCaptureDestination"),
                          .source = options};

    find_folder(&place);
    (void)snprintf(place.file, sizeof(place.file), "%.600s/%s", place.folder, target->name);
    (void)snprintf(place.part, sizeof(place.part), "%.600s/%s.part", place.folder, target->name);
    (void)snprintf(place.lock, sizeof(place.lock), "%.600s/%s.lock", place.folder, target->name);
    for (;;) {
        int r = try_to_write(&place, ret);

        if (r != WRITE_AGAIN)
            return r < 0 ? TRACE(r) : 0;
        place.n_tries++;
        c->log(c->ctx, "%s; trying again in %d s", ret->message, PAUSE_S);
        if (!wait_a_while(&place))
            return step_fail(ret, "SLW-0406", "the deployment was cancelled while it captured");
    }
}
