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

#include "agent/steps/network_folder.h"
#include "agent/steps/network_reach.h"
#include "agent/steps/return_code.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "image/wim_create.h"
#include "plat/file.h"
#include "ts/network_folder.h"

#define SHARE_ROOT "/run/slipway/capture-share"

enum {
    WHY_MAX = 4096,
};

struct place { /* where it is written */
    const struct ts_capture_target *target;
    const char *text; /* as the step says it */
    char folder[PATH_MAX];
    char file[PATH_MAX];
    char part[PATH_MAX];
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
static int fail(const struct place *place, const char *why, struct step_result *ret)
{
    bool is_full = strstr(why, strerrordesc_np(ENOSPC)) != NULL ||
                   strstr(why, strerrordesc_np(EDQUOT)) != NULL;

    return fail_with(place, is_full ? RETURN_DISK_FULL : RETURN_UNSPECIFIED, why, ret);
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

static int
explain(const struct place *place, int outcome, const struct buf *why, struct step_result *ret)
{
    (void)unlink(place->part);
    switch (outcome) {
    case WIM_CREATE_E_SOURCE:
        return step_fail(ret, "SLW-0481", "a volume could not be captured: %s", buf_str(why));
    case WIM_CREATE_E_STOPPED:
        return step_fail(ret, "SLW-0406", "the deployment was cancelled while it captured");
    default:
        (void)fail(place, buf_str(why), ret);
        return 0;
    }
}

/* It is whole: it gets its name, in the place of what had it. */
static int give_name(struct step_context *c, const struct place *place, struct step_result *ret)
{
    OWN(fd_closep) int folder = -1;
    struct stat st;

    if (rename(place->part, place->file) != 0) {
        int error = errno;

        (void)unlink(place->part);
        (void)fail(place, strerrordesc_np(error), ret);
        return 0;
    }
    folder = open(place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0)
        (void)fsync(folder); /* which some servers have no word for */
    if (stat(place->file, &st) == 0)
        c->log(c->ctx, "Captured into %s, %lld bytes", place->text, (long long)st.st_size);
    return 0;
}

static int write_file(struct step_context *c,
                      const struct place *place,
                      const struct wim_create_options *options,
                      struct step_result *ret)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    struct stat st;
    int r;

    if (stat(place->file, &st) == 0 && S_ISDIR(st.st_mode)) {
        (void)fail(place, "a folder has this name", ret);
        return 0;
    }
    r = wim_create(options, place->part, &why);
    if (r != 0)
        return r < 0 ? TRACE(r) : explain(place, r, &why, ret);
    return TRACE(give_name(c, place, ret));
}

int capture_share_write(struct step_context *c,
                        const struct ts_capture_target *target,
                        const struct wim_create_options *options,
                        struct step_result *ret)
{
    struct place place = {.target = target, .text = step_value(c, "OSDCaptureDestination")};
    int r;

    find_folder(&place);
    (void)snprintf(place.file, sizeof(place.file), "%.600s/%s", place.folder, target->name);
    (void)snprintf(place.part, sizeof(place.part), "%.600s/%s.part", place.folder, target->name);
    r = connect_folder(c, &place, ret);
    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    r = write_file(c, &place, options, ret);
    if (target->drive == '\0')
        (void)umount2(place.folder, MNT_DETACH);
    return TRACE(r);
}
