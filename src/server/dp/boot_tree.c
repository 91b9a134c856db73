/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/boot_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "server/dp/worker.h"
#include "store/store.h"

enum {
    PIECE_BYTES = 256 * 1024,
    FILE_MODE = 0644,
    FOLDER_MODE = 0755,
};

/* The stream of the content on its way into the files. */
struct laying {
    const char *folder;              /* where they are written */
    struct manifest manifest;        /* owned */
    size_t i;                        /* the entry that is written */
    int fd;                          /* owned; its file; -1: none is open */
    uint64_t left_bytes;             /* of it */
    struct digest *digest;           /* owned */
    uint8_t (*sha256)[SHA256_BYTES]; /* owned; of each entry */
    int error;                       /* -errno */
    struct buf *why;
};

static void laying_fini(struct laying *laying)
{
    manifest_fini(&laying->manifest);
    fd_closep(&laying->fd);
    digest_free(laying->digest);
    free(laying->sha256);
}

static bool put_path(char dst[static PATH_MAX], const char *folder, const char *name)
{
    int n = snprintf(dst, PATH_MAX, "%s/%s", folder, name);

    return n > 0 && n < PATH_MAX;
}

/* Behind a file's last byte: it is durable, and its hash is known. */
static int end_file(struct laying *laying)
{
    int r;

    if (fsync(laying->fd) < 0)
        return ERR(-errno);
    (void)posix_fadvise(
        laying->fd, 0, 0, POSIX_FADV_DONTNEED); /* what is checked comes from the disk */
    fd_closep(&laying->fd);
    r = digest_end(laying->digest, laying->sha256[laying->i]);
    laying->i++;
    return TRACE(r);
}

