/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/ntfs_free.h"

#include <stdarg.h> /* ntfs-3g's headers use what they do not include, */
#include <stddef.h>
#include <sys/stat.h>

#include <ntfs-3g/types.h> /* and types of their own */

#include <ntfs-3g/attrib.h>
#include <ntfs-3g/inode.h>
#include <ntfs-3g/volume.h>

uint64_t ntfs_free_bytes(const char *path)
{
    ntfs_volume *volume = ntfs_mount(path, NTFS_MNT_RDONLY | NTFS_MNT_FORENSIC);
    uint64_t bytes = 0;

    if (!volume)
        return 0;
    if (ntfs_volume_get_free_space(volume) == 0 && volume->free_clusters > 0)
        bytes = (uint64_t)volume->free_clusters << volume->cluster_size_bits;
    (void)ntfs_umount(volume, 0);
    return bytes;
}
