/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <assert.h>
#include <errno.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "store/layout.h"
#include "store/state.h"

enum {
    US_PER_S = 1000 * 1000,
};

/* @ret: whether it was there, and old. */
static int drop_one(const char *path, uint64_t before_us, bool *ret)
{
    struct stat st;

    *ret = false;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? 0 : ERR(-errno);
    if ((uint64_t)st.st_mtim.tv_sec * US_PER_S >= before_us)
        return 0;
    if (unlink(path) != 0)
        return ERR(-errno);
    *ret = true;
    return 0;
}

int store_drop_manifests(
    struct store *store, uint8_t (*ids)[SHA256_BYTES], size_t n, uint64_t grace_us, size_t *ret_n)
{
    OWN(fd_closep) int fd = -1;
    uint64_t now_us = clock_wall_us();
    uint64_t before_us = now_us > grace_us ? now_us - grace_us : 0;
    char path[STORE_PATH_MAX];
    int r;

    assert(store->lock_fd < 0);
    *ret_n = 0;
    r = state_open_lock(store->root, &fd);
    if (r == 0)
        r = state_try_lock(fd, LOCK_EX);
    for (size_t i = 0; r == 0 && i < n; i++) {
        bool is_dropped;

        layout_manifest(store->root, ids[i], path);
        r = drop_one(path, before_us, &is_dropped);
        *ret_n += r == 0 && is_dropped;
    }
    if (r == 0 && *ret_n > 0) {
        layout_path(store->root, "manifests", path);
        r = dir_sync(path);
    }
    return r < 0 ? TRACE(r) : r;
}
