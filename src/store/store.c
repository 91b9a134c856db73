/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "format/pack/chunk_list.h"
#include "plat/clock.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "store/aside.h"
#include "store/check.h"
#include "store/layout.h"
#include "store/list.h"
#include "store/state.h"

enum {
    FORMAT_TEXT_MAX = 64,
    LOCK_POLL_MS = 50,
    LOCK_WAIT_MS = 60 * 1000,
    US_PER_MS = 1000,
};

static const char format_text[] = "slipway-store 3\n";

void store_free(struct store *store)
{
    if (!store)
        return;
    store_end(store);
    free(store->root);
    free(store);
}

/* Return: 0, STORE_E_MISSING (nothing is there yet), STORE_E_FORMAT, or -errno. */
static int check_format(const char *root)
{
    OWN(buf_fini) struct buf text = BUF_INIT(FORMAT_TEXT_MAX);
    char path[STORE_PATH_MAX];
    int r;

    layout_path(root, "format", path);
    r = file_read(path, &text);
    if (r < 0)
        return TRACE(r);
    if (r == 0 && bytes_eq(buf_bytes(&text), bytes_of(format_text)))
        return 0;
    layout_path(root, "chunks", path); /* before there was a file that says so */
    return r == FILE_E_MISSING && !file_exists(path) ? STORE_E_MISSING : STORE_E_FORMAT;
}

static int make_folder(const char *root, const char *name, unsigned mode)
{
    char path[STORE_PATH_MAX];

    layout_path(root, name, path);
    return file_exists(path) ? 0 : TRACE(dir_make(path, mode));
}

static int make_folders(const char *root)
{
    int r = make_folder(root, "packs", LAYOUT_FOLDER_MODE);

    if (r == 0)
        r = make_folder(root, "manifests", LAYOUT_FOLDER_MODE);
    if (r == 0)
        r = make_folder(root, "lists", LAYOUT_FOLDER_MODE);
    if (r == 0)
        r = make_folder(root, "tmp", LAYOUT_TMP_MODE);
    return TRACE(r);
}

/* The file that says what it is comes last. */
static int make_store(const char *root)
{
    char path[STORE_PATH_MAX];
    int r = make_folders(root);

    layout_path(root, "format", path);
    return r == 0 ? TRACE(file_write(path, bytes_of(format_text), LAYOUT_FILE_MODE)) : TRACE(r);
}

int store_new(const char *root, struct store **ret)
{
    OWN(store_freep) struct store *store = calloc(1, sizeof(*store));
    int r;

    if (!store)
        return ERR(-ENOMEM);
    store->lock_fd = -1;
    if (strlen(root) > LAYOUT_ROOT_MAX_BYTES)
        return ERR(-ENAMETOOLONG);
    store->root = strdup(root);
    if (!store->root)
        return ERR(-ENOMEM);
    r = check_format(root);
    if (r == STORE_E_FORMAT)
        return STORE_E_FORMAT;
    r = r == STORE_E_MISSING ? make_store(root) : TRACE(r);
    if (r == 0)
        r = make_folders(root);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(store);
    return 0;
}

int state_open_lock(const char *root, int *ret)
{
    char path[STORE_PATH_MAX];
    int fd;

    layout_path(root, "lock", path);
    fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, LAYOUT_FILE_MODE);
    if (fd < 0)
        return ERR(-errno);
    *ret = fd;
    return 0;
}

int state_try_lock(int fd, int how)
{
    if (flock(fd, how | LOCK_NB) == 0)
        return 0;
    return errno == EWOULDBLOCK ? STORE_E_BUSY : ERR(-errno);
}

/* Return: 0, STORE_E_BUSY, or -errno. */
static int wait_for_lock(int fd)
{
    for (unsigned waited_ms = 0;; waited_ms += LOCK_POLL_MS) {
        int r = state_try_lock(fd, LOCK_SH);

        if (r != STORE_E_BUSY || waited_ms >= LOCK_WAIT_MS)
            return r < 0 ? TRACE(r) : r;
        clock_sleep_us((uint64_t)LOCK_POLL_MS * US_PER_MS);
    }
}

int store_clean(struct store *store)
{
    OWN(fd_closep) int fd = -1;
    int r = state_open_lock(store->root, &fd);

    if (r == 0)
        r = state_try_lock(fd, LOCK_EX);
    if (r == 0)
        r = layout_clear_tmp(store->root);
    return r < 0 ? TRACE(r) : 0;
}

/* What is to be done while nobody else adds. */
static int tidy(const char *root, int fd)
{
    int r = state_try_lock(fd, LOCK_EX);

    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    r = layout_clear_tmp(root);
    if (r == 0)
        recover_index(root);
    return TRACE(r);
}

static int begin(struct store *store, int (*take_lock)(int fd))
{
    OWN(fd_closep) int fd = -1;
    char path[STORE_PATH_MAX];
    int r;

    assert(store->lock_fd < 0);
    r = state_open_lock(store->root, &fd);
    if (r == 0)
        r = tidy(store->root, fd);
    if (r == 0)
        r = take_lock(fd);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    recover_index_path(store->root, path);
    if (index_open(path, false, &store->index) != 0)
        store->index = NULL; /* go on without */
    store->lock_fd = fd;
    fd = -1;
    return 0;
}

