/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#include "plat/file.h"

void apply_dirs_init(struct apply_dirs *dirs, const struct metadata *image, int root)
{
    *dirs = (struct apply_dirs){.image = image, .root = root};
    for (size_t i = 0; i < APPLY_DIRS_OPEN; i++)
        dirs->fds[i] = -1;
}

void apply_dirs_fini(struct apply_dirs *dirs)
{
    for (size_t i = 0; i < APPLY_DIRS_OPEN; i++)
        fd_closep(&dirs->fds[i]);
}

static int cached(const struct apply_dirs *dirs, uint32_t inode)
{
    size_t place = inode % APPLY_DIRS_OPEN;

    if (inode == 0)
        return dirs->root;
    return dirs->inodes[place] == inode ? dirs->fds[place] : -1;
}

/* Its parent may have the same place: it is closed when it is not needed any more. */
static int open_below(struct apply_dirs *dirs, int parent, uint32_t inode)
{
    const struct metadata *image = dirs->image;
    const char *name = image->names[image->inodes[inode].first_name].name;
    size_t place = inode % APPLY_DIRS_OPEN;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    fd_closep(&dirs->fds[place]);
    dirs->fds[place] = fd;
    dirs->inodes[place] = inode;
    return fd;
}

int apply_dirs_get(struct apply_dirs *dirs, uint32_t inode, int *ret)
{
    const struct metadata *image = dirs->image;
    uint32_t way[METADATA_MAX_DEPTH + 1];
    size_t n = 0;
    int fd = cached(dirs, inode);

    while (fd < 0) {
        if (n == sizeof(way) / sizeof(way[0]))
            return -ENAMETOOLONG;
        way[n++] = inode;
        inode = image->names[image->inodes[inode].first_name].parent;
        fd = cached(dirs, inode);
    }
    while (n > 0) {
        fd = open_below(dirs, fd, way[--n]);
        if (fd < 0)
            return fd;
    }
    *ret = fd;
    return 0;
}
