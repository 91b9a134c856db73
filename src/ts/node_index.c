/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/node_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/tree.h"

enum {
    FIRST_ROOM = 16,
};

int ts_node_index_add(struct ts_node_index *index, size_t group, const char *name, xmlNode *node)
{
    OWN(freep) char *own_name = ts_copy(name);

    if (index->n == index->n_max) {
        size_t n_max = index->n_max > 0 ? 2 * index->n_max : FIRST_ROOM;
        struct ts_node_entry *grown = realloc(index->entries, n_max * sizeof(*grown));

        if (!grown)
            return ERR(-ENOMEM);
        index->entries = grown;
        index->n_max = n_max;
    }
    if (!own_name)
        return ERR(-ENOMEM);
    index->entries[index->n] = (struct ts_node_entry){
        .group = group, .name = TAKE(own_name), .place = index->n, .node = node};
    index->n++;
    return 0;
}

static int compare_key(const struct ts_node_entry *entry, size_t group, const char *name)
{
    int order = (entry->group > group) - (entry->group < group);

    return order != 0 ? order : strcmp(entry->name, name);
}

static int compare(const void *a, const void *b)
{
    const struct ts_node_entry *left = a;
    const struct ts_node_entry *right = b;
    int order = compare_key(left, right->group, right->name);

    return order != 0 ? order : (left->place > right->place) - (left->place < right->place);
}

int ts_node_index_sort(struct ts_node_index *index)
{
    free(index->order);
    index->order = calloc(index->n + 1, sizeof(*index->order));
    if (!index->order)
        return ERR(-ENOMEM);
    if (index->n > 0)
        qsort(index->entries, index->n, sizeof(*index->entries), compare);
    for (size_t i = 0; i < index->n; i++)
        index->order[index->entries[i].place] = i;
    return 0;
}

int ts_node_index_add_list(struct ts_node_index *index, const xmlNode *list)
{
    for (xmlNode *node = list ? list->children : NULL; node; node = node->next) {
        OWN(freep)
        char *name = ts_node_is(node, "variable") ? ts_node_attribute(node, "name") : NULL;

        if (!ts_node_is(node, "variable"))
            continue;

        int r = name ? ts_node_index_add(index, 0, name, node) : ERR(-ENOMEM);

        if (r < 0)
            return TRACE(r);
    }
    return TRACE(ts_node_index_sort(index));
}

const struct ts_node_entry *
ts_node_index_find(const struct ts_node_index *index, size_t group, const char *name)
{
    size_t low = 0;
    size_t high = index->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_key(&index->entries[middle], group, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < index->n && compare_key(&index->entries[low], group, name) == 0
               ? &index->entries[low]
               : NULL;
}

const struct ts_node_entry *ts_node_index_twin(const struct ts_node_index *index,
                                               const struct ts_node_entry *entry,
                                               const struct ts_node_index *other)
{
    const struct ts_node_entry *first = ts_node_index_find(index, entry->group, entry->name);
    const struct ts_node_entry *twin = ts_node_index_find(other, entry->group, entry->name);
    size_t number = (size_t)(entry - first);

    if (!twin || number >= other->n - (size_t)(twin - other->entries))
        return NULL;
    return compare_key(&twin[number], entry->group, entry->name) == 0 ? &twin[number] : NULL;
}

void ts_node_index_fini(struct ts_node_index *index)
{
    for (size_t i = 0; i < index->n; i++)
        free(index->entries[i].name);
    free(index->entries);
    free(index->order);
    *index = (struct ts_node_index){0};
}
