/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Where the files of a store are: the names in its folder, and nothing of what they mean
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "store/store.h"

enum {
    LAYOUT_ROOT_MAX_BYTES = 3584, /* leaves room for the names below it */
    LAYOUT_FILE_MODE = 0644,
    LAYOUT_FOLDER_MODE = 0755,
    LAYOUT_TMP_MODE = 0700,
    LAYOUT_FOLDERS = 256, /* packs/00 to packs/ff */
};

/* ROOT/NAME */
void layout_path(const char *root, const char *name, char ret[static STORE_PATH_MAX]);

void layout_pack(const char *root,
                 const uint8_t sha256[static SHA256_BYTES],
                 char ret[static STORE_PATH_MAX]);
void layout_pack_folder(const char *root, uint8_t first, char ret[static STORE_PATH_MAX]);
void layout_manifest(const char *root,
                     const uint8_t id[static SHA256_BYTES],
                     char ret[static STORE_PATH_MAX]);

void layout_list(const char *root,
                 const uint8_t id[static SHA256_BYTES],
                 char ret[static STORE_PATH_MAX]);

struct layout_file {
    uint8_t sha256[SHA256_BYTES]; /* its name */
    uint64_t size_bytes;
    uint64_t changed_us; /* since 1970 */
};

/* Told about a file. Return: anything but 0 ends the walk. */
typedef int layout_visit(void *ctx, const struct layout_file *file);

/**
 * layout_each_pack() - every file in packs/ that has a pack's name; the order is any
 *
 * Return: 0, what @visit returned, or -errno.
 */
int layout_each_pack(const char *root, layout_visit *visit, void *ctx);
int layout_each_manifest(const char *root, layout_visit *visit, void *ctx);

/* Length of the file of a pack. Return: false if there is none. */
bool layout_pack_size(const char *root, const uint8_t sha256[static SHA256_BYTES], uint64_t *ret);

/* Remove every file in tmp/. Only while nobody else writes there. */
int layout_clear_tmp(const char *root);
