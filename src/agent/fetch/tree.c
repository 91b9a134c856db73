/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A folder from a distribution point
 *
 * It is written beside its place, to TARGET.part, and renamed when all of it is on the disk. From time to
 * time what is written is made durable and TARGET.progress says how many entries that are, so that a
 * download that was cut off goes on from there.
 */

#include "agent/fetch/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/fetch/fetch.h"
#include "agent/fetch/tree_write.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    PATH_MAX_BYTES = 4096,
    PART_MODE = 0700,
    PROGRESS_MODE = 0600,
    PROGRESS_MAX_BYTES = 256,
    MIB = 1024 * 1024,
};

#define KEEP_EVERY_BYTES ((uint64_t)64 * 1024 * 1024)

struct tree {
    struct transfer *transfer;
    const struct manifest *manifest;
    char id[SHA256_TEXT_MAX];
    const char *target;
    char part[PATH_MAX_BYTES];
    char progress[PATH_MAX_BYTES];
    int root; /* owned; of the part */
    struct tree_writer writer;
    struct manifest_run *runs; /* owned; what is missing */
    size_t n_runs;
    uint64_t unkept_bytes; /* written since the last time it was made durable */
    int outcome;           /* of the function that takes runs */
};

static void tree_fini(struct tree *t)
{
    tree_writer_fini(&t->writer);
    free(t->runs);
    fd_closep(&t->root);
}

static int name_all(struct tree *t)
{
    int n = snprintf(t->part, sizeof(t->part), "%s.part", t->target);
    int k = snprintf(t->progress, sizeof(t->progress), "%s.progress", t->target);

    if (n < 0 || k < 0 || (size_t)n >= sizeof(t->part) || (size_t)k >= sizeof(t->progress))
        return ERR(-ENAMETOOLONG);
    return 0;
}

/* How many entries were there when it was cut off. 0: none, or it was another content. */
static int read_progress(const struct tree *t, size_t *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(PROGRESS_MAX_BYTES);
    int r = file_read(t->progress, &text);
    size_t id_len = strlen(t->id);
    struct bytes src = buf_bytes(&text);
    uint64_t n = 0;

    *ret = 0;
    if (r < 0)
        return TRACE(r);
    if (r == 0 && src.len > id_len + 2 && memcmp(src.ptr, t->id, id_len) == 0 &&
        bytes_parse_u64((struct bytes){src.ptr + id_len + 1, src.len - id_len - 2},
                        0,
                        t->manifest->n_entries,
                        &n))
        *ret = (size_t)n;
    return 0;
}

/* What is complete is durable from now on. */
static int keep_progress(struct tree *t)
{
    OWN(buf_fini) struct buf text = BUF_INIT(PROGRESS_MAX_BYTES);

    t->unkept_bytes = 0;
    if (syncfs(t->root) < 0)
        return errno == ENOSPC || errno == EDQUOT ? TREE_E_FULL : ERR(-errno);
    buf_addf(&text, "%s %zu\n", t->id, t->writer.n_done);
    if (text.failed)
        return ERR(-ENOMEM);

    int r = file_write_if_room(t->progress, buf_bytes(&text), PROGRESS_MODE);

    return r == FILE_E_FULL ? TREE_E_FULL : TRACE(r);
}

