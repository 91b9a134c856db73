/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/inside.h"

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
    PATH_MAX_BYTES = 1024,
    PARENT_MODE = 0755,
    READ_BYTES = 16 * 1024,
};

static const char temporary[] = ".slipway-new";

static int open_in_root(int root, const char *path, uint64_t flags)
{
    struct open_how how = {
        .flags = flags | O_CLOEXEC,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };

    return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

int inside_open(const char *root, int *ret)
{
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return ERR(-errno);
    *ret = fd;
    return 0;
}

bool inside_exists(int root, const char *path)
{
    OWN(fd_closep) int fd = open_in_root(root, path, O_PATH);

    return fd >= 0;
}

int inside_open_folder(int root, const char *path, int *ret)
{
    int fd = open_in_root(root, path, O_RDONLY | O_DIRECTORY);

    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? FILE_E_MISSING : ERR(-errno);
    *ret = fd;
    return 0;
}

int inside_read(int root, const char *path, struct buf *ret)
{
    OWN(fd_closep) int fd = open_in_root(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    char piece[READ_BYTES];

    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? FILE_E_MISSING : ERR(-errno);
    for (;;) {
        ssize_t n = read(fd, piece, sizeof(piece));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR(-errno);
        if (n == 0)
            return 0;
        buf_add(ret, (struct bytes){(const uint8_t *)piece, (size_t)n});
        if (ret->failed)
            return FILE_E_TOO_LARGE;
    }
}

int inside_read_link(int root, const char *path, char *ret, size_t cap)
{
    OWN(fd_closep) int fd = open_in_root(root, path, O_PATH | O_NOFOLLOW);
    ssize_t n;

    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? FILE_E_MISSING : ERR(-errno);
    n = readlinkat(fd, "", ret, cap);
    if (n < 0)
        return errno == ENOENT || errno == EINVAL ? FILE_E_MISSING : ERR(-errno);
    if ((size_t)n == cap)
        return FILE_E_MISSING;
    ret[n] = '\0';
    return 0;
}

/* Open the folder @path, making what is missing on the way. */
static int open_dir(int root, const char *path, int *ret)
{
    OWN(fd_closep) int at = open_in_root(root, ".", O_PATH | O_DIRECTORY);
    char prefix[PATH_MAX_BYTES];
    size_t len = strlen(path);

    if (at < 0)
        return ERR(-errno);
    if (len >= sizeof(prefix))
        return ERR(-ENAMETOOLONG);
    for (size_t end = 0; end < len;) {
        size_t start = end + (end > 0 ? 1 : 0);

        end = start + strcspn(path + start, "/");
        memcpy(prefix, path, end);
        prefix[end] = '\0';

        int next = open_in_root(root, prefix, O_PATH | O_DIRECTORY);

        if (next < 0 && errno == ENOENT && mkdirat(at, prefix + start, PARENT_MODE) == 0)
            next = open_in_root(root, prefix, O_PATH | O_DIRECTORY);
        if (next < 0)
            return ERR(-errno);
        (void)close(at);
        at = next;
    }
    *ret = at;
    at = -1;
    return 0;
}

/* The folder that holds @path; @ret_name is what is behind the last '/'. */
static int open_parent(int root, const char *path, const char **ret_name, int *ret)
{
    const char *slash = strrchr(path, '/');
    char parent[PATH_MAX_BYTES];
    size_t len = slash ? (size_t)(slash - path) : 0;

    if (len >= sizeof(parent))
        return ERR(-ENAMETOOLONG);
    memcpy(parent, path, len);
    parent[len] = '\0';
    *ret_name = slash ? slash + 1 : path;
    return TRACE(open_dir(root, parent, ret));
}

static int sync_parent(int parent)
{
    OWN(fd_closep) int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 || fsync(fd) < 0 ? ERR(-errno) : 0;
}

static int put_in_place(int parent, const char *name)
{
    if (renameat(parent, temporary, parent, name) < 0)
        return ERR(-errno);
    return TRACE(sync_parent(parent));
}

int inside_write(int root, const char *path, struct bytes content, struct inside_mode mode)
{
    OWN(fd_closep) int parent = -1;
    const char *name = "";
    int r = open_parent(root, path, &name, &parent);

    if (r < 0)
        return TRACE(r);
    (void)unlinkat(parent, temporary, 0);

    OWN(fd_closep)
    int fd = openat(parent, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return ERR(-errno);
    r = fd_write_all(fd, content);
    if (r < 0)
        return TRACE(r);
    if ((geteuid() == 0 && fchown(fd, mode.uid, mode.gid) < 0) || fchmod(fd, mode.bits) < 0 ||
        fsync(fd) < 0)
        return ERR(-errno);
    return TRACE(put_in_place(parent, name));
}

int inside_link(int root, const char *path, const char *target)
{
    OWN(fd_closep) int parent = -1;
    const char *name = "";
    int r = open_parent(root, path, &name, &parent);

    if (r < 0)
        return TRACE(r);
    (void)unlinkat(parent, temporary, 0);
    if (symlinkat(target, parent, temporary) < 0)
        return ERR(-errno);
    return TRACE(put_in_place(parent, name));
}

int inside_make_dir(int root, const char *path, struct inside_mode mode)
{
    OWN(fd_closep) int folder = -1;
    int r = open_dir(root, path, &folder);

    if (r < 0)
        return TRACE(r);

    OWN(fd_closep) int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || (geteuid() == 0 && fchown(fd, mode.uid, mode.gid) < 0) ||
        fchmod(fd, mode.bits) < 0)
        return ERR(-errno);
    return 0;
}

int inside_remove(int root, const char *path)
{
    OWN(fd_closep) int parent = -1;
    const char *name = "";
    int r;

    if (!inside_exists(root, path))
        return 0;
    r = open_parent(root, path, &name, &parent);
    if (r < 0)
        return TRACE(r);
    if (unlinkat(parent, name, 0) < 0 && errno != ENOENT)
        return ERR(-errno);
    return 0;
}
