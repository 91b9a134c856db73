/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/store.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "plat/frame.h"

enum {
    PATH_MAX_BYTES = 4096,
    ROOT_MAX_BYTES = 3584, /* leaves room for the names below it */
    BATCH_MAX_CHUNKS = 64, /* open files at a time; what a kill can cost */
    CHUNK_FILE_MODE = 0644,
    CHUNK_FOLDER_MODE = 0755,
    TMP_FOLDER_MODE = 0700,
    N_FOLDERS = 256,
};

struct waiting { /* a chunk in tmp/ */
    uint8_t sha256[SHA256_BYTES];
    int fd; /* owned */
};

struct store {
    char *root;                  /* owned */
    struct frame_packer *packer; /* owned */
    struct waiting waiting[BATCH_MAX_CHUNKS];
    size_t n_waiting;
    bool has_folder[N_FOLDERS]; /* chunks/xx is known to be there, durably */
};

static void chunk_path(const struct store *store, const uint8_t *sha256, char dst[PATH_MAX_BYTES])
{
    char name[SHA256_TEXT_MAX];

    hex_put(name, (struct bytes){sha256, SHA256_BYTES});
    (void)snprintf(dst, PATH_MAX_BYTES, "%s/chunks/%.2s/%s", store->root, name, name);
}

static void tmp_path(const struct store *store, const uint8_t *sha256, char dst[PATH_MAX_BYTES])
{
    char name[SHA256_TEXT_MAX];

    hex_put(name, (struct bytes){sha256, SHA256_BYTES});
    (void)snprintf(dst, PATH_MAX_BYTES, "%s/tmp/%s.%ld", store->root, name, (long)getpid());
}

static void
manifest_path(const struct store *store, const uint8_t *sha256, char dst[PATH_MAX_BYTES])
{
    char name[SHA256_TEXT_MAX];

    hex_put(name, (struct bytes){sha256, SHA256_BYTES});
    (void)snprintf(dst, PATH_MAX_BYTES, "%s/manifests/%s", store->root, name);
}

static void drop_waiting(struct store *store)
{
    for (size_t i = 0; i < store->n_waiting; i++) {
        char path[PATH_MAX_BYTES];

        tmp_path(store, store->waiting[i].sha256, path);
        fd_closep(&store->waiting[i].fd);
        (void)unlink(path);
    }
    store->n_waiting = 0;
}

void store_free(struct store *store)
{
    if (!store)
        return;
    drop_waiting(store);
    frame_packer_free(store->packer);
    free(store->root);
    free(store);
}

static int make_folder(const struct store *store, const char *name, unsigned mode)
{
    char path[PATH_MAX_BYTES];

    (void)snprintf(path, sizeof(path), "%s/%s", store->root, name);
    return TRACE(dir_make(path, mode));
}

int store_new(const char *root, struct store **ret)
{
    OWN(store_freep) struct store *store = calloc(1, sizeof(*store));
    int r;

    if (!store)
        return ERR(-ENOMEM);
    if (strlen(root) > ROOT_MAX_BYTES)
        return ERR(-ENAMETOOLONG);
    store->root = strdup(root);
    if (!store->root)
        return ERR(-ENOMEM);
    r = frame_packer_new(CHUNK_MAX_BYTES, &store->packer);
    if (r < 0)
        return TRACE(r);
    r = make_folder(store, "chunks", CHUNK_FOLDER_MODE);
    if (r == 0)
        r = make_folder(store, "manifests", CHUNK_FOLDER_MODE);
    if (r == 0)
        r = make_folder(store, "tmp", TMP_FOLDER_MODE);
    if (r == 0)
        r = dir_sync(root);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(store);
    return 0;
}

int store_clean(struct store *store)
{
    char path[PATH_MAX_BYTES];
    int r;

    (void)snprintf(path, sizeof(path), "%s/tmp", store->root);
    r = dir_remove(path);
    if (r < 0)
        return TRACE(r);
    return TRACE(dir_make(path, TMP_FOLDER_MODE));
}

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

