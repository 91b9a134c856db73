/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Reading a WIM file of any compression, solid, pipable or split: which images it holds, and each as a stream
 *
 * The stream is what wim_apply() wants: an uncompressed pipable WIM with one image. The same image of
 * the same file gives the same stream. Blobs come in the order in which the file has them: a solid file that
 * was sorted when it was made gives the same units (format/pwm) in another order.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"

enum {
    WIM_MAX_IMAGES = 256,
    WIM_TEXT_MAX = 1024, /* bytes of a text about an image; what is longer is cut off */
};

struct wim_image {  /* a text is owned, and "" if the file does not say */
    uint32_t index; /* from 1 */
    char *name;
    char *description;
    char *languages; /* separated by spaces: "de-DE en-US" */
    char *default_language;
    char *edition; /* "ServerStandard" */
    char *build;   /* "10.0.20348.1129" */
    char arch[8];  /* "x64", "x86", "arm64", "arm", or "" */
    uint64_t file_count;
    uint64_t size_bytes; /* of all files, a file with several names counted once for each */
    bool
        has_unix_data; /* owners, modes and devices were captured: it can be applied to a Linux disk */
    bool is_boot_image; /* the one that the file is booted with */
    bool is_windows;    /* the file says so, or the image has the folder of Windows */
};

struct wim_import;

/* Outcomes beside 0 */
enum {
    WIM_IMPORT_E_BAD = 1,       /* not a WIM, damaged, or unsupported: the file's fault */
    WIM_IMPORT_E_CANCELLED = 2, /* the sink said so */
    WIM_IMPORT_E_ENCRYPTED = 3,
    WIM_IMPORT_E_PART = 4, /* a part of a split WIM is missing, or is no part of it */
};

/**
 * wim_import_new() - open a WIM file and list its images
 * @path: of a split WIM the first part, a.swm; the others, a2.swm, a3.swm and so on, lie beside it
 * @why:  on an outcome, what is wrong
 *
 * Return: 0; WIM_IMPORT_E_BAD, ..._ENCRYPTED, ..._PART; -errno.
 */
int wim_import_new(const char *path, struct wim_import **ret, struct buf *why);
void wim_import_free(struct wim_import *import);
DEFINE_FREEP(struct wim_import *, wim_import_free);

size_t wim_import_count(const struct wim_import *import);
const struct wim_image *wim_import_get(const struct wim_import *import, size_t i);

/* Called in the thread of wim_import_stream(). Return: 0; another value ends the stream. */
struct wim_sink {
    int (*feed)(void *ctx, struct bytes piece, unsigned percent); /* piece of one unit */
    int (*cut)(void *ctx);                                        /* a unit ends here */
    void *ctx;
};

/**
 * wim_import_stream() - write one image into @sink
 * @image: of wim_import_get()
 * @why:   on WIM_IMPORT_E_BAD, what is wrong with the file
 *
 * Return: 0; WIM_IMPORT_E_BAD; WIM_IMPORT_E_CANCELLED if the sink returned something but 0; -errno.
 */
int wim_import_stream(struct wim_import *import,
                      const struct wim_image *image,
                      const struct wim_sink *sink,
                      struct buf *why);
