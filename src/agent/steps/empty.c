/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/empty.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/fetch/seed_look.h"
#include "agent/steps/step.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    SECTOR_BYTES = 512,
    TELL_EVERY = 64, /* files */
};

static void closedirp(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static void fts_closep(FTS **fts)
{
    if (*fts)
        (void)fts_close(*fts);
}

void empty_kept_fini(struct empty_kept *kept)
{
    for (size_t i = 0; i < kept->n; i++)
        buf_fini(&kept->paths[i]);
    kept->n = 0;
}

/* What of @path is below the root, without slashes around it. */
static struct bytes below(const char *root, const char *path)
{
    size_t len = strlen(root);
    struct bytes rest;

    if (strncmp(path, root, len) == 0 && (path[len] == '/' || path[len] == '\0'))
        path += len;
    rest = bytes_of(path + strspn(path, "/"));
    while (rest.len > 0 && rest.ptr[rest.len - 1] == '/')
        rest.len--;
    return rest;
}

/* Return: 0; ENOENT if it is not there; or why it cannot be protected. */
static int check(const char *root, const char *path)
{
    OWN(fd_closep) int folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    OWN(fd_closep) int fd = folder < 0 ? -1 : seed_open(folder, path, O_PATH);

    return fd < 0 ? errno : 0;
}

int empty_keep(struct empty_kept *kept, const char *root, const char *path, struct buf *why)
{
    OWN(buf_fini) struct buf whole = BUF_INIT(PATH_MAX);
    struct buf *name = &kept->paths[kept->n];
    struct bytes rest = below(root, path);
    int r;

    if (path[0] == '\0')
        return 0;
    if (kept->n == EMPTY_KEPT_MAX)
        return ERR(-E2BIG);
    *name = BUF_INIT(PATH_MAX);
    buf_add(name, rest);
    r = rest.len > 0 && path_under(root, buf_str(name), &whole) ? check(root, buf_str(name))
                                                                : EINVAL;
    if (r == 0) {
        kept->n++;
        return 0;
    }
    buf_fini(name);
    if (r == ENOENT || r == ENOTDIR)
        return 0;
    buf_addf(why,
             "the protected folder %s %s",
             path,
             r == ELOOP   ? "lies behind a symbolic link"
             : r == EXDEV ? "lies on another volume"
                          : "is not a folder in it");
    return EMPTY_E_PATH;
}

uint64_t empty_kept_bytes(const struct empty_kept *kept, const char *root)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < kept->n; i++) {
        char path[2 * PATH_MAX];
        char *const paths[] = {path, NULL};
        OWN(fts_closep) FTS *fts = NULL;

        (void)snprintf(path, sizeof(path), "%s/%s", root, buf_str(&kept->paths[i]));
        fts = fts_open(paths, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
        for (FTSENT *entry = fts ? fts_read(fts) : NULL; entry; entry = fts_read(fts))
            if (entry->fts_info != FTS_DP && entry->fts_info != FTS_NS)
                sum += (uint64_t)entry->fts_statp->st_blocks * SECTOR_BYTES;
    }
    return sum;
}

enum fate {
    FATE_REMOVE,
    FATE_KEEP,
    FATE_ENTER, /* something below it is protected */
};

/* @path: below the root */
static enum fate decide(const struct empty_kept *kept, const char *path)
{
    size_t len = strlen(path);
    enum fate fate = FATE_REMOVE;

    if (strcmp(path, "lost+found") == 0)
        return FATE_KEEP;
    for (size_t i = 0; i < kept->n; i++) {
        const char *name = buf_str(&kept->paths[i]);

        if (strcmp(name, path) == 0)
            return FATE_KEEP;
        if (strncmp(name, path, len) == 0 && name[len] == '/')
            fate = FATE_ENTER;
    }
    return fate;
}

struct emptying {
    struct step_context *c;
    uint64_t n_removed;
    const char *root;
    const struct empty_kept *kept;
    struct buf *why;
};

static bool goes_on(void *ctx)
{
    struct emptying *e = ctx;
    char what[64];

    if (e->n_removed++ % TELL_EVERY != 0)
        return true;
    (void)snprintf(what, sizeof(what), "Emptying the volume: %" PRIu64 " files", e->n_removed - 1);
    return e->c->progress(e->c->ctx, STEP_PERCENT_UNKNOWN, 0, what);
}

/* Return: 0, FILE_E_STOPPED, or -errno. */
static int remove_one(struct emptying *e, const char *whole)
{
    if (!goes_on(e))
        return FILE_E_STOPPED;
    if (unlink(whole) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR)
        return -errno;
    return dir_remove_while(whole, goes_on, e);
}

/* @path: below the root; "": the root itself. As deep as protected folders lie. */
static int empty(struct emptying *e, const char *path)
{
    char whole[2 * PATH_MAX];
    OWN(closedirp) DIR *dir = NULL;

    (void)snprintf(whole, sizeof(whole), "%s/%s", e->root, path);
    dir = opendir(whole);
    if (!dir)
        return ERR(-errno);
    for (;;) {
        OWN(buf_fini) struct buf name = BUF_INIT(PATH_MAX);
        const struct dirent *entry;
        int r = 0;

        errno = 0;
        entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): our own DIR */
        if (!entry)
            return errno == 0 ? 0 : ERR(-errno);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        buf_addf(&name, "%s%s%s", path, path[0] != '\0' ? "/" : "", entry->d_name);
        (void)snprintf(whole, sizeof(whole), "%s/%s", e->root, buf_str(&name));
        switch (decide(e->kept, buf_str(&name))) {
        case FATE_KEEP:
            break;
        case FATE_ENTER:
            r = empty(e, buf_str(&name));
            break;
        case FATE_REMOVE:
            r = name.failed ? -ENAMETOOLONG : remove_one(e, whole);
            if (r == FILE_E_STOPPED)
                return EMPTY_E_STOPPED;
            break;
        }
        if (r < 0) {
            buf_addf(e->why, "/%s: %s", buf_str(&name), strerrordesc_np(-r));
            return EMPTY_E_PRESENT;
        }
        if (r > 0)
            return r;
    }
}

int empty_volume(struct step_context *c,
                 const char *root,
                 const struct empty_kept *kept,
                 struct buf *why)
{
    struct emptying e = {.c = c, .root = root, .kept = kept, .why = why};
    OWN(fd_closep) int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r;

    if (fd < 0)
        return ERR(-errno);
    r = empty(&e, "");
    if (r == 0 && syncfs(fd) < 0)
        return ERR(-errno);
    return TRACE(r);
}
