/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "plat/file.h"
#include "store/check.h"
#include "store/layout.h"
#include "store/store.h"

static atomic_uint last_serial; /* of the process, so that no two files have one name */

/* What a system call that failed means: STORE_E_FULL or -errno. @error: errno */
static int outcome_of(int error)
{
    return error == ENOSPC || error == EDQUOT ? STORE_E_FULL : ERR(-error);
}

/* The same for a function of plat/file.h that returned @r. */
static int from_file(int r)
{
    return r == FILE_E_FULL ? STORE_E_FULL : TRACE(r);
}

static void tmp_path(const char *root, unsigned serial, char ret[static STORE_PATH_MAX])
{
    (void)snprintf(ret, STORE_PATH_MAX, "%s/tmp/%ld.%u", root, (long)getpid(), serial);
}

int aside_new(struct aside **ret)
{
    struct aside *aside = calloc(1, sizeof(*aside));

    if (!aside)
        return ERR(-ENOMEM);
    aside->fd = -1;
    *ret = aside;
    return 0;
}

static void drop_file(const char *root, struct aside *aside)
{
    char path[STORE_PATH_MAX];

    fd_closep(&aside->fd);
    if (aside->serial == 0)
        return;
    tmp_path(root, aside->serial, path);
    (void)unlink(path);
    aside->serial = 0;
}

void aside_free(const char *root, struct aside *aside)
{
    if (!aside)
        return;
    drop_file(root, aside);
    pack_fini(&aside->table);
    free(aside);
}

/* Make a file in tmp/ that nobody else has: what a killed process of the same number left is passed by. */
static int make_file(const char *root, unsigned *ret_serial, int *ret_fd)
{
    for (;;) {
        unsigned serial = atomic_fetch_add(&last_serial, 1) + 1;
        char path[STORE_PATH_MAX];
        int fd;

        tmp_path(root, serial, path);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, LAYOUT_FILE_MODE);
        if (fd < 0 && errno == EEXIST)
            continue;
        if (fd < 0)
            return outcome_of(errno);
        *ret_serial = serial;
        *ret_fd = fd;
        return 0;
    }
}

int aside_write(const char *root, struct bytes frame, struct aside *aside)
{
    int r = make_file(root, &aside->serial, &aside->fd);

    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    r = from_file(fd_write_if_room(aside->fd, frame));
    if (r == 0 && fchmod(aside->fd, LAYOUT_FILE_MODE) < 0) /* whatever the umask is */
        r = ERR(-errno);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    /* let the disk begin, so that the fsync() of the batch finds little left to do */
    (void)sync_file_range(aside->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    return 0;
}

/* Return: 0, STORE_E_FULL, or -errno. */
static int make_pack_folder(const char *root, uint8_t first)
{
    char path[STORE_PATH_MAX];

    layout_pack_folder(root, first, path);
    if (file_exists(path))
        return 0;
    if (mkdir(path, LAYOUT_FOLDER_MODE) < 0 && errno != EEXIST)
        return outcome_of(errno);
    if (chmod(path, LAYOUT_FOLDER_MODE) < 0) /* whatever the umask is */
        return ERR(-errno);
    layout_path(root, "packs", path);
    return from_file(dir_sync_if_room(path));
}

/* Return: whether a good file has the name already; then @pack is what it is. */
static bool is_there(const char *root, const char *path, struct manifest_pack *pack)
{
    OWN(pack_fini) struct pack table = {0};
    struct manifest_pack there;

    if (!file_exists(path))
        return false;
    if (check_any_pack_file(root, pack->sha256, &there, &table) != 0)
        return false;
    *pack = there;
    return true;
}

/* Return: 0, STORE_E_FULL, or -errno. */
static int publish(const char *root, struct aside *aside)
{
    char from[STORE_PATH_MAX];
    char to[STORE_PATH_MAX];
    int r = make_pack_folder(root, aside->pack.sha256[0]);

    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    layout_pack(root, aside->pack.sha256, to);
    if (!aside->is_foreign && is_there(root, to, &aside->pack)) {
        drop_file(root, aside);
        return 0;
    }
    tmp_path(root, aside->serial, from);
    if (rename(from, to) < 0)
        return outcome_of(errno);
    aside->serial = 0;
    return 0;
}

/* Return: 0, STORE_E_FULL, or -errno. */
static int sync_folders(const char *root, struct aside *const *asides, size_t n)
{
    bool is_done[LAYOUT_FOLDERS] = {false};

    for (size_t i = 0; i < n; i++) {
        uint8_t first = asides[i]->pack.sha256[0];
        char path[STORE_PATH_MAX];
        int r;

        if (is_done[first])
            continue;
        is_done[first] = true;
        layout_pack_folder(root, first, path);
        r = from_file(dir_sync_if_room(path));
        if (r != 0)
            return r < 0 ? TRACE(r) : r;
    }
    return 0;
}

int aside_publish(const char *root, struct aside *const *asides, size_t n)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++)
        r = from_file(fd_sync_if_room(asides[i]->fd));
    for (size_t i = 0; r == 0 && i < n; i++)
        r = publish(root, asides[i]);
    if (r == 0)
        r = sync_folders(root, asides, n);
    return r < 0 ? TRACE(r) : r;
}

int aside_write_file(const char *root, const char *folder, const char *path, struct bytes content)
{
    struct aside aside = {.fd = -1};
    char from[STORE_PATH_MAX];
    int r = aside_write(root, content, &aside);

    if (r == 0)
        r = from_file(fd_sync_if_room(aside.fd));
    if (r == 0) {
        tmp_path(root, aside.serial, from);
        r = rename(from, path) < 0 ? outcome_of(errno) : 0;
    }
    if (r == 0) {
        aside.serial = 0;
        r = from_file(dir_sync_if_room(folder));
    }
    drop_file(root, &aside);
    return r < 0 ? TRACE(r) : r;
}
