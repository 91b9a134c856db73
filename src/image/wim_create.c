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
#include "image/wim_lock.h"
#include "image/wim_part.h"

enum {
    NAME_MAX_BYTES = 2048,
    ENTRY_BYTES = 4096, /* of a name that is no file, or a small one */
    NTFS_ENTRY_BYTES =
        128 * 1024, /* of a name of a volume that only wimlib reads: about the mean of Windows */
};

struct creation {
    const struct wim_create_options *options;
    const struct wim_create_volume *volume; /* that is being added */
    size_t source_len;                      /* of the folder's path; 0: a device */
    bool is_reading;                        /* the files, for the file is open */
    uint64_t limit_bytes;                   /* of the volume that is being added, in this stage */
    uint64_t seen_bytes;                    /* of it */
    bool is_cut;                            /* there is more of it than that */
    uint64_t told_bytes;                    /* of all stages before */
    uint64_t stage_bytes;                   /* that wimlib found in this one at first */
    uint64_t stage_done_bytes;
};

/* What a stage adds. */
struct stage {
    size_t first; /* volume */
    size_t last;  /* volume; only of it there may be more */
    size_t n_old; /* images in the file */
    bool
        is_known; /* what an image in the file has of a volume was read by us, and is not read again */
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

static uint64_t size_of(const struct creation *creation, const char *path)
{
    struct stat st;

    if (creation->source_len == 0)
        return NTFS_ENTRY_BYTES;
    return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > ENTRY_BYTES
               ? (uint64_t)st.st_size
               : ENTRY_BYTES;
}

/* wimlib asks in the order in which it lists the volume, which is the same each time. */
static bool is_for_later(struct creation *creation, const char *path)
{
    if (creation->seen_bytes >= creation->limit_bytes) {
        creation->is_cut = true;
        return true;
    }
    creation->seen_bytes += size_of(creation, path);
    return false;
}

/* What turns out to be in the file already is done, too. */
static void tell(struct creation *creation, uint64_t total_bytes, uint64_t done_bytes)
{
    const struct wim_create_options *options = creation->options;
    uint64_t known_bytes;

    if (!creation->is_reading)
        creation->stage_bytes = total_bytes;
    creation->is_reading = true;
    known_bytes = creation->stage_bytes > total_bytes ? creation->stage_bytes - total_bytes : 0;
    if (known_bytes + done_bytes > creation->stage_done_bytes)
        creation->stage_done_bytes = known_bytes + done_bytes;
    if (options->tell)
        options->tell(options->ctx, creation->told_bytes + creation->stage_done_bytes);
}

static enum wimlib_progress_status
on_progress(enum wimlib_progress_msg msg, union wimlib_progress_info *info, void *ctx)
{
    struct creation *creation = ctx;
    const struct wim_create_options *options = creation->options;

    if (msg == WIMLIB_PROGRESS_MSG_TEST_FILE_EXCLUSION) {
        const char *path = info->test_file_exclusion.path;

        info->test_file_exclusion.will_exclude =
            is_left_out(creation, path) || is_for_later(creation, path);
    }
    if (msg == WIMLIB_PROGRESS_MSG_WRITE_STREAMS)
        tell(creation, info->write_streams.total_bytes, info->write_streams.completed_bytes);
    if (msg == WIMLIB_PROGRESS_MSG_VERIFY_STREAMS && options->tell)
        options->tell(options->ctx, info->verify_streams.completed_bytes);
    return options->is_stopped && options->is_stopped(options->ctx)
               ? WIMLIB_PROGRESS_STATUS_ABORT
               : WIMLIB_PROGRESS_STATUS_CONTINUE;
}

/* @is_target: whatever it was about, it was the file. */
static int explain(int code, bool is_target, struct buf *why)
{
    if (code == WIMLIB_ERR_NOMEM)
        return ERR(-ENOMEM);
    if (code == WIMLIB_ERR_ABORTED_BY_PROGRESS)
        return WIM_CREATE_E_STOPPED;
    wim_explain(code, why);
    return is_target ? WIM_CREATE_E_TARGET : WIM_CREATE_E_SOURCE;
}

/* While the files of the volumes were read and written. */
static int failed(const struct creation *creation, int code, struct buf *why)
{
    bool is_source = code == WIMLIB_ERR_READ || code == WIMLIB_ERR_UNEXPECTED_END_OF_FILE ||
                     code == WIMLIB_ERR_CONCURRENT_MODIFICATION_DETECTED ||
                     code == WIMLIB_ERR_NTFS_3G ||
                     (code == WIMLIB_ERR_OPEN && creation->is_reading);

    return explain(code, !is_source, why);
}

static int put_property(WIMStruct *wim, int image, const char *name, const char *text)
{
    return text && text[0] != '\0' ? wimlib_set_image_property(wim, image, name, text) : 0;
}

/* Name and properties of volume @i, which has its place in the file now. Return: 0, a code of wimlib, or -errno. */
static int describe(const struct creation *creation, size_t i, WIMStruct *wim)
{
    const struct wim_create_options *options = creation->options;
    const struct wim_create_volume *volume = &options->volumes[i];
    OWN(buf_fini) struct buf name = BUF_INIT(NAME_MAX_BYTES);
    int image = (int)i + 1;
    int r;

    buf_adds(&name, volume->name);
    if (wimlib_image_name_in_use(wim, buf_str(&name)))
        buf_addf(&name, " (%d)", image);
    if (name.failed)
        return ERR(-ENAMETOOLONG);
    r = wimlib_set_image_name(wim, image, buf_str(&name));
    if (r == 0)
        r = put_property(wim, image, "DESCRIPTION", volume->description);
    if (r == 0)
        r = put_property(wim, image, "SLIPWAY/VERSION", options->version);
    return r == 0 ? put_property(wim, image, "SLIPWAY/CREATOR", options->creator) : r;
}

/* What is in the volume; nothing of its files is read yet. Return: 0, an outcome, or -errno. */
static int
scan(struct creation *creation, size_t i, uint64_t limit_bytes, WIMStruct *wim, struct buf *why)
{
    const struct wim_create_volume *volume = &creation->options->volumes[i];
    int flags = WIMLIB_ADD_FLAG_TEST_FILE_EXCLUSION | WIMLIB_ADD_FLAG_NORPFIX;
    struct stat st;
    int r;

    if (stat(volume->source, &st) < 0) {
        buf_addf(why, "%s: %s", volume->name, strerrordesc_np(errno));
        return WIM_CREATE_E_SOURCE;
    }
    creation->volume = volume;
    creation->source_len = S_ISDIR(st.st_mode) ? strlen(volume->source) : 0;
    creation->limit_bytes = limit_bytes;
    creation->seen_bytes = 0;
    creation->is_cut = false;
    flags |= S_ISDIR(st.st_mode) ? WIMLIB_ADD_FLAG_UNIX_DATA : WIMLIB_ADD_FLAG_NTFS;
    r = wimlib_add_image(wim, volume->source, NULL, NULL, flags);
    if (r == 0)
        return 0;
    buf_addf(why, "%s: ", volume->name);
    return TRACE(explain(r, false, why));
}

/* An empty one, or the file. */
static int open_file(struct creation *creation,
                     const char *target,
                     const struct wim_part *part,
                     struct stage *stage,
                     struct buf *why,
                     WIMStruct **ret)
{
    OWN(wim_freep) WIMStruct *wim = NULL;
    struct wimlib_wim_info info = {0};
    int r = part->file_bytes == 0 ? wimlib_create_new_wim(WIMLIB_COMPRESSION_TYPE_XPRESS, &wim)
                                  : wimlib_open_wim(target, WIMLIB_OPEN_FLAG_WRITE_ACCESS, &wim);

    if (r == 0 && part->file_bytes > 0)
        r = wimlib_get_wim_info(wim, &info);
    if (r != 0)
        return explain(r, true, why);
    wimlib_register_progress_function(wim, on_progress, creation);
    stage->n_old = info.image_count;
    *ret = TAKE(wim);
    return 0;
}

/* The images of the stage, behind those that the file has. */
static int add_images(struct creation *creation,
                      const struct stage *stage,
                      uint64_t limit_bytes,
                      WIMStruct *wim,
                      struct buf *why)
{
    for (size_t i = stage->first; i <= stage->last; i++) {
        int image = (int)(stage->n_old + i - stage->first) + 1;
        int r = scan(creation, i, i == stage->last ? limit_bytes : UINT64_MAX, wim, why);

        if (r != 0)
            return TRACE(r);
        if (stage->is_known && i < stage->n_old)
            r = wimlib_reference_template_image(wim, image, wim, (int)i + 1, 0);
        if (r != 0)
            return explain(r, true, why);
    }
    return 0;
}

/* Those that they replace go; they get the names. */
static int replace_images(const struct creation *creation,
                          const struct stage *stage,
                          WIMStruct *wim,
                          struct buf *why)
{
    int r = 0;

