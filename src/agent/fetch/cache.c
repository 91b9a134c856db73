/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/fetch/cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/fetch/fetch.h"
#include "agent/fetch/tree.h"
#include "agent/fetch/tree_write.h"
#include "base/bytes.h"
#include "base/err.h"
#include "plat/file.h"

enum {
    PATH_MAX_BYTES = 4096,
    FOLDER_MODE = 0700,
    FILE_MODE = 0600,
    NAME_LEN = SHA256_TEXT_MAX - 1,
    MIB = 1024 * 1024,
};

static const char manifest_tail[] = ".manifest";

struct cache {
    char *root; /* owned */
    uint64_t max_bytes;
};

struct cache_use {
    char path[PATH_MAX_BYTES];
    int fd; /* owned; the manifest, locked with others who use it */
};

struct entry { /* content that is in the cache */
    char name[SHA256_TEXT_MAX];
    uint64_t size_bytes;
    struct timespec used;
};

struct entries {
    struct entry *all; /* owned */
    size_t n;
};

static void entries_fini(struct entries *entries)
{
    free(entries->all);
}

static void closedirp(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

int cache_new(const char *root, uint64_t max_bytes, struct cache **ret)
{
    OWN(cache_freep) struct cache *cache = calloc(1, sizeof(*cache));
    int r;

    if (!cache)
        return ERR(-ENOMEM);
    cache->max_bytes = max_bytes > 0 ? max_bytes : CACHE_DEFAULT_BYTES;
    cache->root = strdup(root);
    if (!cache->root)
        return ERR(-ENOMEM);
    r = dir_make(root, FOLDER_MODE);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(cache);
    return 0;
}

void cache_free(struct cache *cache)
{
    if (!cache)
        return;
    free(cache->root);
    free(cache);
}

static int put_path(const struct cache *cache,
                    const char *name,
                    const char *tail,
                    char ret[static PATH_MAX_BYTES])
{
    int n = snprintf(ret, PATH_MAX_BYTES, "%s/%s%s", cache->root, name, tail);

    return n < 0 || n >= PATH_MAX_BYTES ? ERR(-ENAMETOOLONG) : 0;
}

/* Return: a descriptor that holds the lock, owned by the caller; or -errno. */
static int lock_cache(const struct cache *cache)
{
    OWN(fd_closep) int fd = -1;
    char path[PATH_MAX_BYTES];
    int r = put_path(cache, "lock", "", path);

    if (r < 0)
        return TRACE(r);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd < 0)
        return ERR(-errno);
    while (flock(fd, LOCK_EX) < 0)
        if (errno != EINTR)
            return ERR(-errno);
    r = fd;
    fd = -1;
    return r;
}

/* Manifests are kept as they came. Return: 0; 1: not there, or not what its name says; or -errno. */
static int read_manifest(const struct cache *cache, const char *name, struct manifest *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(MANIFEST_TEXT_MAX);
    char path[PATH_MAX_BYTES];
    int r = put_path(cache, name, manifest_tail, path);

    if (r == 0)
        r = file_read(path, &text);
    if (r == 0)
        r = manifest_parse(buf_bytes(&text), ret);
    if (r == 0 && ret->kind != MANIFEST_TREE)
        r = 1;
    return r < 0 ? TRACE(r) : r != 0;
}

static int remove_file(const struct cache *cache, const char *name, const char *tail)
{
    char path[PATH_MAX_BYTES];
    int r = put_path(cache, name, tail, path);

    return r < 0 ? TRACE(r) : unlink(path) < 0 && errno != ENOENT ? ERR(-errno) : 0;
}

/* Remove content with all that belongs to it, the manifest first: without it nothing is trusted. */
static int remove_content(const struct cache *cache, const char *name)
{
    static const char *const files[] = {manifest_tail, ".progress"};
    static const char *const folders[] = {"", ".part"};
    char path[PATH_MAX_BYTES];
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(files) / sizeof(files[0]); i++)
        r = remove_file(cache, name, files[i]);
    for (size_t i = 0; r == 0 && i < sizeof(folders) / sizeof(folders[0]); i++) {
        r = put_path(cache, name, folders[i], path);
        if (r == 0 && file_exists(path))
            r = dir_remove(path);
    }
    return TRACE(r);
}

/* Whether somebody uses it. Who asks holds the cache's lock, so nobody begins to. */
static bool is_used(const struct cache *cache, const char *name)
{
    OWN(fd_closep) int fd = -1;
    char path[PATH_MAX_BYTES];

    if (put_path(cache, name, manifest_tail, path) < 0)
        return true;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno != ENOENT;
    return flock(fd, LOCK_EX | LOCK_NB) < 0;
}

