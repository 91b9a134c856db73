/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/package_share.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "plat/file.h"

#define SHARES "/run/slipway/shares"

enum {
    SHARES_MODE = 0711,
    FOLDER_MODE = 0750,
    PACKAGE_MODE = 0755, /* nobody but root comes so far in the cache itself */
};

static int bind_package(const char *package, uint32_t gid, struct package_share *share)
{
    if (chown(share->folder, 0, gid) != 0 || chmod(share->folder, FOLDER_MODE) != 0 ||
        chmod(package, PACKAGE_MODE) != 0)
        return ERR(-errno);
    (void)snprintf(share->path, sizeof(share->path), "%.96s/package", share->folder);
    if (mkdir(share->path, FOLDER_MODE) != 0)
        return ERR(-errno);
    if (mount(package, share->path, NULL, MS_BIND, NULL) != 0)
        return ERR(-errno);
    return 0;
}

int package_share(const char *package, uint32_t gid, struct package_share *ret)
{
    struct package_share share = {.folder = SHARES "/XXXXXX"};
    int r = dir_make(SHARES, SHARES_MODE);

    if (r < 0)
        return TRACE(r);
    if (!mkdtemp(share.folder))
        return ERR(-errno);
    r = bind_package(package, gid, &share);
    if (r < 0) {
        package_share_fini(&share);
        return TRACE(r);
    }
    *ret = share;
    return 0;
}

void package_share_fini(struct package_share *share)
{
    if (share->path[0] != '\0') {
        (void)umount2(share->path, MNT_DETACH); /* what the program left behind may be in it */
        (void)rmdir(share->path);
    }
    if (share->folder[0] != '\0')
        (void)rmdir(share->folder);
    *share = (struct package_share){0};
}
