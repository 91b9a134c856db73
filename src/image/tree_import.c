/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/tree_import.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    PIECE_BYTES = 256 * 1024,
    MODE_MASK = 07777,
};

#define NS_PER_S UINT64_C(1000000000)

struct walk {
    int root; /* owned */
    struct tree_list list;
    const struct tree_sink *sink;
    struct buf *why;
    uint8_t *piece; /* owned; PIECE_BYTES */
};

static void walk_fini(struct walk *walk)
{
    fd_closep(&walk->root);
    tree_list_fini(&walk->list);
    free(walk->piece);
}

static void closedirp(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

/* Whose fault an errno of open(), read() or stat() is: memory and descriptors are ours. */
static int cannot_read(struct walk *walk, const char *path, int error)
{
    if (error == ENOMEM || error == EMFILE || error == ENFILE)
        return ERR(-error);
    return tree_refuse(walk->why, path[0] != '\0' ? path : "/", strerrordesc_np(error));
}

static int has_changed(struct walk *walk, const char *path)
{
    buf_addf(walk->why, "%s: it changed while it was read", path[0] != '\0' ? path : "/");
    return TREE_E_CHANGED;
}

static uint64_t to_ns(const struct timespec *time)
{
    if (time->tv_sec < 0 || (uint64_t)time->tv_sec > INT64_MAX / NS_PER_S - 1)
        return 0;
    return (uint64_t)time->tv_sec * NS_PER_S + (uint64_t)time->tv_nsec;
}

static void describe(const struct stat *st, struct tree_item *ret)
{
    *ret = (struct tree_item){
        .entry = {.kind = MANIFEST_FOLDER,
                  .mode = st->st_mode & MODE_MASK,
                  .mtime_ns = to_ns(&st->st_mtim)},
        .device = st->st_dev,
        .inode = st->st_ino,
        .changed_ns = to_ns(&st->st_ctim),
    };
    if (S_ISLNK(st->st_mode))
        ret->entry.kind = MANIFEST_LINK;
    if (S_ISREG(st->st_mode)) {
        ret->entry.kind = MANIFEST_REGULAR;
        ret->entry.size_bytes = (uint64_t)st->st_size;
    }
}

static bool is_same(const struct stat *st, const struct tree_item *item)
{
    struct tree_item now;

    describe(st, &now);
    return now.entry.kind == item->entry.kind && now.entry.size_bytes == item->entry.size_bytes &&
           now.entry.mtime_ns == item->entry.mtime_ns && now.device == item->device &&
           now.inode == item->inode && now.changed_ns == item->changed_ns;
}

/* @folder may move when the list grows: it is a copy. */
static int add_child(struct walk *walk, int fd, const char *folder, const char *name)
{
    char target[MANIFEST_PATH_MAX_BYTES + 1];
    struct tree_item item;
    struct stat st;
    ssize_t n;

    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? has_changed(walk, folder) : cannot_read(walk, folder, errno);
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode)) {
        buf_addf(walk->why,
                 "%s%s%s: only files, folders and symbolic links can be kept",
                 folder,
                 folder[0] != '\0' ? "/" : "",
                 name);
        return TREE_E_REFUSED;
    }
    describe(&st, &item);
    if (!S_ISLNK(st.st_mode))
        return TRACE(tree_list_add(&walk->list, &item, folder, name, NULL, walk->why));
    n = readlinkat(fd, name, target, sizeof(target));
    if (n < 0)
        return errno == ENOENT || errno == EINVAL ? has_changed(walk, folder)
                                                  : cannot_read(walk, folder, errno);
    if (n == 0 || (size_t)n == sizeof(target))
        return tree_refuse(walk->why, folder, "it holds a link that is too long");
    target[n] = '\0';
    return TRACE(tree_list_add(&walk->list, &item, folder, name, target, walk->why));
}

/* @item: NULL for the root */
static int open_item(struct walk *walk, const struct tree_item *item, int flags, int *ret)
{
    const char *path = item ? item->entry.path : "";
    OWN(fd_closep)
    int fd = openat(
        walk->root, item ? path : ".", flags | O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0 && (errno == ENOENT || errno == ELOOP || errno == ENOTDIR))
        return has_changed(walk, path);
    if (fd < 0 || fstat(fd, &st) < 0)
        return cannot_read(walk, path, errno);
    if (item && !is_same(&st, item))
        return has_changed(walk, path);
    *ret = fd;
    fd = -1;
    return 0;
}