    for (size_t i = stage->first; r == 0 && i < stage->n_old; i++)
        r = wimlib_delete_image(wim, (int)stage->first + 1);
    for (size_t i = stage->first; r == 0 && i <= stage->last; i++)
        r = describe(creation, i, wim);
    return r <= 0 ? TRACE(r) : explain(r, true, why);
}

static int write_file(struct creation *creation,
                      const char *target,
                      const struct wim_part *part,
                      WIMStruct *wim,
                      struct buf *why)
{
    int r;

    creation->is_reading = false;
    creation->stage_done_bytes = 0;
    wim_lock_off();
    r = part->file_bytes == 0
            ? wimlib_write(wim, target, WIMLIB_ALL_IMAGES, WIMLIB_WRITE_FLAG_FSYNC, 0)
            : wimlib_overwrite(wim, WIMLIB_WRITE_FLAG_FSYNC | WIMLIB_WRITE_FLAG_SOFT_DELETE, 0);
    wim_lock_on();
    creation->told_bytes += creation->stage_done_bytes;
    return r == 0 ? 0 : failed(creation, r, why);
}

/* From volume @stage->first to a further place in the first that is not whole. @part: is then what the file is. */
static int add_stage(struct creation *creation,
                     const char *target,
                     struct stage *stage,
                     struct wim_part *part,
                     struct buf *why)
{
    const struct wim_create_options *options = creation->options;
    uint64_t bytes = options->stage_bytes > 0 ? options->stage_bytes : WIM_CREATE_STAGE_BYTES;
    bool is_whole = part->n_volumes >= options->n_volumes; /* as it was */
    uint64_t limit_bytes = is_whole ? UINT64_MAX : part->done_bytes + bytes;
    OWN(wim_freep) WIMStruct *wim = NULL;
    int r = open_file(creation, target, part, stage, why, &wim);

