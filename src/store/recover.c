/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "store/check.h"
#include "store/index.h"
#include "store/layout.h"
#include "store/state.h"

enum {
    PACKS_PER_COMMIT = 256,
};

struct recovering {
    const char *root;
    struct store_index *index;
    struct manifest_pack *known; /* owned; by the index, sorted */
    bool *is_there;              /* owned; one for each */
    size_t n_known;
    unsigned n_changed; /* since the last commit */
};

static void recovering_fini(struct recovering *all)
{
    free(all->known);
    free(all->is_there);
    index_close(all->index);
}

void recover_index_path(const char *root, char ret[static STORE_PATH_MAX])
{
    layout_path(root, "index.db", ret);
}

static int compare_names(const void *key, const void *item)
{
    const struct manifest_pack *pack = item;

    return memcmp(key, pack->sha256, SHA256_BYTES);
}

/* Return: 0, or INDEX_E_UNUSABLE. */
static int commit_some(struct recovering *all)
{
    int r;

    if (++all->n_changed < PACKS_PER_COMMIT)
        return 0;
    all->n_changed = 0;
    r = index_commit(all->index);
    return r == 0 ? index_begin(all->index) : r;
}

/* A pack that the index does not know. One that is bad is left to whoever validates it. */
static int learn(struct recovering *all, const uint8_t *sha256)
{
    OWN(pack_fini) struct pack table = {0};
    struct manifest_pack pack;
    int r = check_any_pack_file(all->root, sha256, &pack, &table);

    if (r < 0)
        return INDEX_E_UNUSABLE;
    if (r != 0)
        return 0;
    r = index_add(all->index, &pack, &table);
    return r == 0 ? commit_some(all) : r;
}

static int visit(void *ctx, const struct layout_file *file)
{
    struct recovering *all = ctx;
    const struct manifest_pack *known =
        all->n_known > 0
            ? bsearch(file->sha256, all->known, all->n_known, sizeof(*all->known), compare_names)
            : NULL;

    if (known)
        all->is_there[known - all->known] = true;
    return known && known->stored_bytes == file->size_bytes ? 0 : learn(all, file->sha256);
}

static int forget_what_is_gone(struct recovering *all)
{
    for (size_t i = 0; i < all->n_known; i++) {
        int r;

        if (all->is_there[i])
            continue;
        r = index_remove(all->index, all->known[i].sha256);
        if (r == 0)
            r = commit_some(all);
        if (r != 0)
            return r;
    }
    return 0;
}

void recover_index(const char *root)
{
    OWN(recovering_fini) struct recovering all = {.root = root};
    char path[STORE_PATH_MAX];

    recover_index_path(root, path);
    if (index_open(path, true, &all.index) != 0 ||
        index_list(all.index, &all.known, &all.n_known) != 0)
        return;
    all.is_there = calloc(all.n_known > 0 ? all.n_known : 1, sizeof(*all.is_there));
    if (!all.is_there || index_begin(all.index) != 0)
        return;
    if (layout_each_pack(root, visit, &all) == 0 && forget_what_is_gone(&all) == 0)
        (void)index_commit(all.index);
}
