/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <string.h>

#include "image/apply_ntfs_own.h" /* before those that follow: they use what it includes */

#include <ntfs-3g/cache.h>
#include <ntfs-3g/device.h>
#include <ntfs-3g/logging.h>

#include "base/err.h"
#include "image/apply_ntfs_device.h"
#include "image/apply_path.h"
#include "image/wim_apply.h"

int ntfs_fail(struct apply_ntfs *ntfs, uint32_t inode, const char *what)
{
    int error = errno;

    if (error == ENOMEM)
        return ERR(-ENOMEM);
    apply_path(ntfs->image, inode, ntfs->why);
    buf_addf(ntfs->why, " cannot %s: %s", what, strerrordesc_np(error));
    return WIM_APPLY_E_TARGET;
}

void ntfs_lose(struct apply_ntfs *ntfs, enum ntfs_loss loss, uint32_t inode)
{
    if (ntfs->lost[loss].n++ == 0)
        ntfs->lost[loss].first = inode;
}

int ntfs_say_lost(struct apply_ntfs *ntfs)
{
    static const char *const what[NTFS_LOSS_COUNT] = {
        [NTFS_LOSS_UNIX] = "UNIX owners and modes, which NTFS has no place for",
        [NTFS_LOSS_XATTRS] = "extended attributes",
        [NTFS_LOSS_ENCRYPTED] = "contents that EFS encrypted",
        [NTFS_LOSS_SECURITY] = "security descriptors that are not valid",
        [NTFS_LOSS_SHORT_NAME] = "short names that are not valid or taken",
        [NTFS_LOSS_REPARSE] = "reparse points that are not valid",
        [NTFS_LOSS_OBJECT_ID] = "object identifiers that are not valid or taken",
        [NTFS_LOSS_FOLDER_DATA] = "contents of folders",
    };
    int r = 0;

    for (size_t i = 0; i < NTFS_LOSS_COUNT; i++) {
        if (ntfs->lost[i].n == 0)
            continue;
        buf_addf(ntfs->why,
                 "%sLeft out: %s, %zu times; first of ",
                 r != 0 ? "\n" : "",
                 what[i],
                 ntfs->lost[i].n);
        apply_path(ntfs->image, ntfs->lost[i].first, ntfs->why);
        r = WIM_APPLY_E_LOST;
    }
    return r;
}

/* @error: of ntfs_device_mount() */
static int refuse(struct buf *why, const char *path, int error)
{
    const char *reason = strerrordesc_np(error);

    if (error == ENOMEM)
        return ERR(-ENOMEM);
    if (error == EINVAL)
        reason = "it is not an NTFS volume";
    else if (error == EPERM)
        reason = "Windows is hibernated on it";
    else if (error == EOPNOTSUPP)
        reason = "it was not unmounted cleanly; check it first";
    else if (error == EBUSY)
        reason = "it is in use";
    buf_addf(why, "%s cannot be written to: %s", path, reason);
    return WIM_APPLY_E_TARGET;
}

int ntfs_open_volume(struct apply_ntfs *ntfs, const char *path)
{
    struct ntfs_device *device = NULL;
    unsigned long mounted = 0;

    ntfs_log_set_handler(ntfs_log_handler_null);
    if (ntfs_check_if_mounted(path, &mounted) == 0 && mounted != 0)
        return refuse(ntfs->why, path, EBUSY);

    int r = apply_ntfs_device_new(path, &device);

    if (r < 0)
        return TRACE(r);
    ntfs->volume = ntfs_device_mount(device, NTFS_MNT_NONE);
    if (!ntfs->volume) {
        r = refuse(ntfs->why, path, errno);
        (void)ntfs_device_free(device);
        return r;
    }
    ntfs_create_lru_caches(ntfs->volume);
    if (ntfs->volume->flags & VOLUME_IS_DIRTY)
        return refuse(ntfs->why, path, EOPNOTSUPP);
    NVolSetCompression(ntfs->volume); /* of files that are compressed, not of others */
    return 0;
}

int ntfs_mark_volume(struct apply_ntfs *ntfs, bool is_unclean)
{
    ntfs_volume *volume = ntfs->volume;
    le16 flags = (le16)(is_unclean ? volume->flags | VOLUME_IS_DIRTY
                                   : volume->flags & (le16)~VOLUME_IS_DIRTY);

    if (ntfs_volume_write_flags(volume, flags) != 0 || ntfs_device_sync(volume->dev) != 0)
        return ntfs_fail(ntfs, 0, "be written to");
    return 0;
}

/* What libntfs-3g holds back of the volume itself until it is unmounted. */
int ntfs_settle_volume(struct apply_ntfs *ntfs)
{
    ntfs_volume *volume = ntfs->volume;
    ntfs_inode *const held[] = {
        volume->secure_ni, volume->lcnbmp_ni, volume->mft_ni, volume->mftmirr_ni};

    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++)
        if (held[i] && ntfs_inode_sync(held[i]) != 0)
            return ntfs_fail(ntfs, 0, "be written to");
    if (ntfs_device_sync(volume->dev) != 0)
        return ntfs_fail(ntfs, 0, "be written to");

    int r = ntfs_mark_volume(ntfs, false);

    if (r != 0)
        return r;
    ntfs->volume = NULL;
    return ntfs_umount(volume, 0) == 0 ? 0 : ntfs_fail(ntfs, 0, "be closed");
}