/* Make what comes before the next byte: folders, and the file that it belongs to, or empty ones. */
static int begin_files(struct laying *laying)
{
    while (laying->i < laying->manifest.n_entries && laying->fd < 0) {
        const struct manifest_entry *entry = &laying->manifest.entries[laying->i];
        char path[PATH_MAX];

        if (!put_path(path, laying->folder, entry->path))
            return ERR(-ENAMETOOLONG);
        if (entry->kind == MANIFEST_FOLDER) {
            if (mkdir(path, FOLDER_MODE) != 0)
                return ERR(-errno);
            laying->i++;
            continue;
        }
        laying->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
        if (laying->fd < 0)
            return ERR(-errno);
        laying->left_bytes = entry->size_bytes;
        if (laying->left_bytes > 0)
            return 0;

        int r = end_file(laying);

        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

static int write_piece(struct laying *laying, struct bytes piece)
{
    while (piece.len > 0) {
        int r = begin_files(laying);
        struct bytes part = piece;

        if (r < 0)
            return TRACE(r);
        if (laying->fd < 0)
            return ERR(-EBADMSG); /* more bytes than files */
        if (part.len > laying->left_bytes)
            part.len = (size_t)laying->left_bytes;
        r = fd_write_all(laying->fd, part);
        if (r == 0)
            r = digest_add(laying->digest, part);
        if (r < 0)
            return TRACE(r);
        laying->left_bytes -= part.len;
        piece.ptr += part.len;
        piece.len -= part.len;
        r = laying->left_bytes == 0 ? end_file(laying) : 0;
        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

static int feed(void *ctx, struct bytes piece)
{
    struct laying *laying = ctx;

    laying->error = write_piece(laying, piece);
    return laying->error < 0 ? 1 : 0;
}

/* Return: whether the file at @path has that hash; or -errno. */
static int has_hash(struct digest *digest, const char *path, const uint8_t *sha256)
{
    OWN(fd_closep) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    OWN(freep) uint8_t *piece = malloc(PIECE_BYTES);
    uint8_t is[SHA256_BYTES];
    ssize_t n = 1;
    int r = 0;

    if (fd < 0)
        return ERR(-errno);
    if (!piece)
        return ERR(-ENOMEM);
    while (n > 0 && r == 0) {
        n = read(fd, piece, PIECE_BYTES);
        if (n < 0)
            return ERR(-errno);
        r = digest_add(digest, (struct bytes){piece, (size_t)n});
    }
    if (r == 0)
        r = digest_end(digest, is);
    if (r < 0)
        return TRACE(r);
    return memcmp(is, sha256, sizeof(is)) == 0;
}

static int check_files(const struct laying *laying)
{
    for (size_t i = 0; i < laying->manifest.n_entries; i++) {
        const struct manifest_entry *entry = &laying->manifest.entries[i];
        char path[PATH_MAX];
        int r;

        if (!put_path(path, laying->folder, entry->path))
            return ERR(-ENAMETOOLONG);
        if (entry->kind == MANIFEST_FOLDER) {
            r = dir_sync(path);
            if (r < 0)
                return TRACE(r);
            continue;
        }
        r = has_hash(laying->digest, path, laying->sha256[i]);
        if (r < 0)
            return TRACE(r);
        if (r == 0) {
            buf_addf(laying->why,
                     "the file %s is not what was written: the disk does not keep what it is given",
                     entry->path);
            return BOOT_TREE_E_CONTENT;
        }
    }
    return 0;
}

/* Boot images have no links, and a manifest that has one is not served as files. */
static int load(struct laying *laying, struct store *store, const uint8_t *id)
{
    int r = store_get_manifest(store, id, &laying->manifest);

    if (r < 0)
        return TRACE(r);
    if (r > 0 || laying->manifest.kind != MANIFEST_TREE) {
        buf_adds(laying->why, "its manifest is missing, damaged, or not of a folder");
        return BOOT_TREE_E_CONTENT;
    }
    for (size_t i = 0; i < laying->manifest.n_entries; i++)
        if (laying->manifest.entries[i].kind == MANIFEST_LINK ||
            laying->manifest.entries[i].path[0] == '.') {
            buf_addf(laying->why, "a boot image has no %s", laying->manifest.entries[i].path);
            return BOOT_TREE_E_CONTENT;
        }
    laying->sha256 = calloc(laying->manifest.n_entries + 1, sizeof(*laying->sha256));
    if (!laying->sha256)
        return ERR(-ENOMEM);
    return TRACE(digest_new(&laying->digest));
}

static int outcome_of(const struct laying *laying, int r)
{
    if (r == -ENOSPC || r == -EDQUOT) {
        buf_adds(laying->why, "there is no space left");
        return BOOT_TREE_E_FULL;
    }
    return TRACE(r);
}

static int
write_files(struct laying *laying, struct store *store, const uint8_t id[static SHA256_BYTES])
{
    const struct store_sink sink = {feed, laying};
    int r = store_read_stream(store, id, &sink);

    if (r == STORE_E_STOPPED)
        return TRACE(outcome_of(laying, laying->error));
    if (r > 0) {
        buf_adds(laying->why, "a pack of it is missing or damaged");
        return BOOT_TREE_E_CONTENT;
    }
    if (r == 0)
        r = begin_files(laying); /* what is empty and comes last */
    if (r == 0)
        r = check_files(laying);
    if (r == 0)
        r = dir_sync(laying->folder);
    return r > 0 ? r : TRACE(outcome_of(laying, r));
}

/* New and old change places in one step, so that there is always one of them; then the old one goes. */
static int give_place(const char *staging, const char *parent, const char *place)
{
    int r;

    if (renameat2(AT_FDCWD, staging, AT_FDCWD, place, RENAME_EXCHANGE) < 0) {
        if (errno != ENOENT)
            return ERR(-errno);
        if (rename(staging, place) < 0)
            return ERR(-errno);
    }
    r = dir_sync(parent);
    if (r < 0)
        return TRACE(r);
    return file_exists(staging) ? TRACE(dir_remove(staging)) : 0;
}

static bool
put_places(const struct boot_tree *tree, char parent[static PATH_MAX], char place[static PATH_MAX])
{
    char folder[PATH_MAX];

    return put_path(folder, tree->state_folder, "dp/boot") &&
           put_path(parent, folder, tree->package_id) && put_path(place, parent, tree->arch);
}

int boot_tree_lay_out(const struct boot_tree *tree,
                      struct store *store,
                      const uint8_t id[static SHA256_BYTES],
                      struct buf *why)
{
    char staging[PATH_MAX];
    char parent[PATH_MAX];
    char place[PATH_MAX];
    OWN(laying_fini) struct laying laying = {.folder = staging, .fd = -1, .why = why};
    char folder[PATH_MAX];
    int r = load(&laying, store, id);

    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    /* one for each package, so that two jobs do not meet; the role empties the folder around it */
    if (!put_places(tree, parent, place) ||
        !put_path(folder, tree->state_folder, WORKER_BUILD_FOLDER) ||
        !put_path(staging, folder, tree->package_id))
        return ERR(-ENAMETOOLONG);
    r = file_exists(staging) ? dir_remove(staging) : 0;
    if (r == 0)
        r = dir_make(staging, FOLDER_MODE);
    if (r == 0)
        r = dir_make(parent, FOLDER_MODE);
    if (r == 0)
        r = write_files(&laying, store, id);
    if (r == 0)
        r = give_place(staging, parent, place);
    if (r != 0 && file_exists(staging))
        (void)dir_remove(staging);
    return r < 0 ? TRACE(r) : r;
}

int boot_tree_remove(const struct boot_tree *tree)
{
    char parent[PATH_MAX];
    char place[PATH_MAX];
    int r;

    if (!put_places(tree, parent, place))
        return ERR(-ENAMETOOLONG);
    r = file_exists(place) ? dir_remove(place) : 0;
    if (r < 0)
        return TRACE(r);
    (void)rmdir(parent); /* if that was the last */
    return 0;
}
