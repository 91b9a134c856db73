/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/layout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"

enum {
    US_PER_S = 1000000,
    NS_PER_US = 1000,
};

void layout_path(const char *root, const char *name, char ret[static STORE_PATH_MAX])
{
    (void)snprintf(ret, STORE_PATH_MAX, "%s/%s", root, name);
}

void layout_pack(const char *root,
                 const uint8_t sha256[static SHA256_BYTES],
                 char ret[static STORE_PATH_MAX])
{
    char name[SHA256_TEXT_MAX];

    hex_put(name, (struct bytes){sha256, SHA256_BYTES});
    (void)snprintf(ret, STORE_PATH_MAX, "%s/packs/%.2s/%s", root, name, name);
}

void layout_pack_folder(const char *root, uint8_t first, char ret[static STORE_PATH_MAX])
{
    (void)snprintf(ret, STORE_PATH_MAX, "%s/packs/%02x", root, first);
}

void layout_manifest(const char *root,
                     const uint8_t id[static SHA256_BYTES],
                     char ret[static STORE_PATH_MAX])
{
    char name[SHA256_TEXT_MAX];

    hex_put(name, (struct bytes){id, SHA256_BYTES});
    (void)snprintf(ret, STORE_PATH_MAX, "%s/manifests/%s", root, name);
}

void layout_list(const char *root,
                 const uint8_t id[static SHA256_BYTES],
                 char ret[static STORE_PATH_MAX])
{
    char name[SHA256_TEXT_MAX];

    hex_put(name, (struct bytes){id, SHA256_BYTES});
    (void)snprintf(ret, STORE_PATH_MAX, "%s/lists/%s", root, name);
}

static void dir_closep(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
    *dir = NULL;
}

/* Whether @name is one that layout_pack() and layout_manifest() make. */
static bool parse_name(const char *name, uint8_t *ret)
{
    return strspn(name, "0123456789abcdef") == strlen(name) &&
           hex_parse(bytes_of(name), SHA256_BYTES, ret);
}

/* Return: 0, what @visit returned, or -errno. */
static int visit_entry(int folder, const char *name, layout_visit *visit, void *ctx)
{
    struct layout_file file = {0};
    struct stat st;

    if (!parse_name(name, file.sha256))
        return 0;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : ERR(-errno);
    if (!S_ISREG(st.st_mode))
        return 0;
    file.size_bytes = (uint64_t)st.st_size;
    file.changed_us =
        (uint64_t)st.st_mtim.tv_sec * US_PER_S + (uint64_t)st.st_mtim.tv_nsec / NS_PER_US;
    return visit(ctx, &file);
}

/* Every file in a folder, which need not be there, that has a name of ours. */
static int visit_folder(const char *path, layout_visit *visit, void *ctx)
{
    OWN(dir_closep) DIR *dir = opendir(path);

    if (!dir)
        return errno == ENOENT ? 0 : ERR(-errno);
    for (;;) {
        const struct dirent *entry;
        int r;

        errno = 0;
        entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): our own DIR */
        if (!entry)
            return errno == 0 ? 0 : ERR(-errno);
        r = visit_entry(dirfd(dir), entry->d_name, visit, ctx);
        if (r != 0)
            return r < 0 ? TRACE(r) : r;
    }
}

int layout_each_pack(const char *root, layout_visit *visit, void *ctx)
{
    for (unsigned first = 0; first < LAYOUT_FOLDERS; first++) {
        char path[STORE_PATH_MAX];
        int r;

        layout_pack_folder(root, (uint8_t)first, path);
        r = visit_folder(path, visit, ctx);
        if (r != 0)
            return r < 0 ? TRACE(r) : r;
    }
    return 0;
}

int layout_each_manifest(const char *root, layout_visit *visit, void *ctx)
{
    char path[STORE_PATH_MAX];
    int r;

    layout_path(root, "manifests", path);
    r = visit_folder(path, visit, ctx);
    return r < 0 ? TRACE(r) : r;
}

bool layout_pack_size(const char *root, const uint8_t sha256[static SHA256_BYTES], uint64_t *ret)
{
    char path[STORE_PATH_MAX];
    struct stat st;

    layout_pack(root, sha256, path);
    if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    *ret = (uint64_t)st.st_size;
    return true;
}

int layout_clear_tmp(const char *root)
{
    OWN(dir_closep) DIR *dir = NULL;
    char path[STORE_PATH_MAX];

    layout_path(root, "tmp", path);
    dir = opendir(path);
    if (!dir)
        return ERR(-errno);
    for (;;) {
        const struct dirent *entry;

        errno = 0;
        entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): our own DIR */
        if (!entry)
            return errno == 0 ? 0 : ERR(-errno);
        if (entry->d_type != DT_DIR && unlinkat(dirfd(dir), entry->d_name, 0) != 0 &&
            errno != ENOENT)
            return ERR(-errno);
    }
}
