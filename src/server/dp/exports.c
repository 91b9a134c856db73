/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/exports.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "plat/random.h"
#include "rt/log.h"

enum {
    PATH_MAX_BYTES = 4096,
    EXPIRE_S = 24 * 60 * 60,
    US_PER_S = 1000 * 1000,
};

#define UNFINISHED ".part"

static void closedirp(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static bool put_path(char dst[PATH_MAX_BYTES], const char *state, const char *name, const char *end)
{
    int n = snprintf(dst, PATH_MAX_BYTES, "%s/" EXPORTS_FOLDER "/%s%s", state, name, end);

    return n > 0 && n < PATH_MAX_BYTES;
}

int exports_new(const char *state_folder, char ret_id[static UUID_TEXT_MAX], struct buf *ret_path)
{
    char path[PATH_MAX_BYTES];

    random_uuid(ret_id, clock_wall_us());
    if (!put_path(path, state_folder, ret_id, UNFINISHED))
        return ERR(-ENAMETOOLONG);
    buf_adds(ret_path, path);
    return ret_path->failed ? ERR(-ENOMEM) : 0;
}

int exports_publish(const char *state_folder, const char *id)
{
    char from[PATH_MAX_BYTES];
    char to[PATH_MAX_BYTES];
    char folder[PATH_MAX_BYTES];

    if (!put_path(from, state_folder, id, UNFINISHED) || !put_path(to, state_folder, id, "") ||
        !put_path(folder, state_folder, "", ""))
        return ERR(-ENAMETOOLONG);

    OWN(fd_closep) int fd = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 || fchmod(fd, EXPORTS_FILE_MODE) != 0 || fsync(fd) != 0 || rename(from, to) != 0)
        return ERR(-errno);
    return TRACE(dir_sync(folder));
}

void exports_drop(const char *state_folder, const char *id)
{
    char path[PATH_MAX_BYTES];

    if (put_path(path, state_folder, id, UNFINISHED))
        (void)unlink(path);
}

static bool is_old(const char *path, const char *name)
{
    uint64_t now_s = clock_wall_us() / US_PER_S;
    struct stat st;

    (void)name;
    return stat(path, &st) == 0 && (uint64_t)st.st_mtim.tv_sec + EXPIRE_S < now_s;
}

static bool is_unfinished(const char *path, const char *name)
{
    (void)path;
    return strstr(name, UNFINISHED) != NULL;
}

static void remove_each(const char *state_folder, bool (*is_it)(const char *, const char *))
{
    char path[PATH_MAX_BYTES];

    if (!put_path(path, state_folder, "", ""))
        return;

    OWN(closedirp) DIR *dir = opendir(path);

    while (dir) {
        const struct dirent *entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): our own DIR */

        if (!entry)
            break;
        if (entry->d_name[0] == '.' || !put_path(path, state_folder, entry->d_name, ""))
            continue;
        if (is_it(path, entry->d_name) && unlink(path) == 0)
            log_info("dp: export removed", "id=%.36s", entry->d_name);
    }
}

void exports_expire(const char *state_folder)
{
    remove_each(state_folder, is_old);
}

void exports_drop_unfinished(const char *state_folder)
{
    remove_each(state_folder, is_unfinished);
}