static int open_part(struct tree *t)
{
    size_t n_done;
    int r = read_progress(t, &n_done);

    if (r == 0 && n_done == 0 && file_exists(t->part))
        r = dir_remove(t->part);
    if (r == 0)
        r = dir_make(t->part, PART_MODE);
    if (r < 0)
        return TRACE(r);
    t->root = open(t->part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (t->root < 0)
        return ERR(-errno);
    n_done = tree_count_good(t->manifest, t->root, n_done, false);
    tree_writer_init(&t->writer, t->manifest, t->root, n_done);
    return 0;
}

static int check_room(const struct tree *t)
{
    uint64_t need = tree_disk_bytes(t->manifest, t->writer.n_done);
    struct statvfs st;

    if (fstatvfs(t->root, &st) < 0)
        return ERR(-errno);
    if (st.f_bavail * st.f_frsize >= need)
        return 0;
    transfer_why(t->transfer,
                 "%s needs %" PRIu64 " MiB, and %" PRIu64 " MiB are free",
                 t->target,
                 need / MIB + 1,
                 (uint64_t)(st.f_bavail * st.f_frsize) / MIB);
    return FETCH_E_FULL;
}

/* The runs without the bytes of what is there. */
static int find_missing(struct tree *t)
{
    uint64_t there = 0;
    size_t first = 0;

    for (size_t i = 0; i < t->writer.n_done; i++)
        there += t->manifest->entries[i].size_bytes;
    transfer_set_total(t->transfer, t->manifest->size_bytes);
    transfer_add_done(t->transfer, there);
    while (first < t->manifest->n_runs && there >= t->manifest->runs[first].size_bytes)
        there -= t->manifest->runs[first++].size_bytes;
    t->n_runs = t->manifest->n_runs - first;
    t->runs = calloc(t->n_runs + 1, sizeof(*t->runs));
    if (!t->runs)
        return ERR(-ENOMEM);
    if (t->n_runs == 0)
        return 0;
    memcpy(t->runs, t->manifest->runs + first, t->n_runs * sizeof(*t->runs));
    t->runs[0].offset += (uint32_t)there;
    t->runs[0].size_bytes -= (uint32_t)there;
    return 0;
}

static int take_run(void *ctx, const struct transfer_piece *piece)
{
    struct tree *t = ctx;
    int r = tree_writer_feed(&t->writer, piece->plain);

    t->unkept_bytes += piece->plain.len;
    if (r == 0 && t->unkept_bytes >= KEEP_EVERY_BYTES)
        r = keep_progress(t);
    t->outcome = r;
    return TRACE(r);
}

static int full(struct tree *t)
{
    transfer_why(t->transfer, "the disk was full while %s was written", t->target);
    return FETCH_E_FULL;
}

static int load(struct tree *t)
{
    struct transfer_job job = {.packs = t->manifest->packs,
                               .n_packs = t->manifest->n_packs,
                               .runs = t->runs,
                               .n_runs = t->n_runs,
                               .take = take_run,
                               .ctx = t};
    int r = transfer_packs(t->transfer, &job);

    if (r == TRANSFER_E_CONSUMER && t->outcome == TREE_E_FULL)
        return full(t);
    if (r != 0 && t->writer.n_done > 0)
        (void)keep_progress(t); /* as far as it came */
    return TRACE(r);
}

/* The parent of the target, so that the rename is durable. */
static int sync_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    OWN(freep) char *folder = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");

    if (!folder)
        return ERR(-ENOMEM);
    return TRACE(dir_sync(folder[0] != '\0' ? folder : "/"));
}

static int publish(struct tree *t)
{
    if (syncfs(t->root) < 0)
        return errno == ENOSPC || errno == EDQUOT ? full(t) : ERR(-errno);
    if (renameat2(AT_FDCWD, t->part, AT_FDCWD, t->target, RENAME_NOREPLACE) < 0)
        return ERR(-errno);
    if (unlink(t->progress) < 0 && errno != ENOENT)
        return ERR(-errno);
    return TRACE(sync_parent(t->target));
}

int tree_fetch(struct transfer *transfer,
               const struct manifest *manifest,
               const uint8_t id[static SHA256_BYTES],
               const char *target)
{
    OWN(tree_fini)
    struct tree t = {.transfer = transfer,
                     .manifest = manifest,
                     .target = target,
                     .root = -1,
                     .writer = {.fd = -1}};
    int r;

    hex_put(t.id, (struct bytes){id, SHA256_BYTES});
    if (manifest->kind != MANIFEST_TREE) {
        transfer_why(transfer, "manifest %s is not that of a folder", t.id);
        return TRANSFER_E_CONTENT;
    }
    r = name_all(&t);
    if (r == 0)
        r = open_part(&t);
    if (r == 0)
        r = check_room(&t);
    if (r == 0)
        r = find_missing(&t);
    if (r == 0)
        r = load(&t);
    if (r != 0)
        return TRACE(r);
    r = tree_writer_end(&t.writer);
    if (r != 0)
        return r < 0 ? TRACE(r) : full(&t);
    return TRACE(publish(&t));
}

int fetch_tree(const struct transfer_options *options,
               const uint8_t manifest[static SHA256_BYTES],
               const char *target,
               struct transfer_report *ret)
{
    OWN(transfer_freep) struct transfer *transfer = NULL;
    OWN(manifest_fini) struct manifest parsed = {0};
    int r = transfer_new(options, ret, &transfer);

    if (r < 0)
        return TRACE(r);
    r = transfer_get_manifest(transfer, manifest, &parsed);
    if (r == 0)
        r = tree_fetch(transfer, &parsed, manifest, target);
    return TRACE(r);
}