static int list_entries(struct walk *walk, DIR *dir, const char *folder)
{
    for (;;) {
        const struct dirent *entry;
        int r;

        errno = 0;
        entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): our own DIR */
        if (!entry)
            return errno == 0 ? 0 : cannot_read(walk, folder, errno);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        r = add_child(walk, dirfd(dir), folder, entry->d_name);
        if (r != 0)
            return TRACE(r);
    }
}

static int list_folder(struct walk *walk, const struct tree_item *item)
{
    OWN(freep) char *folder = strdup(item ? item->entry.path : "");
    OWN(closedirp) DIR *dir = NULL;
    OWN(fd_closep) int fd = -1;
    int r;

    if (!folder)
        return ERR(-ENOMEM);
    r = open_item(walk, item, O_DIRECTORY, &fd);
    if (r != 0)
        return TRACE(r);
    dir = fdopendir(fd);
    if (!dir)
        return ERR(-errno);
    fd = -1; /* now of @dir */
    return TRACE(list_entries(walk, dir, folder));
}

static int list_all(struct walk *walk)
{
    int r = list_folder(walk, NULL);

    for (size_t i = 0; i < walk->list.n && r == 0; i++)
        if (walk->list.items[i].entry.kind == MANIFEST_FOLDER)
            r = list_folder(walk, &walk->list.items[i]);
    if (r != 0)
        return TRACE(r);
    return TRACE(tree_list_sort(&walk->list, walk->why));
}

static int read_bytes(struct walk *walk, int fd, const struct tree_item *item)
{
    uint64_t left = item->entry.size_bytes;

    for (;;) {
        ssize_t n = read(fd, walk->piece, PIECE_BYTES);
        int r;

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cannot_read(walk, item->entry.path, errno);
        if ((uint64_t)n > left || (n == 0 && left > 0))
            return has_changed(walk, item->entry.path);
        if (n == 0)
            return 0;
        left -= (uint64_t)n;
        r = tree_list_feed(&walk->list, walk->sink, (struct bytes){walk->piece, (size_t)n});
        if (r != 0)
            return TRACE(r);
    }
}

static int read_file(struct walk *walk, const struct tree_item *item)
{
    OWN(fd_closep) int fd = -1;
    struct stat st;
    int r = open_item(walk, item, 0, &fd);

    if (r == 0)
        r = read_bytes(walk, fd, item);
    if (r != 0)
        return TRACE(r);
    if (fstat(fd, &st) < 0)
        return cannot_read(walk, item->entry.path, errno);
    return is_same(&st, item) ? 0 : has_changed(walk, item->entry.path);
}

static int give_all(struct walk *walk)
{
    for (size_t i = 0; i < walk->list.n; i++) {
        const struct tree_item *item = &walk->list.items[i];
        int r = walk->sink->entry(walk->sink->ctx, &item->entry) == 0 ? 0 : TREE_E_CANCELLED;

        if (r == 0 && item->entry.kind == MANIFEST_REGULAR)
            r = read_file(walk, item);
        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

int tree_import(const char *path, const struct tree_sink *sink, struct buf *why)
{
    OWN(walk_fini)
    struct walk walk = {.root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                        .sink = sink,
                        .why = why,
                        .piece = malloc(PIECE_BYTES)};
    int r;

    if (walk.root < 0)
        return cannot_read(&walk, path, errno);
    if (!walk.piece)
        return ERR(-ENOMEM);
    r = list_all(&walk);
    if (r != 0)
        return TRACE(r);
    return TRACE(give_all(&walk));
}

int tree_import_file(const char *path,
                     const char *name,
                     const struct tree_sink *sink,
                     struct buf *why)
{
    OWN(walk_fini)
    struct walk walk = {.root = -1, .sink = sink, .why = why, .piece = malloc(PIECE_BYTES)};
    OWN(fd_closep) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct tree_item item;
    struct stat st;
    int r;

    if (fd < 0 || fstat(fd, &st) < 0)
        return cannot_read(&walk, path, errno);
    if (!S_ISREG(st.st_mode))
        return tree_refuse(why, path, "it is no file");
    if (!walk.piece)
        return ERR(-ENOMEM);
    describe(&st, &item);
    r = tree_list_add(&walk.list, &item, "", name, NULL, why);
    if (r != 0)
        return TRACE(r);
    if (sink->entry(sink->ctx, &walk.list.items[0].entry) != 0)
        return TREE_E_CANCELLED;
    r = read_bytes(&walk, fd, &walk.list.items[0]);
    if (r != 0)
        return TRACE(r);
    if (fstat(fd, &st) < 0)
        return cannot_read(&walk, path, errno);
    return is_same(&st, &walk.list.items[0]) ? 0 : has_changed(&walk, path);
}
