/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "format/pack/names.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "store/check.h"
#include "store/layout.h"
#include "store/state.h"

enum {
    PACKS_PER_COMMIT = 256,
    FIRST_GONE = 256,
};

struct gone {
    uint8_t sha256[SHA256_BYTES];
    uint64_t size_bytes;
};

struct collecting {
    const char *root;
    uint64_t before_us; /* younger ones stay */
    struct names used;  /* owned; every pack that a manifest names */
    struct gone *gone;  /* owned; what is to go */
    size_t n_gone;
    size_t gone_cap;
    struct store_collection counts;
};

static void collecting_fini(struct collecting *all)
{
    names_fini(&all->used);
    free(all->gone);
}

static int read_manifest(void *ctx, const struct layout_file *file)
{
    OWN(manifest_fini) struct manifest manifest = {0};
    struct collecting *all = ctx;
    int r = check_manifest_file(all->root, file->sha256, &manifest);

    if (r == STORE_E_MISSING) /* removed since */
        return 0;
    if (r == STORE_E_CORRUPT)
        memcpy(all->counts.bad_manifest, file->sha256, SHA256_BYTES);
    for (size_t i = 0; r == 0 && i < manifest.n_packs; i++)
        r = names_put(&all->used, manifest.packs[i].sha256, 0);
    return r < 0 ? TRACE(r) : r;
}

static int add_gone(struct collecting *all, const struct layout_file *file)
{
    size_t cap = all->gone_cap > 0 ? 2 * all->gone_cap : FIRST_GONE;

    if (all->n_gone == all->gone_cap) {
        struct gone *grown = realloc(all->gone, cap * sizeof(*grown));

        if (!grown)
            return ERR(-ENOMEM);
        all->gone = grown;
        all->gone_cap = cap;
    }
    memcpy(all->gone[all->n_gone].sha256, file->sha256, SHA256_BYTES);
    all->gone[all->n_gone++].size_bytes = file->size_bytes;
    return 0;
}

static int sort_out(void *ctx, const struct layout_file *file)
{
    struct collecting *all = ctx;
    uint64_t nothing;

    if (!names_get(&all->used, file->sha256, &nothing) && file->changed_us < all->before_us)
        return TRACE(add_gone(all, file));
    all->counts.kept_packs++;
    all->counts.kept_bytes += file->size_bytes;
    return 0;
}

/* What the index says too much does no harm: an entry counts only with its pack. */
static void forget_in_index(const struct collecting *all)
{
    OWN(index_closep) struct store_index *index = NULL;
    char path[STORE_PATH_MAX];
    int r;

    recover_index_path(all->root, path);
    if (all->n_gone == 0 || index_open(path, false, &index) != 0)
        return;
    r = index_begin(index);
    for (size_t i = 0; r == 0 && i < all->n_gone; i++) {
        r = index_remove(index, all->gone[i].sha256);
        if (r == 0 && i % PACKS_PER_COMMIT == PACKS_PER_COMMIT - 1) {
            r = index_commit(index);
            r = r == 0 ? index_begin(index) : r;
        }
    }
    if (r == 0)
        (void)index_commit(index);
}

static int remove_packs(struct collecting *all)
{
    for (size_t i = 0; i < all->n_gone; i++) {
        char path[STORE_PATH_MAX];

        layout_pack(all->root, all->gone[i].sha256, path);
        if (unlink(path) != 0 && errno != ENOENT)
            return ERR(-errno);
        all->counts.removed_packs++;
        all->counts.removed_bytes += all->gone[i].size_bytes;
    }
    return 0;
}

/* Alone in the store. Return: 0, STORE_E_CORRUPT, or -errno. */
static int collect(struct collecting *all)
{
    int r = layout_clear_tmp(all->root);

    if (r == 0)
        r = layout_each_manifest(all->root, read_manifest, all);
    if (r == 0)
        r = layout_each_pack(all->root, sort_out, all);
    if (r == 0) {
        forget_in_index(all);
        r = remove_packs(all);
    }
    return r < 0 ? TRACE(r) : r;
}

int store_collect(struct store *store, uint64_t grace_us, struct store_collection *ret)
{
    OWN(fd_closep) int fd = -1;
    OWN(collecting_fini) struct collecting all = {.root = store->root};
    uint64_t now_us = clock_wall_us();
    int r;

    assert(store->lock_fd < 0);
    *ret = (struct store_collection){0};
    all.before_us = now_us > grace_us ? now_us - grace_us : 0;
    r = state_open_lock(store->root, &fd);
    if (r == 0)
        r = state_try_lock(fd, LOCK_EX);
    if (r == 0)
        r = collect(&all);
    *ret = all.counts;
    return r < 0 ? TRACE(r) : r;
}
