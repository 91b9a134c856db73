/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_apply.h"

#include <errno.h>
#include <fcntl.h>

#include "base/err.h"
#include "base/own.h"
#include "image/apply_folder.h"
#include "image/apply_ntfs.h"
#include "image/apply_stream.h"
#include "plat/file.h"

static int apply_to_volume(int fd, const char *target, struct buf *why)
{
    OWN(apply_ntfs_freep) struct apply_ntfs *volume = NULL;
    struct apply_target functions;
    int r = apply_ntfs_new(target, why, &volume);

    if (r != 0)
        return TRACE(r);
    functions = apply_ntfs_target(volume);
    return TRACE(apply_stream(fd, &functions, why));
}

static int apply_to_folder(int fd, int root, struct buf *why)
{
    OWN(apply_folder_freep) struct apply_folder *folder = NULL;
    struct apply_target target;
    int r = apply_folder_new(root, why, &folder);

    if (r < 0)
        return TRACE(r);
    target = apply_folder_target(folder);
    return TRACE(apply_stream(fd, &target, why));
}

int wim_apply(int fd, const char *target, struct buf *why)
{
    OWN(fd_closep) int root = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (root >= 0)
        return TRACE(apply_to_folder(fd, root, why));
    if (errno != ENOTDIR) {
        buf_addf(why, "%s cannot be opened", target);
        return WIM_APPLY_E_TARGET;
    }
    return TRACE(apply_to_volume(fd, target, why)); /* a file or a device is one */
}
