/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_create.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wimlib.h>

#include "base/err.h"
#include "base/own.h"
#include "image/folder_capture.h"
#include "image/wim.h"

enum {
    NAME_MAX_BYTES = 2048,
};

struct creation {
    const struct wim_create_options *options;
    const struct wim_create_volume *volume; /* that is being added */
    size_t source_len;                      /* of the folder's path; 0: a device */
    bool is_reading;                        /* the files, for the file is open */
};

static void wim_freep(WIMStruct **wim)
{
    wimlib_free(*wim);
}

static bool is_left_out(const struct creation *creation, const char *path)
{
    const struct folder_filter *filter = creation->volume->filter;

    path += strlen(path) > creation->source_len ? creation->source_len : 0;
    return filter && strcmp(path, "/") != 0 && filter->is_left_out(filter->ctx, path);
}

static enum wimlib_progress_status
on_progress(enum wimlib_progress_msg msg, union wimlib_progress_info *info, void *ctx)
{
    struct creation *creation = ctx;
    const struct wim_create_options *options = creation->options;

    if (msg == WIMLIB_PROGRESS_MSG_TEST_FILE_EXCLUSION)
        info->test_file_exclusion.will_exclude =
            is_left_out(creation, info->test_file_exclusion.path);
    if (msg == WIMLIB_PROGRESS_MSG_WRITE_STREAMS) {
        creation->is_reading = true;
        if (options->tell)
            options->tell(options->ctx, info->write_streams.completed_bytes);
    }
    return options->is_stopped && options->is_stopped(options->ctx)
               ? WIMLIB_PROGRESS_STATUS_ABORT
               : WIMLIB_PROGRESS_STATUS_CONTINUE;
}

static int failed(const struct creation *creation, int code, struct buf *why)
{
    bool is_source = code == WIMLIB_ERR_READ || code == WIMLIB_ERR_UNEXPECTED_END_OF_FILE ||
                     code == WIMLIB_ERR_CONCURRENT_MODIFICATION_DETECTED ||
                     code == WIMLIB_ERR_NTFS_3G ||
                     (code == WIMLIB_ERR_OPEN && creation->is_reading);

    if (code == WIMLIB_ERR_NOMEM)
        return ERR(-ENOMEM);
    if (code == WIMLIB_ERR_ABORTED_BY_PROGRESS)
        return WIM_CREATE_E_STOPPED;
    wim_explain(code, why);
    return is_source ? WIM_CREATE_E_SOURCE : WIM_CREATE_E_TARGET;
}

static int put_property(WIMStruct *wim, int image, const char *name, const char *text)
{
    return text && text[0] != '\0' ? wimlib_set_image_property(wim, image, name, text) : 0;
}

static int describe(const struct creation *creation, WIMStruct *wim, int image)
{
    const struct wim_create_options *options = creation->options;
    int r = put_property(wim, image, "DESCRIPTION", creation->volume->description);

    if (r == 0)
        r = put_property(wim, image, "SLIPWAY/VERSION", options->version);
    return r == 0 ? put_property(wim, image, "SLIPWAY/CREATOR", options->creator) : r;
}

/* What is in the volume; nothing of its files is read yet. Return: 0, an outcome, or -errno. */
static int scan(struct creation *creation,
                const struct wim_create_volume *volume,
                int image,
                WIMStruct *wim,
                struct buf *why)
{
    OWN(buf_fini) struct buf name = BUF_INIT(NAME_MAX_BYTES);
    int flags = WIMLIB_ADD_FLAG_TEST_FILE_EXCLUSION | WIMLIB_ADD_FLAG_NORPFIX;
    struct stat st;
    int r;

    if (stat(volume->source, &st) < 0) {
        buf_addf(why, "%s: %s", volume->name, strerrordesc_np(errno));
        return WIM_CREATE_E_SOURCE;
    }
    creation->volume = volume;
    creation->source_len = S_ISDIR(st.st_mode) ? strlen(volume->source) : 0;
    flags |= S_ISDIR(st.st_mode) ? WIMLIB_ADD_FLAG_UNIX_DATA : WIMLIB_ADD_FLAG_NTFS;
    buf_adds(&name, volume->name);
    if (wimlib_image_name_in_use(wim, buf_str(&name)))
        buf_addf(&name, " (%d)", image);
    if (name.failed)
        return ERR(-ENAMETOOLONG);
    r = wimlib_add_image(wim, volume->source, buf_str(&name), NULL, flags);
    if (r == 0)
        r = describe(creation, wim, image);
    if (r == 0)
        return 0;
    buf_addf(why, "%s: ", volume->name);
    r = failed(creation, r, why);
    return r == WIM_CREATE_E_TARGET ? WIM_CREATE_E_SOURCE : TRACE(r); /* nothing was written */
}

int wim_create(const struct wim_create_options *options, const char *target, struct buf *why)
{
    struct creation creation = {.options = options};
    OWN(wim_freep) WIMStruct *wim = NULL;
    int r = wim_start();

    if (r < 0)
        return TRACE(r);
    r = wimlib_create_new_wim(WIMLIB_COMPRESSION_TYPE_XPRESS, &wim);
    if (r != 0)
        return failed(&creation, r, why);
    wimlib_register_progress_function(wim, on_progress, &creation);
    for (size_t i = 0; i < options->n_volumes; i++) {
        r = scan(&creation, &options->volumes[i], (int)i + 1, wim, why);
        if (r != 0)
            return TRACE(r);
    }
    r = wimlib_write(wim, target, WIMLIB_ALL_IMAGES, WIMLIB_WRITE_FLAG_FSYNC, 0);
    return r == 0 ? 0 : failed(&creation, r, why);
}
