/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "plat/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"

enum {
    PIECE_BYTES = 64 * 1024,
};

void fd_closep(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* What a system call that failed means for a function ..._if_room(). @error: errno */
static int outcome_of(int error)
{
    return error == ENOSPC || error == EDQUOT ? FILE_E_FULL : ERR(-error);
}

int fd_write_if_room(int fd, struct bytes src)
{
    while (src.len > 0) {
        ssize_t n = write(fd, src.ptr, src.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return outcome_of(errno);
        src.ptr += n;
        src.len -= (size_t)n;
    }
    return 0;
}

int fd_sync_if_room(int fd)
{
    return fsync(fd) == 0 ? 0 : outcome_of(errno);
}

/* For callers to whom a full disk is as unexpected as any other error. */
static int full_is_error(int r)
{
    return r == FILE_E_FULL ? ERR(-ENOSPC) : TRACE(r);
}

int fd_write_all(int fd, struct bytes src)
{
    return full_is_error(fd_write_if_room(fd, src));
}

int file_read(const char *path, struct buf *ret)
{
    OWN(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    OWN(freep) uint8_t *piece = NULL;

    if (fd < 0)
        return errno == ENOENT ? FILE_E_MISSING : ERR(-errno);
    piece = malloc(PIECE_BYTES);
    if (!piece)
        return ERR(-ENOMEM);

    for (;;) {
        ssize_t n = read(fd, piece, PIECE_BYTES);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR(-errno);
        if (n == 0)
            return 0;
        if ((size_t)n > ret->max - ret->len)
            return FILE_E_TOO_LARGE;
        buf_add(ret, (struct bytes){piece, (size_t)n});
        if (ret->failed)
            return ERR(-ENOMEM);
    }
}

/* The folder that @path lies in. */
static bool folder_of(const char *path, char ret[static PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 1;
    const char *from = slash ? path : ".";

    if (slash == path)
        len = 1;
    if (len >= PATH_MAX)
        return false;
    memcpy(ret, from, len);
    ret[len] = '\0';
    return true;
}

int dir_sync_if_room(const char *path)
{
    OWN(fd_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return ERR(-errno);
    return TRACE(fd_sync_if_room(fd));
}

int dir_sync(const char *path)
{
    return full_is_error(dir_sync_if_room(path));
}

/* A file that disappears again unless it is renamed. */
struct aside {
    char path[PATH_MAX]; /* "" when there is nothing to remove */
    int fd;
};

static void aside_fini(struct aside *aside)
{
    fd_closep(&aside->fd);
    if (aside->path[0] != '\0')
        (void)unlink(aside->path);
    aside->path[0] = '\0';
}

static int aside_open(const char *path, struct aside *ret)
{
    int n = snprintf(ret->path, sizeof(ret->path), "%s.XXXXXX", path);

    if (n < 0 || (size_t)n >= sizeof(ret->path)) {
        ret->path[0] = '\0';
        return ERR(-ENAMETOOLONG);
    }
    ret->fd = mkostemp(ret->path, O_CLOEXEC);
    if (ret->fd < 0) {
        int e = errno;

        ret->path[0] = '\0';
        return outcome_of(e);
    }
    return 0;
}

/* Return: 0, FILE_E_FULL, or -errno. */
static int write_aside(const char *path, struct bytes content, unsigned mode, struct aside *ret)
{
    int r = aside_open(path, ret);

    if (r != 0)
        return TRACE(r);
    r = fd_write_if_room(ret->fd, content);
    if (r != 0)
        return TRACE(r);
    if (fchmod(ret->fd, (mode_t)mode) != 0)
        return ERR(-errno);
    return TRACE(fd_sync_if_room(ret->fd));
}

static int sync_folder_of(const char *path)
{
    char folder[PATH_MAX];

    if (!folder_of(path, folder))
        return ERR(-ENAMETOOLONG);
    return TRACE(dir_sync_if_room(folder));
}

int file_write_if_room(const char *path, struct bytes content, unsigned mode)
{
    OWN(aside_fini) struct aside aside = {.path = "", .fd = -1};
    int r = write_aside(path, content, mode, &aside);

    if (r != 0)
        return TRACE(r);
    if (rename(aside.path, path) != 0)
        return outcome_of(errno);
    aside.path[0] = '\0';
    return TRACE(sync_folder_of(path));
}

int file_write(const char *path, struct bytes content, unsigned mode)
{
    return full_is_error(file_write_if_room(path, content, mode));
}

int file_create(const char *path, struct bytes content, unsigned mode)
{
    OWN(aside_fini) struct aside aside = {.path = "", .fd = -1};
    int r;

    if (file_exists(path))
        return FILE_E_EXISTS;
    r = full_is_error(write_aside(path, content, mode, &aside));
    if (r < 0)
        return TRACE(r);
    if (renameat2(AT_FDCWD, aside.path, AT_FDCWD, path, RENAME_NOREPLACE) != 0)
        return errno == EEXIST ? FILE_E_EXISTS : ERR(-errno);
    aside.path[0] = '\0';
    return full_is_error(sync_folder_of(path));
}

bool file_exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}
