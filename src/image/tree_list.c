/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/tree_list.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"

enum {
    FIRST_CAP = 256,
    PERCENT_WHOLE = 100,
};

void tree_list_fini(struct tree_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->items[i].entry.path);
        free(list->items[i].entry.target);
    }
    free(list->items);
    *list = (struct tree_list){0};
}

int tree_refuse(struct buf *why, const char *path, const char *what)
{
    buf_addf(why, "%s: %s", path, what);
    return TREE_E_REFUSED;
}

static int grow(struct tree_list *list)
{
    size_t cap = list->cap > 0 ? list->cap * 2 : FIRST_CAP;
    struct tree_item *items;

    if (list->n < list->cap)
        return 0;
    items = reallocarray(list->items, cap, sizeof(*items));
    if (!items)
        return ERR(-ENOMEM);
    list->items = items;
    list->cap = cap;
    return 0;
}

/* Return: 0, TREE_E_REFUSED, or -ENOMEM. */
static int join(const char *folder, const char *name, char **ret, struct buf *why)
{
    OWN(buf_fini) struct buf path = BUF_INIT(MANIFEST_PATH_MAX_BYTES);

    buf_adds(&path, folder);
    buf_adds(&path, folder[0] != '\0' ? "/" : "");
    buf_adds(&path, name);
    if (folder[0] == '\0' && name[0] == '\0')
        return tree_refuse(why, "/", "it holds something that has no name");
    if (path.failed)
        return tree_refuse(
            why, folder, "it holds a path that is too long (4096 bytes are allowed)");
    if (strchr(name, '/') || !manifest_path_is_valid(buf_str(&path)))
        return tree_refuse(why,
                           folder[0] != '\0' ? folder : "/",
                           "it holds a name that is no valid UTF-8, or none at all");
    *ret = buf_take(&path);
    return *ret ? 0 : ERR(-ENOMEM);
}

int tree_list_add(struct tree_list *list,
                  const struct tree_item *item,
                  const char *folder,
                  const char *name,
                  const char *target,
                  struct buf *why)
{
    OWN(freep) char *path = NULL;
    OWN(freep) char *target_copy = target ? strdup(target) : NULL;
    uint64_t sum;
    int r = join(folder, name, &path, why);

    if (r != 0)
        return TRACE(r);
    if (target && !target_copy)
        return ERR(-ENOMEM);
    if (list->n >= MANIFEST_MAX_ENTRIES)
        return tree_refuse(why, path, "there are more than 4194304 files and folders");
    if (__builtin_add_overflow(list->size_bytes, item->entry.size_bytes, &sum) ||
        sum > MANIFEST_MAX_BYTES)
        return tree_refuse(why, path, "the files are larger than 16 TiB together");
    r = grow(list);
    if (r < 0)
        return TRACE(r);
    list->size_bytes = sum;
    list->items[list->n] = *item;
    list->items[list->n].entry.path = TAKE(path);
    list->items[list->n].entry.target = TAKE(target_copy);
    list->n++;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct tree_item *left = a;
    const struct tree_item *right = b;

    return strcmp(left->entry.path, right->entry.path); /* as unsigned bytes */
}

int tree_list_sort(struct tree_list *list, struct buf *why)
{
    if (list->n > 0)
        qsort(list->items, list->n, sizeof(*list->items), compare);
    for (size_t i = 1; i < list->n; i++)
        if (compare(&list->items[i - 1], &list->items[i]) == 0)
            return tree_refuse(why, list->items[i].entry.path, "it is there twice");
    return 0;
}

static int compare_path(const void *path, const void *item)
{
    return strcmp(path, ((const struct tree_item *)item)->entry.path);
}

struct tree_item *tree_list_find(const struct tree_list *list, const char *path)
{
    if (list->n == 0)
        return NULL;
    return bsearch(path, list->items, list->n, sizeof(*list->items), compare_path);
}

int tree_list_feed(struct tree_list *list, const struct tree_sink *sink, struct bytes piece)
{
    unsigned percent = PERCENT_WHOLE;

    list->fed_bytes += piece.len;
    if (list->fed_bytes < list->size_bytes)
        percent = (unsigned)(list->fed_bytes * PERCENT_WHOLE / list->size_bytes);
    return sink->feed(sink->ctx, piece, percent) == 0 ? 0 : TREE_E_CANCELLED;
}
