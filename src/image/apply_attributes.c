/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/time_types.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
    PLACE_MAX = 32 + 3 * METADATA_NAME_MAX + 1,
    MODE_BITS = 07777,
    MODE_BITS_FIRST = 0777,
    TICKS_PER_S = 10 * 1000 * 1000,
    NS_PER_TICK = 100,
};

#define S_FROM_1601_TO_1970 INT64_C(11644473600)

/* The C library's times end in 2038 on computers of 32 bits, the kernel's do nowhere. */
#ifdef SYS_utimensat_time64
#    define SYS_UTIMENSAT SYS_utimensat_time64
#else
#    define SYS_UTIMENSAT SYS_utimensat
#endif

unsigned apply_first_mode(const struct metadata_inode *inode)
{
    return inode->has_unix ? inode->unix_data.mode & MODE_BITS_FIRST : 0644;
}

static bool refuse(enum apply_attribute attribute, const char *xattr, struct apply_refusal *ret)
{
    *ret = (struct apply_refusal){.attribute = attribute, .xattr = xattr, .error = errno};
    return false;
}

static bool look(const struct apply_place *place, struct stat *ret)
{
    return (place->fd >= 0 ? fstat(place->fd, ret)
                           : fstatat(place->parent, place->name, ret, AT_SYMLINK_NOFOLLOW)) == 0;
}

/* Most files are made with the right owner and mode: nothing is written for those. */
static bool
set_owner(const struct metadata_unix *u, const struct apply_place *place, const struct stat *was)
{
    if (was->st_uid == u->uid && was->st_gid == u->gid)
        return true;
    if (place->fd >= 0)
        return fchown(place->fd, u->uid, u->gid) == 0;
    return fchownat(place->parent, place->name, u->uid, u->gid, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Behind the owner: a change of that takes set-user-ID away. A link has no mode. */
static bool
set_mode(const struct metadata_unix *u, const struct apply_place *place, const struct stat *was)
{
    mode_t mode = u->mode & MODE_BITS;

    if (S_ISLNK(was->st_mode) || (was->st_mode & MODE_BITS) == mode)
        return true;
    if (place->fd >= 0)
        return fchmod(place->fd, mode) == 0;
    return fchmodat(place->parent, place->name, mode, 0) == 0;
}

static bool set_xattr(const struct metadata_xattr *xattr, const struct apply_place *place)
{
    char path[PLACE_MAX];

    if (place->fd >= 0)
        return fsetxattr(place->fd, xattr->name, xattr->value.ptr, xattr->value.len, 0) == 0;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", place->parent, place->name);
    return lsetxattr(path, xattr->name, xattr->value.ptr, xattr->value.len, 0) == 0;
}

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool may_be_left_out(const struct metadata_xattr *xattr)
{
    return errno == ENOTSUP && !begins(xattr->name, "security.") && !begins(xattr->name, "system.");
}

static bool set_xattrs(const struct metadata *image,
                       const struct metadata_inode *inode,
                       const struct apply_place *place,
                       unsigned *n_left_out,
                       struct apply_refusal *ret)
{
    for (uint32_t i = 0; i < inode->n_xattrs; i++) {
        const struct metadata_xattr *xattr = &image->xattrs[inode->first_xattr + i];

        if (set_xattr(xattr, place))
            continue;
        if (!may_be_left_out(xattr))
            return refuse(APPLY_XATTR, xattr->name, ret);
        *n_left_out += 1;
    }
    return true;
}

static struct __kernel_timespec time_of(uint64_t ticks)
{
    return (struct __kernel_timespec){
        .tv_sec = (int64_t)(ticks / TICKS_PER_S) - S_FROM_1601_TO_1970,
        .tv_nsec = (int64_t)(ticks % TICKS_PER_S) * NS_PER_TICK,
    };
}

static bool set_times(const struct metadata_inode *inode, const struct apply_place *place)
{
    struct __kernel_timespec times[2] = {time_of(inode->accessed), time_of(inode->written)};

    if (place->fd >= 0)
        return syscall(SYS_UTIMENSAT, place->fd, NULL, times, 0) == 0;
    return syscall(SYS_UTIMENSAT, place->parent, place->name, times, AT_SYMLINK_NOFOLLOW) == 0;
}

bool apply_attributes(const struct metadata *image,
                      const struct metadata_inode *inode,
                      const struct apply_place *place,
                      unsigned *n_left_out,
                      struct apply_refusal *ret)
{
    struct stat was;

    if (inode->has_unix) {
        if (!look(place, &was) || !set_owner(&inode->unix_data, place, &was))
            return refuse(APPLY_OWNER, NULL, ret);
        if (!set_mode(&inode->unix_data, place, &was))
            return refuse(APPLY_MODE, NULL, ret);
        if (!set_xattrs(image, inode, place, n_left_out, ret))
            return false;
    }
    if (!set_times(inode, place))
        return refuse(APPLY_TIMES, NULL, ret);
    return true;
}
