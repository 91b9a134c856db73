/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/ntfs_find.h"

#include <stdarg.h> /* ntfs-3g's headers use what they do not include, */
#include <stddef.h>
#include <sys/stat.h>

#include <ntfs-3g/types.h> /* and types of their own */

#include <ntfs-3g/inode.h>
#include <ntfs-3g/volume.h>

#include <ntfs-3g/dir.h> /* and the types of these */

static bool has_file(ntfs_volume *volume, const char *name)
{
    ntfs_inode *inode = ntfs_pathname_to_inode(volume, NULL, name);

    return inode && ntfs_inode_close(inode) == 0;
}

bool ntfs_has_files(const char *path, const char *const *names)
{
    ntfs_volume *volume = ntfs_mount(path, NTFS_MNT_RDONLY | NTFS_MNT_FORENSIC);
    bool has_all = volume != NULL && ntfs_set_ignore_case(volume) == 0;

    for (size_t i = 0; has_all && names[i]; i++)
        has_all = has_file(volume, names[i]);
    if (volume)
        (void)ntfs_umount(volume, 0);
    return has_all;
}
