/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * For the tests of WIM files: a folder with a small tree, and WIM files captured from it
 */

#include <stdbool.h>

#include <wimlib.h>

#include "base/buf.h"
#include "base/bytes.h"

enum {
    WIM_FIXTURE_PATH_MAX = 256,
    WIM_FIXTURE_STREAM_MAX = 1024 * 1024,
    WIM_FIXTURE_FILES = 7, /* names in the tree that are no folders */
};

struct wim_fixture {
    char root[64]; /* holds tree/, out/ and a.wim: XPRESS, one image, with UNIX data */
};

/* For cmocka; *state is a struct wim_fixture *. */
int wim_fixture_set_up(void **state);
int wim_fixture_tear_down(void **state);

void wim_fixture_path(const struct wim_fixture *f,
                      const char *name,
                      char dst[static WIM_FIXTURE_PATH_MAX]);

/* Capture the folder @tree as @name. @add_flags: WIMLIB_ADD_FLAG_... */
void wim_fixture_capture(const struct wim_fixture *f,
                         const char *tree,
                         const char *name,
                         enum wimlib_compression_type type,
                         int add_flags);

/* Write a.wim's image once more, as @name. @write_flags: WIMLIB_WRITE_FLAG_... */
void wim_fixture_recompress(const struct wim_fixture *f,
                            const char *name,
                            enum wimlib_compression_type type,
                            int write_flags);

/* Split the file @name in parts of a few ten thousand bytes, of which @part is the first. */
void wim_fixture_split(const struct wim_fixture *f, const char *name, const char *part);

/* Replace what the file @name says about itself. @xml: UTF-8 */
void wim_fixture_set_xml(const struct wim_fixture *f, const char *name, const char *xml);

/**
 * wim_fixture_rename() - another name for a file in the uncompressed file @name, as no program would give it
 * @from, @to: of two characters
 */
void wim_fixture_rename(const struct wim_fixture *f,
                        const char *name,
                        const char *from,
                        const char *to);

/* What wim_import_stream() makes of the first image of @name, appended. */
void wim_fixture_stream(const struct wim_fixture *f, const char *name, struct buf *ret);

/* wim_apply() of @stream to out/ */
int wim_fixture_apply(const struct wim_fixture *f, struct bytes stream, struct buf *why);
