/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Times beyond 2038 on computers of 32 bits too. Only here: wimlib's interface there has times of 32 bits. */
#define _TIME_BITS 64 /* NOLINT(bugprone-reserved-identifier): the C library's own */

#include "agent/fetch/tree_write.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    BLOCK_BYTES = 4096,
    FOLDER_MODE = 0700, /* until all is in it */
    FILE_MODE = 0600,
    NS_PER_S = 1000 * 1000 * 1000,
};

void tree_writer_init(struct tree_writer *w,
                      const struct manifest *manifest,
                      int root,
                      size_t n_done)
{
    assert(manifest->kind == MANIFEST_TREE && n_done <= manifest->n_entries);
    *w = (struct tree_writer){.manifest = manifest, .root = root, .n_done = n_done, .fd = -1};
}

void tree_writer_fini(struct tree_writer *w)
{
    fd_closep(&w->fd);
}

/* Full is an outcome, all else an error. */
static int failure(int error)
{
    return error == ENOSPC || error == EDQUOT ? TREE_E_FULL : ERR(-error);
}

/* Open below the root, through no symbolic link and never outside. */
static int open_below(int root, const char *path, int flags)
{
    struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW),
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};

    return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* The folder that holds @path. Return: a descriptor, owned by the caller; or -1 with errno. */
static int open_parent(int root, const char *path, const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    OWN(freep) char *parent = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");

    *ret_name = slash ? slash + 1 : path;
    if (!parent) {
        errno = ENOMEM;
        return -1;
    }
    return open_below(root, parent, O_RDONLY | O_DIRECTORY);
}

static struct timespec time_of(const struct manifest_entry *entry)
{
    return (struct timespec){.tv_sec = (time_t)(entry->mtime_ns / NS_PER_S),
                             .tv_nsec = (long)(entry->mtime_ns % NS_PER_S)};
}

static int make_folder(int parent, const char *name)
{
    if (mkdirat(parent, name, FOLDER_MODE) == 0 || errno == EEXIST)
        return 0;
    return failure(errno);
}

static int make_link(int parent, const char *name, const struct manifest_entry *entry)
{
    struct timespec times[2] = {time_of(entry), time_of(entry)};

    if (unlinkat(parent, name, 0) < 0 && errno != ENOENT)
        return ERR(-errno);
    if (symlinkat(entry->target, parent, name) < 0 ||
        utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0)
        return failure(errno);
    return 0;
}

static int make_file(struct tree_writer *w, int parent, const char *name)
{
    if (unlinkat(parent, name, 0) < 0 && errno != ENOENT) /* begun before, and not ended */
        return ERR(-errno);
    w->fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    w->len = 0;
    return w->fd < 0 ? failure(errno) : 0;
}

/* Make the next entry, or begin it if it is a file. */
static int begin_entry(struct tree_writer *w)
{
    const struct manifest_entry *entry = &w->manifest->entries[w->n_done];
    const char *name;
    OWN(fd_closep) int parent = open_parent(w->root, entry->path, &name);
    int r;

    if (parent < 0)
        return ERR(-errno);
    switch (entry->kind) {
    case MANIFEST_FOLDER:
        r = make_folder(parent, name);
        break;
    case MANIFEST_LINK:
        r = make_link(parent, name, entry);
        break;
    case MANIFEST_REGULAR:
        return TRACE(make_file(w, parent, name));
    case MANIFEST_ENTRY_KIND_COUNT:
    default:
        return ERR(-EINVAL);
    }
    w->n_done += r == 0;
    return TRACE(r);
}

static int end_file(struct tree_writer *w, const struct manifest_entry *entry)
{
    struct timespec times[2] = {time_of(entry), time_of(entry)};
    int fd = w->fd;

    w->fd = -1;
    if (fchmod(fd, entry->mode) < 0 || futimens(fd, times) < 0) {
        int error = errno;

        (void)close(fd);
        return failure(error);
    }
    if (close(fd) < 0)
        return failure(errno);
    w->n_done++;
    return 0;
}

static int write_all(int fd, struct bytes src)
{
    while (src.len > 0) {
        ssize_t n = write(fd, src.ptr, src.len);

        if (n < 0 && errno != EINTR)
            return failure(errno);
        if (n > 0)
            src = (struct bytes){src.ptr + n, src.len - (size_t)n};
    }
    return 0;
}

