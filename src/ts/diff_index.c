/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stdlib.h>
#include <string.h>

#include "ts/diff_parts.h"

static int compare_keys(const struct ts_diff_entry *a, const struct ts_diff_entry *b)
{
    int order = strcmp(a->item->name, b->item->name);

    if (order == 0)
        order = strcmp(a->item->type, b->item->type);
    if (order == 0)
        order = (int)a->item->is_group - (int)b->item->is_group;
    if (order == 0)
        order = (a->parent > b->parent) - (a->parent < b->parent);
    return order;
}

/* Those of one key as they stand. */
static int compare_entries(const void *a, const void *b)
{
    const struct ts_diff_entry *left = a;
    const struct ts_diff_entry *right = b;
    int order = compare_keys(left, right);

    return order != 0 ? order : (left->i > right->i) - (left->i < right->i);
}

bool ts_diff_index_make(const struct ts_side *side, bool is_by_group, struct ts_diff_index *ret)
{
    size_t n = side->tree.n;

    *ret = (struct ts_diff_index){
        .entries = calloc(n + 1, sizeof(*ret->entries)),
        .n = n,
        .match = side->match,
        .is_by_group = is_by_group,
    };
    if (!ret->entries)
        return false;
    for (size_t i = 0; i < n; i++)
        ret->entries[i] = (struct ts_diff_entry){
            .item = &side->tree.items[i],
            .parent = is_by_group ? side->tree.items[i].parent : TS_NO_ITEM,
            .i = (int)i,
        };
    qsort(ret->entries, n, sizeof(*ret->entries), compare_entries);
    for (size_t i = 0; i < n; i++)
        ret->entries[i].next = i + 1;
    return true;
}

void ts_diff_index_fini(struct ts_diff_index *index)
{
    free(index->entries);
    *index = (struct ts_diff_index){0};
}

/* The first entry that is not before @key. */
static size_t find(const struct ts_diff_index *index, const struct ts_diff_entry *key)
{
    size_t from = 0;
    size_t to = index->n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (compare_keys(&index->entries[middle], key) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static struct ts_diff_entry
key_of(const struct ts_diff_index *index, const struct ts_tree_item *wanted, int parent)
{
    return (struct ts_diff_entry){.item = wanted,
                                  .parent = index->is_by_group ? parent : TS_NO_ITEM};
}

bool ts_diff_index_has(const struct ts_diff_index *index,
                       const struct ts_tree_item *wanted,
                       int parent)
{
    const struct ts_diff_entry key = key_of(index, wanted, parent);
    size_t at = find(index, &key);

    return at < index->n && compare_keys(&index->entries[at], &key) == 0;
}

/* The first at or behind @at that has no match; those in between are not looked at again, as a match stays. */
static size_t skip_matched(struct ts_diff_index *index, size_t at)
{
    size_t found = at;

    while (found < index->n && index->match[index->entries[found].i] != TS_NO_ITEM)
        found = index->entries[found].next;
    while (at < found) {
        size_t next = index->entries[at].next;

        index->entries[at].next = found;
        at = next;
    }
    return found;
}

size_t ts_diff_index_left(struct ts_diff_index *index,
                          const struct ts_tree_item *wanted,
                          int parent,
                          size_t behind)
{
    const struct ts_diff_entry key = key_of(index, wanted, parent);
    size_t at = skip_matched(index, behind == TS_DIFF_NO_ENTRY ? find(index, &key) : behind + 1);

    return at < index->n && compare_keys(&index->entries[at], &key) == 0 ? at : TS_DIFF_NO_ENTRY;
}
