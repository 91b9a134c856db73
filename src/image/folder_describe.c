/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/folder_describe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/own.h"
#include "image/loader_arch.h"
#include "image/wim_describe.h"

/* The folder in @folder with this name, upper or lower case, or METADATA_NONE. */
static uint32_t find_folder(const struct metadata *image, uint32_t folder, const char *name)
{
    for (size_t i = 1; i < image->n_names; i++)
        if (image->names[i].parent == folder && strcasecmp(image->names[i].name, name) == 0)
            return image->names[i].inode;
    return METADATA_NONE;
}

static bool has_windows(const struct metadata *image)
{
    uint32_t folder = find_folder(image, 0, "Windows");

    return folder != METADATA_NONE && find_folder(image, folder, "System32") != METADATA_NONE;
}

/* What has a name of @len bytes in the folder, or METADATA_NONE. */
static uint32_t
find_entry(const struct metadata *image, uint32_t folder, const char *name, size_t len)
{
    if ((image->inodes[folder].attributes & (METADATA_FOLDER | METADATA_REPARSE)) !=
        METADATA_FOLDER)
        return METADATA_NONE;
    for (size_t i = 1; i < image->n_names; i++)
        if (image->names[i].parent == folder && strncmp(image->names[i].name, name, len) == 0 &&
            image->names[i].name[len] == '\0')
            return image->names[i].inode;
    return METADATA_NONE;
}

static bool has_in_tree(void *ctx, const char *path)
{
    const struct metadata *const *tree = ctx;
    uint32_t inode = 0;

    while (*path == '/' && inode != METADATA_NONE) {
        size_t len = strcspn(++path, "/");

        inode = find_entry(*tree, inode, path, len);
        path += len;
    }
    return inode != METADATA_NONE;
}

int folder_describe(const struct metadata *tree,
                    const char *name,
                    const struct wim_info *info,
                    struct wim_image *ret)
{
    OWN(wim_image_fini)
    struct wim_image image = {
        .index = 1,
        .name = strdup(name),
        .description = strdup(""),
        .languages = strdup(""),
        .default_language = strdup(""),
        .build = strdup(""),
        .edition = strdup(""),
        .file_count = info->n_files,
        .size_bytes = info->total_bytes,
        .has_unix_data = true,
        .is_windows = has_windows(tree),
    };

    if (!image.name || !image.description || !image.languages || !image.default_language ||
        !image.build || !image.edition)
        return ERR(-ENOMEM);
    if (!image.is_windows)
        (void)snprintf(image.arch, sizeof(image.arch), "%s", loader_arch(has_in_tree, &tree));
    *ret = image;
    image = (struct wim_image){0};
    return 0;
}
