/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Reading a WIM file of any compression: which images it holds, and each as a stream
 *
 * The stream is what wim_apply() wants: an uncompressed pipable WIM with one image. The same image of
 * the same file gives the same stream.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"

enum {
    WIM_MAX_IMAGES = 256,
};

struct wim_image {
    uint32_t index;    /* from 1 */
    char *name;        /* owned; "" if the file does not say */
    char *description; /* owned; "" */
    char arch[8];      /* "x64", "x86", "arm64", "arm", or "" if the file does not say */
    uint64_t file_count;
    bool
        has_unix_data; /* owners, modes and devices were captured: it can be applied to a Linux disk */
    bool is_windows; /* the file says so, or the image has the folder of Windows */
};

struct wim_import;

/* Outcomes beside 0 */
enum {
    WIM_IMPORT_E_BAD = 1,       /* not a WIM, damaged, split, or unsupported: the file's fault */
    WIM_IMPORT_E_CANCELLED = 2, /* the sink said so */
};

/**
 * wim_import_new() - open a WIM file and list its images
 * @why: on WIM_IMPORT_E_BAD, what is wrong with it
 */
int wim_import_new(const char *path, struct wim_import **ret, struct buf *why);
void wim_import_free(struct wim_import *import);
DEFINE_FREEP(struct wim_import *, wim_import_free);

size_t wim_import_count(const struct wim_import *import);
const struct wim_image *wim_import_get(const struct wim_import *import, size_t i);

struct wim_sink {
    /* Called in the thread of wim_import_stream(). Return: 0; another value ends the stream. */
    int (*feed)(void *ctx, struct bytes piece, unsigned percent);
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