/* Return: 0, STORE_E_FULL, or -errno. */
static int write_aside(struct store *store, const uint8_t *sha256, struct bytes frame, int *ret)
{
    char path[PATH_MAX_BYTES];

    tmp_path(store, sha256, path);

    OWN(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, CHUNK_FILE_MODE);

    if (fd < 0)
        return outcome_of(errno);

    int r = from_file(fd_write_if_room(fd, frame));

    if (r == 0 && fchmod(fd, CHUNK_FILE_MODE) < 0)
        r = ERR(-errno);
    if (r != 0) {
        (void)unlink(path);
        return TRACE(r);
    }
    /* let the disk begin, so that the fsync() of the batch finds little left to do */
    (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    *ret = fd;
    fd = -1;
    return 0;
}

/* Return: 0, STORE_E_FULL, or -errno. */
static int make_chunk_folder(struct store *store, uint8_t first)
{
    char path[PATH_MAX_BYTES];
    int r;

    if (store->has_folder[first])
        return 0;
    (void)snprintf(path, sizeof(path), "%s/chunks/%02x", store->root, first);
    if (mkdir(path, CHUNK_FOLDER_MODE) < 0 && errno != EEXIST)
        return outcome_of(errno);
    if (chmod(path, CHUNK_FOLDER_MODE) < 0) /* whatever the umask is */
        return ERR(-errno);
    (void)snprintf(path, sizeof(path), "%s/chunks", store->root);
    r = from_file(dir_sync_if_room(path));
    if (r != 0)
        return TRACE(r);
    store->has_folder[first] = true;
    return 0;
}

/* Return: 0, STORE_E_FULL, or -errno. */
static int publish(struct store *store, const uint8_t *sha256)
{
    char from[PATH_MAX_BYTES];
    char to[PATH_MAX_BYTES];
    int r = make_chunk_folder(store, sha256[0]);

    if (r != 0)
        return TRACE(r);
    tmp_path(store, sha256, from);
    chunk_path(store, sha256, to);
    return rename(from, to) < 0 ? outcome_of(errno) : 0;
}

/* Return: 0, STORE_E_FULL, or -errno. */
static int sync_folders(struct store *store)
{
    bool is_done[N_FOLDERS] = {false};

    for (size_t i = 0; i < store->n_waiting; i++) {
        uint8_t first = store->waiting[i].sha256[0];
        char path[PATH_MAX_BYTES];

        if (is_done[first])
            continue;
        is_done[first] = true;
        (void)snprintf(path, sizeof(path), "%s/chunks/%02x", store->root, first);

        int r = from_file(dir_sync_if_room(path));

        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

/* Return: 0, STORE_E_FULL, or -errno. */
static int flush(struct store *store)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < store->n_waiting; i++)
        r = from_file(fd_sync_if_room(store->waiting[i].fd));
    for (size_t i = 0; r == 0 && i < store->n_waiting; i++)
        r = publish(store, store->waiting[i].sha256);
    return r == 0 ? TRACE(sync_folders(store)) : TRACE(r);
}

int store_flush(struct store *store)
{
    int r = flush(store);

    drop_waiting(store); /* after success there is nothing left in tmp/ to unlink */
    return TRACE(r);
}

static bool is_waiting(const struct store *store, const uint8_t *sha256)
{
    for (size_t i = 0; i < store->n_waiting; i++)
        if (memcmp(store->waiting[i].sha256, sha256, SHA256_BYTES) == 0)
            return true;
    return false;
}

static bool has_chunk(const struct store *store, const uint8_t *sha256)
{
    char path[PATH_MAX_BYTES];

    chunk_path(store, sha256, path);
    return file_exists(path) || is_waiting(store, sha256);
}

static int put_new_chunk(struct store *store, const uint8_t *sha256, struct bytes plain)
{
    struct waiting *slot = &store->waiting[store->n_waiting];
    struct bytes frame;
    int r = frame_pack(store->packer, plain, &frame);

    if (r < 0)
        return TRACE(r);
    r = write_aside(store, sha256, frame, &slot->fd);
    if (r != 0)
        return TRACE(r);
    memcpy(slot->sha256, sha256, SHA256_BYTES);
    store->n_waiting++;
    return store->n_waiting == BATCH_MAX_CHUNKS ? store_flush(store) : 0;
}

int store_put_chunk(struct store *store,
                    struct bytes plain,
                    struct manifest_chunk *ret,
                    bool *ret_is_new)
{
    assert(plain.len > 0 && plain.len <= CHUNK_MAX_BYTES);

    struct manifest_chunk chunk = {.size_bytes = (uint32_t)plain.len};
    int r = digest_sha256(plain, chunk.sha256);

    if (r < 0)
        return TRACE(r);
    *ret_is_new = !has_chunk(store, chunk.sha256);
    *ret = chunk;
    return *ret_is_new ? put_new_chunk(store, chunk.sha256, plain) : 0;
}

int store_put_manifest(struct store *store,
                       const struct manifest *manifest,
                       uint8_t ret_id[static SHA256_BYTES])
{
    OWN(buf_fini) struct buf text = BUF_INIT(MANIFEST_TEXT_MAX);
    uint8_t id[SHA256_BYTES];
    char path[PATH_MAX_BYTES];
    int r = store_flush(store);

    if (r != 0)
        return TRACE(r);
    manifest_put(&text, manifest);
    if (text.failed)
        return ERR(-ENOMEM);
    r = digest_sha256(buf_bytes(&text), id);
    if (r < 0)
        return TRACE(r);
    manifest_path(store, id, path);
    r = from_file(file_write_if_room(path, buf_bytes(&text), CHUNK_FILE_MODE));
    if (r != 0)
        return TRACE(r);
    memcpy(ret_id, id, SHA256_BYTES);
    return 0;
}

/* Read a file that is named by its content. */
static int read_named(const char *path, struct buf *ret)
{
    int r = file_read(path, ret);

    if (r < 0)
        return TRACE(r);
    if (r == FILE_E_MISSING)
        return STORE_E_MISSING;
    return r == 0 ? 0 : STORE_E_CORRUPT;
}

static int check_name(struct bytes content, const uint8_t *sha256)
{
    uint8_t is[SHA256_BYTES];
    int r = digest_sha256(content, is);

    if (r < 0)
        return TRACE(r);
    return memcmp(is, sha256, SHA256_BYTES) == 0 ? 0 : STORE_E_CORRUPT;
}

int store_get_chunk(struct store *store, const struct manifest_chunk *chunk, struct buf *ret)
{
    OWN(buf_fini) struct buf frame = BUF_INIT(frame_max_bytes(chunk->size_bytes));
    OWN(freep) uint8_t *plain = NULL;
    char path[PATH_MAX_BYTES];
    int r;

    buf_clear(ret);
    chunk_path(store, chunk->sha256, path);
    r = read_named(path, &frame);
    if (r != 0)
        return r;
    plain = malloc(chunk->size_bytes);
    if (!plain)
        return ERR(-ENOMEM);
    if (frame_unpack(buf_bytes(&frame), chunk->size_bytes, plain) != 0)
        return STORE_E_CORRUPT;
    r = check_name((struct bytes){plain, chunk->size_bytes}, chunk->sha256);
    if (r != 0)
        return r;
    buf_add(ret, (struct bytes){plain, chunk->size_bytes});
    return ret->failed ? ERR(-ENOMEM) : 0;
}

int store_get_manifest(struct store *store,
                       const uint8_t id[static SHA256_BYTES],
                       struct manifest *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(MANIFEST_TEXT_MAX);
    char path[PATH_MAX_BYTES];
    int r;

    manifest_path(store, id, path);
    r = read_named(path, &text);
    if (r != 0)
        return r;
    r = check_name(buf_bytes(&text), id);
    if (r != 0)
        return r;
    r = manifest_parse(buf_bytes(&text), ret);
    if (r < 0)
        return TRACE(r);
    return r == 0 ? 0 : STORE_E_CORRUPT;
}

int store_verify(struct store *store,
                 const uint8_t id[static SHA256_BYTES],
                 struct manifest_chunk *ret_bad)
{
    OWN(manifest_fini) struct manifest manifest = {0};
    OWN(buf_fini) struct buf plain = BUF_INIT(CHUNK_MAX_BYTES);
    int r = store_get_manifest(store, id, &manifest);

    *ret_bad = (struct manifest_chunk){0};
    for (size_t i = 0; r == 0 && i < manifest.n_chunks; i++) {
        r = store_get_chunk(store, &manifest.chunks[i], &plain);
        *ret_bad = manifest.chunks[i];
    }
    return r;
}
