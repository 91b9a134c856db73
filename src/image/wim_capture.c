/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_capture.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <wimlib.h>

#include "base/err.h"
#include "base/own.h"
#include "image/folder_capture.h"
#include "image/wim.h"
#include "image/wim_describe.h"
#include "image/wim_stream.h"

static void wim_freep(WIMStruct **wim)
{
    wimlib_free(*wim);
}

static int fail(int code, struct buf *why)
{
    if (code == WIMLIB_ERR_NOMEM)
        return ERR(-ENOMEM);
    wim_explain(code, why);
    return WIM_CAPTURE_E_SOURCE;
}

struct choice { /* for wimlib, whose context is not const */
    const struct folder_filter *filter;
};

static enum wimlib_progress_status
leave_out(enum wimlib_progress_msg msg, union wimlib_progress_info *info, void *ctx)
{
    const struct folder_filter *filter = ((const struct choice *)ctx)->filter;

    if (msg == WIMLIB_PROGRESS_MSG_TEST_FILE_EXCLUSION && filter &&
        strcmp(info->test_file_exclusion.path, "/") != 0)
        info->test_file_exclusion.will_exclude =
            filter->is_left_out(filter->ctx, info->test_file_exclusion.path);
    return WIMLIB_PROGRESS_STATUS_CONTINUE;
}

/* A WIM in memory that refers to the volume. Return: 0, WIM_CAPTURE_E_SOURCE, or -errno. */
static int scan(const char *path,
                const char *name,
                const struct folder_filter *filter,
                struct buf *why,
                WIMStruct **ret)
{
    /* another one each time would only make the first chunk a new one */
    static const struct wimlib_wim_info fixed = {.guid = "Slipway\0OS image"};
    OWN(wim_freep) WIMStruct *wim = NULL;
    struct choice choice = {filter};
    struct stat st;
    int r;

    if (stat(path, &st) < 0) {
        buf_adds(why, strerrordesc_np(errno));
        return WIM_CAPTURE_E_SOURCE;
    }
    r = wimlib_create_new_wim(WIMLIB_COMPRESSION_TYPE_NONE, &wim);
    if (r == 0)
        r = wimlib_set_wim_info(wim, &fixed, WIMLIB_CHANGE_GUID);
    if (r != 0)
        return fail(r, why);
    wimlib_register_progress_function(wim, leave_out, &choice);
    r = wimlib_add_image(
        wim, path, name, NULL, WIMLIB_ADD_FLAG_NTFS | WIMLIB_ADD_FLAG_TEST_FILE_EXCLUSION);
    wimlib_register_progress_function(wim, NULL, NULL);
    if (r != 0)
        return fail(r, why);
    *ret = TAKE(wim);
    return 0;
}

int wim_capture(const char *path,
                const char *name,
                const struct folder_filter *filter,
                const struct wim_sink *sink,
                struct buf *why,
                struct wim_image *ret)
{
    OWN(wim_freep) WIMStruct *wim = NULL;
    OWN(wim_image_fini) struct wim_image image = {0};
    struct wim_walk walk = {0};
    int code = 0;
    int r = wim_start();

    if (r == 0)
        r = scan(path, name, filter, why, &wim);
    if (r == 0)
        r = wim_stream(wim, sink, &code);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    if (code == 0)
        code = wim_describe_kind(wim, 1, &image, &walk);
    if (code != 0)
        return fail(code, why);
    r = wim_describe(wim, 1, &image);
    if (r < 0)
        return TRACE(r);
    *ret = image;
    image = (struct wim_image){0};
    return 0;
}