static int add_entry(const struct cache *cache, const char *name, struct entries *ret)
{
    OWN(manifest_fini) struct manifest manifest = {0};
    struct entry *all = NULL;
    struct stat st;
    char path[PATH_MAX_BYTES];
    int r = read_manifest(cache, name, &manifest);

    if (r == 0)
        r = put_path(cache, name, "", path);
    if (r == 0)
        r = file_exists(path) ? put_path(cache, name, manifest_tail, path) : 1;
    if (r == 0 && stat(path, &st) < 0)
        r = ERR(-errno);
    if (r != 0)
        return r < 0 ? TRACE(r) : remove_content(cache, name);
    all = realloc(ret->all, (ret->n + 1) * sizeof(*all));
    if (!all)
        return ERR(-ENOMEM);
    ret->all = all;
    all[ret->n] = (struct entry){.size_bytes = manifest.size_bytes, .used = st.st_mtim};
    memcpy(all[ret->n++].name, name, SHA256_TEXT_MAX);
    return 0;
}

/* "0123….part" belongs to content that is not @but, and to none that is there. */
static bool is_remains(const char *file, const char *but)
{
    return strlen(file) > NAME_LEN && strncmp(file, but, NAME_LEN) != 0 &&
           (strcmp(file + NAME_LEN, ".part") == 0 || strcmp(file + NAME_LEN, ".progress") == 0);
}

/* "0123….manifest.Ab12Cd" was being written when the computer went down. Who asks holds the cache's lock, so nobody writes it now. */
static bool is_half_written(const char *file)
{
    size_t len = sizeof(manifest_tail) - 1;

    return strncmp(file + NAME_LEN, manifest_tail, len) == 0 && file[NAME_LEN + len] == '.';
}

static int
look_at(const struct cache *cache, const char *file, const char *but, struct entries *ret)
{
    char name[SHA256_TEXT_MAX] = "";
    uint8_t id[SHA256_BYTES];

    if (strlen(file) < NAME_LEN ||
        !hex_parse((struct bytes){(const uint8_t *)file, NAME_LEN}, SHA256_BYTES, id))
        return 0;
    memcpy(name, file, NAME_LEN);
    if (is_half_written(file))
        return TRACE(remove_file(cache, name, file + NAME_LEN));
    if (strcmp(file + NAME_LEN, manifest_tail) == 0 && strcmp(name, but) != 0)
        return TRACE(add_entry(cache, name, ret));
    return is_remains(file, but) ? TRACE(remove_content(cache, name)) : 0;
}

/* All content but @but; downloads of it that were given up are removed on the way. */
static int list(const struct cache *cache, const char *but, struct entries *ret)
{
    OWN(closedirp) DIR *dir = opendir(cache->root);

    if (!dir)
        return ERR(-errno);
    for (;;) {
        errno = 0;

        const struct dirent *file = readdir(dir); /* NOLINT(concurrency-mt-unsafe): our own DIR */

        if (!file)
            return errno == 0 ? 0 : ERR(-errno);

        int r = look_at(cache, file->d_name, but, ret);

        if (r < 0)
            return TRACE(r);
    }
}

