/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/inside_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/steps/inside.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    DEPTH_MAX = 64, /* of folders that are gone through; deeper is -ELOOP */
    FOLDER_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
};

static void closedirp(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static int list(int folder, DIR **ret)
{
    int fd = fcntl(folder, F_DUPFD_CLOEXEC, 0);

    *ret = fd >= 0 ? fdopendir(fd) : NULL;
    if (*ret) {
        rewinddir(*ret);
        return 0;
    }

    int error = errno;

    if (fd >= 0)
        (void)close(fd);
    return ERR(-error);
}

/* The next name that is one; NULL at the end. */
static const char *next_name(DIR *dir)
{
    for (;;) {
        const struct dirent *entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): our own DIR */

        if (!entry)
            return NULL;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return entry->d_name;
    }
}

static int remove_matching(int folder, const char *pattern, unsigned depth);

/* Return: 0 or -errno. */
static int remove_one(int folder, const char *name, unsigned depth)
{
    OWN(fd_closep) int fd = -1;
    int r;

    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT || errno == EBUSY)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return ERR(-errno);
    fd = openat(folder, name, FOLDER_FLAGS);
    if (fd < 0)
        return errno == ENOENT ? 0 : ERR(-errno);
    r = remove_matching(fd, "*", depth + 1);
    if (r < 0)
        return TRACE(r);
    /* a mount point, or a folder with one in it, or with what came meanwhile */
    if (unlinkat(folder, name, AT_REMOVEDIR) < 0 && errno != ENOENT && errno != EBUSY &&
        errno != ENOTEMPTY)
        return ERR(-errno);
    return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as DEPTH_MAX */
static int remove_matching(int folder, const char *pattern, unsigned depth)
{
    OWN(closedirp) DIR *dir = NULL;
    const char *name;
    struct stat here;
    struct stat found;
    int r;

    if (depth > DEPTH_MAX)
        return ERR(-ELOOP);
    if (fstat(folder, &here) < 0)
        return ERR(-errno);
    r = list(folder, &dir);
    while (r == 0 && dir && (name = next_name(dir)) != NULL) {
        if (fnmatch(pattern, name, 0) != 0 ||
            fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) < 0 || found.st_dev != here.st_dev)
            continue;
        r = remove_one(folder, name, depth);
    }
    return TRACE(r);
}

int inside_remove_matching(int root, const char *folder, const char *pattern)
{
    OWN(fd_closep) int fd = -1;
    int r = inside_open_folder(root, folder, &fd);

    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    return TRACE(remove_matching(fd, pattern, 0));
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as DEPTH_MAX */
static int empty_files(int folder, unsigned depth)
{
    OWN(closedirp) DIR *dir = NULL;
    const char *name;
    int r;

    if (depth > DEPTH_MAX)
        return ERR(-ELOOP);
    r = list(folder, &dir);
    while (r == 0 && dir && (name = next_name(dir)) != NULL) {
        OWN(fd_closep)
        int fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        struct stat st;

        if (fd < 0)
            fd = openat(folder, name, FOLDER_FLAGS);
        if (fd < 0 || fstat(fd, &st) < 0)
            continue; /* a link, or gone */
        if (S_ISDIR(st.st_mode))
            r = empty_files(fd, depth + 1);
        else if (S_ISREG(st.st_mode) && st.st_size > 0 && ftruncate(fd, 0) < 0)
            r = ERR(-errno);
    }
    return TRACE(r);
}

int inside_empty_files(int root, const char *folder)
{
    OWN(fd_closep) int fd = -1;
    int r = inside_open_folder(root, folder, &fd);

    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    return TRACE(empty_files(fd, 0));
}