    stage->last = is_whole ? options->n_volumes - 1 : part->n_volumes;
    if (r == 0)
        r = add_images(creation, stage, limit_bytes, wim, why);
    if (r == 0)
        r = replace_images(creation, stage, wim, why);
    if (r == 0)
        r = write_file(creation, target, part, wim, why);
    if (r != 0)
        return TRACE(r);
    part->n_volumes = (uint32_t)stage->last + (creation->is_cut ? 0 : 1);
    part->done_bytes = creation->is_cut ? limit_bytes : 0;
    r = wim_part_take(target, part, why);
    return r > 0 ? WIM_CREATE_E_TARGET : TRACE(r);
}

int wim_create(const struct wim_create_options *options,
               const char *target,
               const struct wim_part *part,
               struct buf *why)
{
    struct creation creation = {.options = options};
    struct wim_part at = part ? *part : (struct wim_part){0};
    struct stage stage = {0};
    int r = wim_start();

    if (r < 0)
        return TRACE(r);
    do {
        r = add_stage(&creation, target, &stage, &at, why);
        if (r == 0 && options->keep)
            r = options->keep(options->keep_ctx, &at);
        if (r != 0)
            return TRACE(r);
        stage = (struct stage){.first = at.n_volumes, .is_known = true};
    } while (at.n_volumes < options->n_volumes);
    return 0;
}

int wim_create_check(const struct wim_create_options *options,
                     const char *target,
                     const struct wim_part *part,
                     struct buf *why)
{
    struct creation creation = {.options = options};
    OWN(wim_freep) WIMStruct *wim = NULL;
    int r = wim_start();

    if (r == 0)
        r = wim_part_restore(target, part, why);
    if (r != 0)
        return r < 0 ? TRACE(r)
                     : (r == WIM_PART_E_CHANGED ? WIM_CREATE_E_CHANGED : WIM_CREATE_E_TARGET);
    r = wimlib_open_wim(target, 0, &wim);
    if (r == 0) {
        wimlib_register_progress_function(wim, on_progress, &creation);
        r = wimlib_verify_wim(wim, 0);
    }
    if (r == 0)
        return 0;

    bool is_unread = r == WIMLIB_ERR_READ || r == WIMLIB_ERR_OPEN; /* nobody knows what it is */

    r = explain(r, true, why);
    return r == WIM_CREATE_E_TARGET && !is_unread ? WIM_CREATE_E_CHANGED : TRACE(r);
}
