/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_export.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <wimlib.h>

#include "base/err.h"
#include "base/own.h"
#include "image/wim.h"

enum {
    NAME_MAX_BYTES = 2048,
    SOLID_CHUNK_BYTES =
        32 * 1024 * 1024, /* compressing LZMS takes many times as much, per thread */
    SOLID_THREADS = 2,
    WRITE_PERCENT = 80, /* the rest is reading it again */
    ALL_PERCENT = 100,
};

static const struct {
    const char *name;
    enum wimlib_compression_type type;
} compressions[WIM_EXPORT_COMPRESSION_COUNT] = {
    [WIM_EXPORT_NONE] = {"none", WIMLIB_COMPRESSION_TYPE_NONE},
    [WIM_EXPORT_XPRESS] = {"xpress", WIMLIB_COMPRESSION_TYPE_XPRESS},
    [WIM_EXPORT_LZX] = {"lzx", WIMLIB_COMPRESSION_TYPE_LZX},
    [WIM_EXPORT_LZMS] = {"lzms", WIMLIB_COMPRESSION_TYPE_LZMS},
};

bool wim_export_parse_compression(const char *name, enum wim_export_compression *ret)
{
    for (enum wim_export_compression i = 0; i < WIM_EXPORT_COMPRESSION_COUNT; i++) {
        if (strcmp(name, compressions[i].name) != 0)
            continue;
        *ret = i;
        return true;
    }
    return false;
}

static void wim_freep(WIMStruct **wim)
{
    wimlib_free(*wim);
}

struct watch { /* for wimlib, whose context is not const */
    const struct wim_export_options *options;
};

struct sources {      /* must stay open until the target is written */
    WIMStruct **wims; /* owned */
    size_t n;
};

static void sources_fini(struct sources *sources)
{
    for (size_t i = 0; i < sources->n; i++)
        wimlib_free(sources->wims[i]);
    free(sources->wims);
}

static int failed(int code, const char *what, struct buf *why)
{
    if (code == WIMLIB_ERR_NOMEM)
        return ERR(-ENOMEM);
    buf_addf(why, "%s: ", what);
    wim_explain(code, why);
    return WIM_EXPORT_E_FAILED;
}

static void tell(const struct wim_export_options *options,
                 uint64_t done,
                 uint64_t all,
                 unsigned from,
                 unsigned to)
{
    if (options->tell && all > 0 && done <= all)
        options->tell(options->ctx, from + (unsigned)((to - from) * done / all));
}

static enum wimlib_progress_status
on_progress(enum wimlib_progress_msg msg, union wimlib_progress_info *info, void *ctx)
{
    const struct wim_export_options *options = ((const struct watch *)ctx)->options;

    if (msg == WIMLIB_PROGRESS_MSG_WRITE_STREAMS)
        tell(options,
             info->write_streams.completed_bytes,
             info->write_streams.total_bytes,
             0,
             WRITE_PERCENT);
    if (msg == WIMLIB_PROGRESS_MSG_VERIFY_STREAMS)
        tell(options,
             info->verify_streams.completed_bytes,
             info->verify_streams.total_bytes,
             WRITE_PERCENT,
             ALL_PERCENT);
    return WIMLIB_PROGRESS_STATUS_CONTINUE;
}

/* The name it has, or one that nobody has. */
static int choose_name(WIMStruct *source, WIMStruct *target, size_t number, struct buf *ret)
{
    const char *name = wimlib_get_image_name(source, 1);

    buf_adds(ret, name ? name : "");
    if (ret->len > 0 && wimlib_image_name_in_use(target, buf_str(ret)))
        buf_addf(ret, " (%zu)", number);
    return ret->failed ? ERR(-ENAMETOOLONG) : 0;
}

static int
add_image(WIMStruct *target, const char *stream, struct sources *sources, struct buf *why)
{
    OWN(buf_fini) struct buf name = BUF_INIT(NAME_MAX_BYTES);
    struct wimlib_wim_info info = {0};
    WIMStruct *source = NULL;
    int r = wimlib_open_wim(stream, 0, &source);

    if (r != 0)
        return failed(r, "the stored image cannot be opened", why);
    sources->wims[sources->n++] = source;
    r = choose_name(source, target, sources->n, &name);
    if (r < 0)
        return TRACE(r);
    r = wimlib_get_wim_info(source, &info);
    if (r == 0)
        r = wimlib_export_image(source,
                                1,
                                target,
                                buf_str(&name),
                                NULL,
                                info.boot_index == 1 ? WIMLIB_EXPORT_FLAG_BOOT : 0);
    return r == 0 ? 0 : failed(r, "the stored image cannot be added", why);
}

static bool is_solid(const struct wim_export_options *options)
{
    return options->is_solid && options->compression != WIM_EXPORT_NONE;
}

static int make_target(const struct wim_export_options *options, WIMStruct **ret, struct buf *why)
{
    enum wimlib_compression_type type = compressions[options->compression].type;
    OWN(wim_freep) WIMStruct *wim = NULL;
    int r = wimlib_create_new_wim(type, &wim);

    if (r == 0 && is_solid(options))
        r = wimlib_set_output_pack_compression_type(wim, type);
    if (r == 0 && is_solid(options) && type == WIMLIB_COMPRESSION_TYPE_LZMS)
        r = wimlib_set_output_pack_chunk_size(wim, SOLID_CHUNK_BYTES);
    if (r != 0)
        return failed(r, "the new file cannot be prepared", why);
    *ret = TAKE(wim);
    return 0;
}

static int write_file(const struct wim_export_options *options, const char *target, struct buf *why)
{
    struct watch watch = {options};
    OWN(sources_fini)
    struct sources sources = {.wims = calloc(options->n_streams, sizeof(WIMStruct *))};
    OWN(wim_freep) WIMStruct *wim = NULL; /* freed before its sources */
    int r = make_target(options, &wim, why);

    if (!sources.wims)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < options->n_streams && r == 0; i++)
        r = add_image(wim, options->streams[i], &sources, why);
    if (r != 0)
        return TRACE(r);
    wimlib_register_progress_function(wim, on_progress, &watch);
    r = wimlib_write(wim,
                     target,
                     WIMLIB_ALL_IMAGES,
                     WIMLIB_WRITE_FLAG_FSYNC | (is_solid(options) ? WIMLIB_WRITE_FLAG_SOLID : 0),
                     is_solid(options) ? SOLID_THREADS : 0);
    return r == 0 ? 0 : failed(r, "the file cannot be written", why);
}

static int check_file(const struct wim_export_options *options, const char *target, struct buf *why)
{
    struct watch watch = {options};
    OWN(wim_freep) WIMStruct *wim = NULL;
    struct wimlib_wim_info info = {0};
    int r = wimlib_open_wim(target, 0, &wim);

    if (r == 0)
        r = wimlib_get_wim_info(wim, &info);
    if (r == 0 && info.image_count != options->n_streams)
        r = WIMLIB_ERR_IMAGE_COUNT;
    if (r == 0) {
        wimlib_register_progress_function(wim, on_progress, &watch);
        r = wimlib_verify_wim(wim, 0);
    }
    return r == 0 ? 0 : failed(r, "the file that was written is not good", why);
}

int wim_export(const struct wim_export_options *options, const char *target, struct buf *why)
{
    int r = wim_start();

    if (r == 0)
        r = write_file(options, target, why);
    if (r == 0)
        r = check_file(options, target, why);
    return TRACE(r);
}