int store_begin(struct store *store)
{
    int r = begin(store, wait_for_lock);

    return r < 0 ? TRACE(r) : r;
}

static int take_lock_at_once(int fd)
{
    int r = state_try_lock(fd, LOCK_SH);

    return r < 0 ? TRACE(r) : r;
}

int store_try_begin(struct store *store)
{
    int r = begin(store, take_lock_at_once);

    return r < 0 ? TRACE(r) : r;
}

void store_end(struct store *store)
{
    put_reset(store);
    index_close(store->index);
    store->index = NULL;
    fd_closep(&store->lock_fd);
}

static bool is_waiting(const struct store *store, const uint8_t *sha256)
{
    for (size_t i = 0; i < store->n_added; i++)
        if (memcmp(store->added[i]->pack.sha256, sha256, SHA256_BYTES) == 0)
            return true;
    return false;
}

bool store_has_pack(const struct store *store, const struct manifest_pack *pack)
{
    uint64_t size;

    return is_waiting(store, pack->sha256) ||
           (layout_pack_size(store->root, pack->sha256, &size) && size == pack->stored_bytes);
}

static bool has_packs(const struct store *store, const struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->n_packs; i++)
        if (!store_has_pack(store, &manifest->packs[i]))
            return false;
    return true;
}

/* The chunk list comes before the manifest, so that nobody asks in vain. Return: 0, STORE_E_FULL, or -errno. */
static int write_list(const struct store *store, const struct manifest *manifest, const uint8_t *id)
{
    OWN(buf_fini) struct buf text = BUF_INIT(CHUNK_LIST_MAX_BYTES);
    char folder[STORE_PATH_MAX];
    char path[STORE_PATH_MAX];
    int r = list_make(store->root, manifest, &text);

    if (r < 0)
        return TRACE(r);
    layout_path(store->root, "lists", folder);
    layout_list(store->root, id, path);
    r = aside_write_file(store->root, folder, path, buf_bytes(&text));
    return r < 0 ? TRACE(r) : r;
}

/* Return: 0, STORE_E_MISSING, STORE_E_FULL, or -errno. */
static int write_manifest(struct store *store,
                          const struct manifest *manifest,
                          struct bytes text,
                          const uint8_t *id)
{
    char folder[STORE_PATH_MAX];
    char path[STORE_PATH_MAX];
    int r;

    if (!has_packs(store, manifest))
        return STORE_E_MISSING;
    layout_path(store->root, "manifests", folder);
    layout_manifest(store->root, id, path);
    r = write_list(store, manifest, id);
    if (r == 0)
        r = aside_write_file(store->root, folder, path, text);
    store->failed = r;
    return r < 0 ? TRACE(r) : r;
}

int store_put_manifest(struct store *store,
                       const struct manifest *manifest,
                       uint8_t ret_id[static SHA256_BYTES])
{
    OWN(buf_fini) struct buf text = BUF_INIT(MANIFEST_TEXT_MAX);
    uint8_t id[SHA256_BYTES];
    int r = store_flush(store);

    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    manifest_put(&text, manifest);
    if (text.failed)
        return ERR(-ENOMEM);
    r = digest_sha256(buf_bytes(&text), id);
    if (r == 0)
        r = write_manifest(store, manifest, buf_bytes(&text), id);
    if (r == 0)
        memcpy(ret_id, id, SHA256_BYTES);
    return r < 0 ? TRACE(r) : r;
}

int store_add_manifest(struct store *store,
                       struct bytes text,
                       const uint8_t id[static SHA256_BYTES])
{
    OWN(manifest_fini) struct manifest manifest = {0};
    int r = store_flush(store);

    if (r == 0)
        r = check_name(text, id);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    r = manifest_parse(text, &manifest);
    if (r < 0)
        return TRACE(r);
    if (r != 0)
        return STORE_E_CORRUPT;
    r = write_manifest(store, &manifest, text, id);
    return r < 0 ? TRACE(r) : r;
}

int store_remove_manifest(struct store *store, const uint8_t id[static SHA256_BYTES])
{
    char path[STORE_PATH_MAX];

    layout_manifest(store->root, id, path);
    if (unlink(path) != 0)
        return errno == ENOENT ? STORE_E_MISSING : ERR(-errno);
    layout_list(store->root, id, path);
    if (unlink(path) != 0 && errno != ENOENT)
        return ERR(-errno);
    layout_path(store->root, "manifests", path);
    return TRACE(dir_sync(path));
}

void store_pack_path(const struct store *store,
                     const uint8_t sha256[static SHA256_BYTES],
                     char ret[static STORE_PATH_MAX])
{
    layout_pack(store->root, sha256, ret);
}

void store_manifest_path(const struct store *store,
                         const uint8_t id[static SHA256_BYTES],
                         char ret[static STORE_PATH_MAX])
{
    layout_manifest(store->root, id, ret);
}