static int by_last_use(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;

    if (x->used.tv_sec != y->used.tv_sec)
        return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    if (x->used.tv_nsec != y->used.tv_nsec)
        return x->used.tv_nsec < y->used.tv_nsec ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* So that @size_bytes of @name can be added. Return: 0, CACHE_E_TOO_LARGE, or -errno. */
static int make_room(const struct cache *cache, const char *name, uint64_t size_bytes)
{
    OWN(entries_fini) struct entries entries = {0};
    uint64_t sum = 0;
    int r = list(cache, name, &entries);

    if (r < 0)
        return TRACE(r);
    for (size_t i = 0; i < entries.n; i++)
        sum += entries.all[i].size_bytes;
    if (entries.n > 0)
        qsort(entries.all, entries.n, sizeof(*entries.all), by_last_use);
    for (size_t i = 0; i < entries.n && sum + size_bytes > cache->max_bytes; i++) {
        if (is_used(cache, entries.all[i].name))
            continue;
        r = remove_content(cache, entries.all[i].name);
        if (r < 0)
            return TRACE(r);
        sum -= entries.all[i].size_bytes;
    }
    return sum + size_bytes > cache->max_bytes ? CACHE_E_TOO_LARGE : 0;
}

/* Whether it is there, as its manifest says. */
static int is_there(const struct cache *cache, const char *name, bool *ret)
{
    OWN(manifest_fini) struct manifest manifest = {0};
    OWN(fd_closep) int root = -1;
    char path[PATH_MAX_BYTES];
    int r = read_manifest(cache, name, &manifest);

    *ret = false;
    if (r == 0)
        r = put_path(cache, name, "", path);
    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    root = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    *ret = root >= 0 &&
           tree_count_good(&manifest, root, manifest.n_entries, true) == manifest.n_entries;
    return 0;
}

static int keep_manifest(struct transfer *transfer, const char *path, struct bytes text)
{
    int r = file_write_if_room(path, text, FILE_MODE);

    if (r != FILE_E_FULL)
        return TRACE(r);
    transfer_why(transfer, "the disk was full while %s was written", path);
    return FETCH_E_FULL;
}

static int
load(const struct cache *cache, struct transfer *transfer, const uint8_t *id, const char *name)
{
    OWN(buf_fini) struct buf text = BUF_INIT(MANIFEST_TEXT_MAX);
    OWN(manifest_fini) struct manifest manifest = {0};
    char path[PATH_MAX_BYTES];
    int r = transfer_get_manifest_text(transfer, id, &text);

    if (r == 0 && manifest_parse(buf_bytes(&text), &manifest) != 0) {
        transfer_why(transfer, "manifest %s is none that this version understands", name);
        return TRANSFER_E_CONTENT;
    }
    if (r == 0)
        r = make_room(cache, name, manifest.size_bytes);
    if (r == CACHE_E_TOO_LARGE)
        transfer_why(transfer,
                     "%" PRIu64 " MiB do not fit into the cache of %" PRIu64
                     " MiB beside what is in use",
                     manifest.size_bytes / MIB + 1,
                     cache->max_bytes / MIB);
    /* the manifest first: without the folder it says nothing, and with it all is there at once */
    if (r == 0)
        r = put_path(cache, name, manifest_tail, path);
    if (r == 0)
        r = keep_manifest(transfer, path, buf_bytes(&text));
    if (r == 0)
        r = put_path(cache, name, "", path);
    if (r == 0)
        r = tree_fetch(transfer, &manifest, id, path);
    return TRACE(r);
}

/* Make it be there. */
static int
provide(const struct cache *cache, struct transfer *transfer, const uint8_t *id, const char *name)
{
    char path[PATH_MAX_BYTES];
    bool is_here;
    int r = is_there(cache, name, &is_here);

    if (r == 0)
        r = put_path(cache, name, "", path);
    if (r < 0 || is_here)
        return TRACE(r);
    if (file_exists(path) && is_used(cache, name)) {
        transfer_why(transfer, "%s is in use, and was changed", path);
        return CACHE_E_CHANGED;
    }
    if (file_exists(path)) /* not what a download left that can go on */
        r = remove_content(cache, name);
    return r < 0 ? TRACE(r) : load(cache, transfer, id, name);
}

/* It is there: from now on it is in use. */
static int begin_use(const struct cache *cache, const char *name, struct cache_use **ret)
{
    OWN(cache_releasep) struct cache_use *use = calloc(1, sizeof(*use));
    struct timespec now[2];
    char path[PATH_MAX_BYTES];
    int r;

    if (!use)
        return ERR(-ENOMEM);
    use->fd = -1;
    r = put_path(cache, name, "", use->path);
    if (r == 0)
        r = put_path(cache, name, manifest_tail, path);
    if (r < 0)
        return TRACE(r);
    use->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    /* the kernel's own idea of now may be the same for two that follow each other */
    (void)clock_gettime(CLOCK_REALTIME, &now[0]);
    now[1] = now[0];
    if (use->fd < 0 || flock(use->fd, LOCK_SH | LOCK_NB) < 0 || futimens(use->fd, now) < 0)
        return ERR(-errno);
    *ret = TAKE(use);
    return 0;
}

int cache_get(struct cache *cache,
              const struct transfer_options *options,
              const uint8_t manifest[static SHA256_BYTES],
              struct transfer_report *report,
              struct cache_use **ret)
{
    OWN(transfer_freep) struct transfer *transfer = NULL;
    OWN(fd_closep) int lock = -1;
    char name[SHA256_TEXT_MAX];
    int r = transfer_new(options, report, &transfer);

    if (r < 0)
        return TRACE(r);
    hex_put(name, (struct bytes){manifest, SHA256_BYTES});
    lock = lock_cache(cache);
    if (lock < 0)
        return TRACE(lock);
    r = provide(cache, transfer, manifest, name);
    if (r == 0)
        r = begin_use(cache, name, ret);
    return TRACE(r);
}

int cache_drop(struct cache *cache, const uint8_t manifest[static SHA256_BYTES])
{
    OWN(fd_closep) int lock = lock_cache(cache);
    char name[SHA256_TEXT_MAX];

    if (lock < 0)
        return TRACE(lock);
    hex_put(name, (struct bytes){manifest, SHA256_BYTES});
    return is_used(cache, name) ? 0 : TRACE(remove_content(cache, name));
}

const char *cache_path(const struct cache_use *use)
{
    return use->path;
}

void cache_release(struct cache_use *use)
{
    if (!use)
        return;
    fd_closep(&use->fd);
    free(use);
}
