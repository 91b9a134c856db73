/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <udfread/udfread.h>

#include "base/err.h"
#include "base/own.h"
#include "image/iso_import.h"

enum {
    PIECE_BYTES = 256 * 1024,
    FOLDER_MODE = 0755,
    FILE_MODE = 0644,
};

struct reading {
    udfread *udf; /* owned */
    struct tree_list list;
    const struct tree_sink *sink;
    struct buf *why;
    uint8_t *piece; /* owned; PIECE_BYTES */
};

static void reading_fini(struct reading *reading)
{
    tree_list_fini(&reading->list);
    if (reading->udf)
        udfread_close(reading->udf);
    free(reading->piece);
}

DEFINE_FREEP(UDFDIR *, udfread_closedir);
DEFINE_FREEP(UDFFILE *, udfread_file_close);

static int open_file(struct reading *reading, const char *path, UDFFILE **ret)
{
    OWN(buf_fini) struct buf absolute = BUF_INIT(MANIFEST_PATH_MAX_BYTES + 1);

    buf_addf(&absolute, "/%s", path);
    if (absolute.failed)
        return ERR(-ENOMEM);
    *ret = udfread_file_open(reading->udf, buf_str(&absolute));
    return *ret ? 0 : tree_refuse(reading->why, path, "it cannot be read from the disc image");
}

static int add_file(struct reading *reading, UDFDIR *dir, const char *folder, const char *name)
{
    struct tree_item item = {.entry = {.kind = MANIFEST_REGULAR, .mode = FILE_MODE}};
    UDFFILE *file = udfread_file_openat(dir, name);
    int64_t size = file ? udfread_file_size(file) : -1;

    if (file)
        udfread_file_close(file);
    if (size < 0)
        return tree_refuse(
            reading->why, folder[0] != '\0' ? folder : "/", "it holds a file that cannot be read");
    item.entry.size_bytes = (uint64_t)size;
    return TRACE(tree_list_add(&reading->list, &item, folder, name, NULL, reading->why));
}

static int add_child(struct reading *reading,
                     UDFDIR *dir,
                     const char *folder,
                     const struct udfread_dirent *child)
{
    const struct tree_item item = {.entry = {.kind = MANIFEST_FOLDER, .mode = FOLDER_MODE}};

    if (strcmp(child->d_name, ".") == 0 || strcmp(child->d_name, "..") == 0)
        return 0;
    if (child->d_type == UDF_DT_DIR)
        return TRACE(
            tree_list_add(&reading->list, &item, folder, child->d_name, NULL, reading->why));
    if (child->d_type == UDF_DT_REG)
        return TRACE(add_file(reading, dir, folder, child->d_name));
    return tree_refuse(reading->why,
                       folder[0] != '\0' ? folder : "/",
                       "it holds something that is neither file nor folder");
}

/* @path may move when the list grows: it is copied. */
static int list_folder(struct reading *reading, const char *path)
{
    OWN(buf_fini) struct buf absolute = BUF_INIT(MANIFEST_PATH_MAX_BYTES + 1);
    OWN(udfread_closedirp) UDFDIR *dir = NULL;
    struct udfread_dirent child;

    buf_addf(&absolute, "/%s", path);
    if (absolute.failed)
        return ERR(-ENOMEM);
    dir = udfread_opendir(reading->udf, buf_str(&absolute));
    if (!dir)
        return tree_refuse(
            reading->why, buf_str(&absolute), "the folder cannot be read from the disc image");
    while (udfread_readdir(dir, &child)) {
        int r = add_child(reading, dir, buf_str(&absolute) + 1, &child);

        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

static int list_all(struct reading *reading)
{
    int r = list_folder(reading, "");

    for (size_t i = 0; i < reading->list.n && r == 0; i++)
        if (reading->list.items[i].entry.kind == MANIFEST_FOLDER)
            r = list_folder(reading, reading->list.items[i].entry.path);
    if (r != 0)
        return TRACE(r);
    return TRACE(tree_list_sort(&reading->list, reading->why));
}

static int read_file(struct reading *reading, const struct manifest_entry *entry)
{
    OWN(udfread_file_closep) UDFFILE *file = NULL;
    uint64_t left = entry->size_bytes;
    int r = open_file(reading, entry->path, &file);

    while (r == 0 && left > 0) {
        size_t wanted = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        ssize_t n = udfread_file_read(file, reading->piece, wanted);

        if (n <= 0)
            return tree_refuse(
                reading->why, entry->path, "it cannot be read from the disc image to its end");
        left -= (uint64_t)n;
        r = tree_list_feed(
            &reading->list, reading->sink, (struct bytes){reading->piece, (size_t)n});
    }
    return TRACE(r);
}

int iso_import_udf(const char *path, const struct tree_sink *sink, struct buf *why)
{
    OWN(reading_fini)
    struct reading reading = {
        .udf = udfread_init(), .sink = sink, .why = why, .piece = malloc(PIECE_BYTES)};
    int r;

    if (!reading.udf || !reading.piece)
        return ERR(-ENOMEM);
    if (udfread_open(reading.udf, path) < 0) {
        buf_adds(why, "it holds no UDF file system");
        return TREE_E_UNKNOWN;
    }
    r = list_all(&reading);
    for (size_t i = 0; i < reading.list.n && r == 0; i++) {
        const struct manifest_entry *entry = &reading.list.items[i].entry;

        r = sink->entry(sink->ctx, entry) == 0 ? 0 : TREE_E_CANCELLED;
        if (r == 0 && entry->kind == MANIFEST_REGULAR)
            r = read_file(&reading, entry);
    }
    return TRACE(r);
}
