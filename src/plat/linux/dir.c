/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "plat/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"

enum {
    PARENT_MODE = 0755,
    DEPTH_MAX = 256, /* folders in folders; each level holds a descriptor open */
};

static void dir_closep(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
    *dir = NULL;
}

static int make_one(const char *path, unsigned mode)
{
    struct stat st;

    if (mkdir(path, (mode_t)mode) == 0) {
        if (chmod(path, (mode_t)mode) != 0)
            return ERR(-errno);
        return 0;
    }
    if (errno != EEXIST)
        return ERR(-errno);
    if (stat(path, &st) != 0)
        return ERR(-errno);
    if (!S_ISDIR(st.st_mode))
        return ERR(-ENOTDIR);
    return 0;
}

int dir_make(const char *path, unsigned mode)
{
    char part[PATH_MAX];
    size_t len = strlen(path);

    if (len == 0)
        return ERR(-EINVAL);
    if (len >= sizeof(part))
        return ERR(-ENAMETOOLONG);
    memcpy(part, path, len + 1);

    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        int r;

        *slash = '\0';
        r = make_one(part, slash[1] == '\0' ? mode : PARENT_MODE);
        if (r < 0)
            return TRACE(r);
        *slash = '/';
    }
    return TRACE(make_one(part, mode));
}

struct removal {
    dev_t dev; /* of the one file system */
    bool (*goes_on)(void *ctx);
    void *ctx;
};

static int empty_folder(int fd, const struct removal *removal, unsigned depth);

static int remove_entry(int folder, const char *name, const struct removal *removal, unsigned depth)
{
    struct stat st;

    if (!removal->goes_on(removal->ctx))
        return FILE_E_STOPPED;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : ERR(-errno);
    if (!S_ISDIR(st.st_mode)) {
        if (unlinkat(folder, name, 0) != 0 && errno != ENOENT)
            return ERR(-errno);
        return 0;
    }
    if (st.st_dev != removal->dev)
        return ERR(-EXDEV); /* something is mounted there: none of our business */
    if (depth >= DEPTH_MAX)
        return ERR(-ELOOP);

    int below = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (below < 0)
        return ERR(-errno);

    int r = empty_folder(below, removal, depth + 1);

    if (r != 0)
        return TRACE(r);
    if (unlinkat(folder, name, AT_REMOVEDIR) != 0)
        return ERR(-errno);
    return 0;
}

/* @fd is taken over. */
static int empty_folder(int fd, const struct removal *removal, unsigned depth)
{
    OWN(dir_closep) DIR *dir = fdopendir(fd);

    if (!dir) {
        int e = errno;

        (void)close(fd);
        return ERR(-e);
    }
    for (;;) {
        errno = 0;

        const struct dirent *entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): our own DIR */

        if (!entry)
            return errno == 0 ? 0 : ERR(-errno);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;

        int r = remove_entry(dirfd(dir), entry->d_name, removal, depth);

        if (r != 0)
            return TRACE(r);
    }
}

int dir_remove_while(const char *path, bool (*goes_on)(void *ctx), void *ctx)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? 0 : ERR(-errno);
    if (fstat(fd, &st) != 0) {
        int e = errno;

        (void)close(fd);
        return ERR(-e);
    }

    const struct removal removal = {st.st_dev, goes_on, ctx};
    int r = empty_folder(fd, &removal, 0);

    if (r != 0)
        return TRACE(r);
    if (rmdir(path) != 0)
        return ERR(-errno);
    return 0;
}

static bool go_on(void *ctx)
{
    (void)ctx;
    return true;
}

int dir_remove(const char *path)
{
    return TRACE(dir_remove_while(path, go_on, NULL));
}

static bool is_harmless(struct bytes segment)
{
    if (segment.len == 0 || bytes_eq(segment, bytes_of(".")) || bytes_eq(segment, bytes_of("..")))
        return false;
    return !memchr(segment.ptr, '\\', segment.len);
}

bool path_under(const char *root, const char *name, struct buf *ret)
{
    buf_clear(ret);
    for (const char *at = name;;) {
        size_t len = strcspn(at, "/");

        if (!is_harmless((struct bytes){(const uint8_t *)at, len}))
            return false;
        if (at[len] == '\0')
            break;
        at += len + 1;
    }
    buf_addf(ret, "%s/%s", root, name);
    return !ret->failed;
}
