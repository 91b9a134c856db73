/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/users.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

enum {
    FIXED_ID = 61701,          /* of the site; the others follow, and behind nginx, */
    FIXED_ROLES_GROUP = 61705, /* before `token`, this */
    ENTRY_MAX_BYTES = 16 * 1024,
};

#define ROLES_GROUP "slipway-roles"

const char *const users_names[N_CHILDREN] = {
    "slipway-site",
    "slipway-dp",
    "slipway-pxe",
    "slipway-http",
    "slipway-token",
};

static void be_the_caller(struct users *ret)
{
    for (unsigned i = 0; i < N_CHILDREN; i++) {
        ret->uids[i] = getuid();
        ret->gids[i] = getgid();
    }
    ret->roles_gid = getgid();
}

static uint32_t fixed_id(unsigned child)
{
    return FIXED_ID + child + (FIXED_ID + child >= FIXED_ROLES_GROUP ? 1 : 0);
}

static int find_user(unsigned child, struct users *ret)
{
    char entry[ENTRY_MAX_BYTES];
    struct passwd user;
    struct passwd *found = NULL;
    int e = getpwnam_r(users_names[child], &user, entry, sizeof(entry), &found);

    if (e != 0 && e != ENOENT)
        return ERR(-e);
    if (!found) {
        ret->are_fixed = true;
        ret->uids[child] = fixed_id(child);
        ret->gids[child] = fixed_id(child);
        return 0;
    }
    ret->uids[child] = user.pw_uid;
    ret->gids[child] = user.pw_gid;
    return 0;
}

static int find_group(struct users *ret)
{
    char entry[ENTRY_MAX_BYTES];
    struct group group;
    struct group *found = NULL;
    int e = getgrnam_r(ROLES_GROUP, &group, entry, sizeof(entry), &found);

    if (e != 0 && e != ENOENT)
        return ERR(-e);
    if (!found)
        ret->are_fixed = true;
    ret->roles_gid = found ? group.gr_gid : FIXED_ROLES_GROUP;
    return 0;
}

int users_find(struct users *ret)
{
    *ret = (struct users){.is_root = geteuid() == 0};
    if (!ret->is_root) {
        be_the_caller(ret);
        return 0;
    }
    for (unsigned i = 0; i < N_CHILDREN; i++) {
        int r = find_user(i, ret);

        if (r < 0)
            return TRACE(r);
    }
    return TRACE(find_group(ret));
}

void users_put(const struct users *users, struct buf *dst)
{
    for (unsigned i = 0; i < N_CHILDREN; i++)
        buf_addf(dst, "%s%" PRIu32, i > 0 ? "," : "", users->uids[i]);
}

bool users_parse(struct bytes src, uint32_t ret[static N_CHILDREN])
{
    for (unsigned i = 0; i < N_CHILDREN; i++) {
        const uint8_t *comma = i + 1 < N_CHILDREN ? memchr(src.ptr, ',', src.len) : NULL;
        struct bytes number = src;
        uint64_t n;

        if (i + 1 < N_CHILDREN) {
            if (!comma)
                return false;
            number.len = (size_t)(comma - src.ptr);
        }
        if (!bytes_parse_u64(number, 0, UINT32_MAX, &n))
            return false;
        ret[i] = (uint32_t)n;
        if (comma) {
            src.ptr = comma + 1;
            src.len -= number.len + 1;
        }
    }
    return true;
}
