/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Writing a standard WIM file from streams of wim_import_stream(): everything that is in them is kept, compressed
 * as it is wanted
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum wim_export_compression {
    WIM_EXPORT_NONE,
    WIM_EXPORT_XPRESS,
    WIM_EXPORT_LZX,
    WIM_EXPORT_LZMS,
    WIM_EXPORT_COMPRESSION_COUNT,
};

struct wim_export_options {
    const char *const *streams; /* paths: uncompressed pipable WIM files with one image each */
    size_t n_streams;
    enum wim_export_compression compression;
    bool is_solid; /* blobs compressed together; not with WIM_EXPORT_NONE */
    void (*tell)(void *ctx, unsigned percent); /* from this thread and others, never at once */
    void *ctx;
};

/* Outcome beside 0 */
enum {
    WIM_EXPORT_E_FAILED = 1, /* @why says what did not work */
};

/* "none", "xpress", "lzx", "lzms". Return: whether it is one of them. */
bool wim_export_parse_compression(const char *name, enum wim_export_compression *ret);

/**
 * wim_export() - write the images into one file and read it again, every byte against its hash
 * @target: replaced; durable on success
 * @why:    on WIM_EXPORT_E_FAILED: a sentence
 *
 * An image's name that an earlier one has gets its number behind it: names are unique in a WIM. The image that
 * the original was booted with is that of the new file, too.
 *
 * Return: 0, WIM_EXPORT_E_FAILED, or -errno.
 */
int wim_export(const struct wim_export_options *options, const char *target, struct buf *why);