/* What belongs to the file that is being written. */
static int feed_file(struct tree_writer *w, struct bytes *src)
{
    const struct manifest_entry *entry = &w->manifest->entries[w->n_done];
    uint64_t rest = entry->size_bytes - w->len;
    size_t len = src->len < rest ? src->len : (size_t)rest;
    struct bytes piece;
    int r;

    (void)bytes_take(src, len, &piece);
    r = write_all(w->fd, piece);
    w->len += len;
    if (r == 0 && w->len == entry->size_bytes)
        r = end_file(w, entry);
    return TRACE(r);
}

int tree_writer_feed(struct tree_writer *w, struct bytes src)
{
    while (src.len > 0) {
        int r;

        if (w->n_done == w->manifest->n_entries)
            return ERR(-EINVAL);
        r = w->fd < 0 ? begin_entry(w) : 0;
        if (r == 0 && w->fd >= 0)
            r = feed_file(w, &src);
        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

static int finish_folder(int root, const struct manifest_entry *entry)
{
    struct timespec times[2] = {time_of(entry), time_of(entry)};
    OWN(fd_closep) int fd = open_below(root, entry->path, O_RDONLY | O_DIRECTORY);

    if (fd < 0)
        return ERR(-errno);
    if (fchmod(fd, entry->mode) < 0 || futimens(fd, times) < 0)
        return failure(errno);
    return 0;
}

int tree_writer_end(struct tree_writer *w)
{
    while (w->n_done < w->manifest->n_entries) {
        int r = w->fd < 0 ? begin_entry(w) : ERR(-EINVAL);

        if (r == 0 && w->fd >= 0)
            r = w->manifest->entries[w->n_done].size_bytes > 0
                    ? ERR(-EINVAL)
                    : end_file(w, &w->manifest->entries[w->n_done]);
        if (r != 0)
            return TRACE(r);
    }
    for (size_t i = w->manifest->n_entries; i-- > 0;) { /* what is inside first */
        const struct manifest_entry *entry = &w->manifest->entries[i];
        int r = entry->kind == MANIFEST_FOLDER ? finish_folder(w->root, entry) : 0;

        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

static bool has_target(int parent, const char *name, const char *target)
{
    char is[MANIFEST_PATH_MAX_BYTES + 1];
    ssize_t n = readlinkat(parent, name, is, sizeof(is));

    return n >= 0 && (size_t)n == strlen(target) && memcmp(is, target, (size_t)n) == 0;
}

static bool has_time(const struct stat *st, const struct manifest_entry *entry)
{
    struct timespec time = time_of(entry);

    return st->st_mtim.tv_sec == time.tv_sec && st->st_mtim.tv_nsec == time.tv_nsec;
}

static bool is_good(int root, const struct manifest_entry *entry, bool is_whole)
{
    struct stat st;
    const char *name;
    OWN(fd_closep) int parent = open_parent(root, entry->path, &name);

    if (parent < 0 || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    switch (entry->kind) {
    case MANIFEST_FOLDER:
        return S_ISDIR(st.st_mode) &&
               (!is_whole ||
                ((st.st_mode & MANIFEST_MODE_MAX) == entry->mode && has_time(&st, entry)));
    case MANIFEST_LINK:
        return S_ISLNK(st.st_mode) && has_time(&st, entry) &&
               has_target(parent, name, entry->target);
    case MANIFEST_REGULAR:
        return S_ISREG(st.st_mode) && (uint64_t)st.st_size == entry->size_bytes &&
               (st.st_mode & MANIFEST_MODE_MAX) == entry->mode && has_time(&st, entry);
    case MANIFEST_ENTRY_KIND_COUNT:
    default:
        return false;
    }
}

size_t tree_count_good(const struct manifest *manifest, int root, size_t n, bool is_whole)
{
    size_t i = 0;

    while (i < n && i < manifest->n_entries && is_good(root, &manifest->entries[i], is_whole))
        i++;
    return i;
}

uint64_t tree_disk_bytes(const struct manifest *manifest, size_t from)
{
    uint64_t sum = 0;

    for (size_t i = from; i < manifest->n_entries; i++)
        sum += (manifest->entries[i].size_bytes / BLOCK_BYTES + 2) * BLOCK_BYTES;
    return sum;
}
