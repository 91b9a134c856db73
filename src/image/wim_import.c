/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <wimlib.h>

#include "base/err.h"
#include "base/own.h"
#include "image/wim.h"
#include "image/wim_describe.h"
#include "image/wim_parts.h"
#include "image/wim_stream.h"

enum {
    SAID_MAX = 8192, /* more than wim.h keeps */
    HEADER_BYTES = 208,
};

struct wim_import {
    WIMStruct *wim; /* owned */
    struct wim_image images[WIM_MAX_IMAGES];
    size_t n_images;
};

static void wim_freep(WIMStruct **wim)
{
    wimlib_free(*wim);
}

void wim_import_free(struct wim_import *import)
{
    if (!import)
        return;
    for (size_t i = 0; i < import->n_images; i++)
        wim_image_fini(&import->images[i]);
    wimlib_free(import->wim);
    free(import);
}

/*
 * What wimlib cannot do with a file is the file's fault, also if memory does not suffice: a table that says it is huge
 * would be believed.
 */
static int bad(int code, struct buf *why)
{
    if (code == WIMLIB_ERR_NOT_A_WIM_FILE) {
        buf_adds(why, "it does not begin as one");
        return WIM_IMPORT_E_BAD;
    }
    if (code == WIMLIB_ERR_UNEXPECTED_END_OF_FILE || code == WIMLIB_ERR_READ)
        buf_adds(why, "it is not whole: ");
    if (code == WIMLIB_ERR_RESOURCE_NOT_FOUND)
        buf_adds(why, "it lacks contents, perhaps those of the image that it is a delta of: ");
    if (code == WIMLIB_ERR_NOMEM)
        buf_adds(why, "it wants more memory than an import may take: ");
    wim_explain(code, why);
    return code == WIMLIB_ERR_WIM_IS_ENCRYPTED ? WIM_IMPORT_E_ENCRYPTED : WIM_IMPORT_E_BAD;
}

/* The file, and all its parts. */
static int open_file(const char *path, WIMStruct **ret, struct buf *why)
{
    OWN(wim_freep) WIMStruct *wim = NULL;
    struct stat file;
    int r;

    if (stat(path, &file) == 0 && file.st_size < HEADER_BYTES) {
        buf_adds(why, "it is shorter than the header of one");
        return WIM_IMPORT_E_BAD;
    }
    r = wimlib_open_wim(path, WIMLIB_OPEN_FLAG_CHECK_INTEGRITY, &wim);
    if (r != 0)
        return bad(r, why);
    r = wim_parts_add(wim, path, why);
    if (r < 0)
        return TRACE(r);
    if (r != 0)
        return r == WIM_PARTS_E_MISSING ? WIM_IMPORT_E_PART : WIM_IMPORT_E_BAD;
    *ret = TAKE(wim);
    return 0;
}

/*
 * Whether wimlib leaves out files of the image: those named "..", those that are there twice. It says so in no other
 * way. What else it warns about, such as the folders with two names of some old images, is no reason to refuse one.
 */
static bool is_something_left_out(struct buf *why)
{
    static const char *const said_of_files[] = {"Ignoring file named",
                                                "Ignoring unnamed file",
                                                "Ignoring duplicate file",
                                                "Ignoring filename",
                                                "Ignoring children"};
    OWN(buf_fini) struct buf said = BUF_INIT(SAID_MAX);

    (void)wim_messages_take(&said);
    for (size_t i = 0; i < sizeof(said_of_files) / sizeof(said_of_files[0]); i++) {
        const char *at = strstr(buf_str(&said), said_of_files[i]);

        if (!at)
            continue;
        buf_adds(why, "not all of its files can be kept: ");
        buf_add(why, (struct bytes){(const uint8_t *)at, strcspn(at, "\n")});
        return true;
    }
    return false;
}

/* Whether all of it can be kept. Return: 0 or WIM_IMPORT_E_... */
static int check_image(WIMStruct *wim, struct wim_image *image, struct buf *why)
{
    struct wim_walk walk = {0};
    int r = wim_describe_kind(wim, (int)image->index, image, &walk);

    if (r != 0)
        return bad(r, why);
    if (walk.has_bad_name) {
        buf_adds(why, "it holds a file whose name has a slash in it");
        return WIM_IMPORT_E_BAD;
    }
    return is_something_left_out(why) ? WIM_IMPORT_E_BAD : 0;
}

static int
read_images(struct wim_import *import, const struct wimlib_wim_info *info, struct buf *why)
{
    uint32_t n_images = info->image_count;
    int r = wim_start(); /* what was said about the file as a whole is no reason to refuse it */

    if (r < 0)
        return TRACE(r);
    if (n_images == 0 || n_images > WIM_MAX_IMAGES) {
        buf_addf(why, "it holds %u images; 1 to %d are allowed", n_images, WIM_MAX_IMAGES);
        return WIM_IMPORT_E_BAD;
    }
    for (uint32_t i = 1; i <= n_images; i++) {
        struct wim_image *image = &import->images[import->n_images++];

        r = wim_describe(import->wim, i, image);

        if (r < 0)
            return TRACE(r);
        image->is_boot_image = i == info->boot_index;
        r = check_image(import->wim, image, why);
        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

int wim_import_new(const char *path, struct wim_import **ret, struct buf *why)
{
    OWN(wim_import_freep) struct wim_import *import = calloc(1, sizeof(*import));
    struct wimlib_wim_info info;
    int r = wim_start();

    if (r < 0)
        return TRACE(r);
    if (!import)
        return ERR(-ENOMEM);
    r = open_file(path, &import->wim, why);
    if (r != 0)
        return TRACE(r);
    r = wimlib_get_wim_info(import->wim, &info);
    if (r != 0)
        return bad(r, why);
    r = read_images(import, &info, why);
    if (r != 0)
        return TRACE(r);
    *ret = TAKE(import);
    return 0;
}

size_t wim_import_count(const struct wim_import *import)
{
    return import->n_images;
}

const struct wim_image *wim_import_get(const struct wim_import *import, size_t i)
{
    return &import->images[i];
}

/* A new uncompressed WIM in memory that refers to one image of the file. */
static int copy_image(struct wim_import *import,
                      const struct wim_image *image,
                      WIMStruct **ret,
                      struct buf *why)
{
    /* the file's GUID would be random, and the stream would not be the same twice */
    static const struct wimlib_wim_info fixed = {.guid = "Slipway\0OS image"};
    OWN(wim_freep) WIMStruct *wim = NULL;
    int r = wimlib_create_new_wim(WIMLIB_COMPRESSION_TYPE_NONE, &wim);

    if (r == 0)
        r = wimlib_set_wim_info(wim, &fixed, WIMLIB_CHANGE_GUID);
    if (r == 0)
        r = wimlib_export_image(import->wim,
                                (int)image->index,
                                wim,
                                NULL,
                                NULL,
                                image->is_boot_image ? WIMLIB_EXPORT_FLAG_BOOT : 0);
    if (r != 0)
        return bad(r, why);
    *ret = TAKE(wim);
    return 0;
}

int wim_import_stream(struct wim_import *import,
                      const struct wim_image *image,
                      const struct wim_sink *sink,
                      struct buf *why)
{
    OWN(wim_freep) WIMStruct *wim = NULL;
    int code = 0;
    int r = wim_start();

    if (r < 0)
        return TRACE(r);
    r = copy_image(import, image, &wim, why);
    if (r == 0)
        r = wim_stream(wim, sink, &code);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    return code == 0 ? 0 : bad(code, why);
}
