/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/diff_parts.h"
#include "ts/document.h"

enum {
    RENAMED_PAIRS_MAX = 2500,
    TWIN_LOOKS_MAX = 2500, /* in one group */
};

static bool is_same_kind(const struct ts_tree_item *a, const struct ts_tree_item *b)
{
    return a->is_group == b->is_group && strcmp(a->type, b->type) == 0;
}

static void pair(struct ts_comparison *c, int before, int after)
{
    c->before.match[before] = after;
    c->after.match[after] = before;
}

void ts_diff_put_settings(const xmlNode *node, struct buf *ret)
{
    for (const xmlAttr *a = node->properties; a; a = a->next) {
        OWN(freep) char *text = NULL;

        if (strcmp((const char *)a->name, "name") == 0)
            continue;
        text = ts_node_attribute(node, (const char *)a->name);
        buf_addf(ret, "%s=", (const char *)a->name);
        buf_adds(ret, text ? text : "");
        buf_adds(ret, "\n");
    }
    for (xmlNode *child = ts_node_element(node->children); child;
         child = ts_node_element(child->next)) {
        xmlBuffer *dump = ts_node_is_item(child) ? NULL : xmlBufferCreate();

        if (dump && xmlNodeDump(dump, child->doc, child, 0, 0) > 0)
            buf_adds(ret, (const char *)xmlBufferContent(dump));
        xmlBufferFree(dump);
    }
}

static bool has_same_settings(const xmlNode *a, const xmlNode *b)
{
    OWN(buf_fini) struct buf x = BUF_INIT(4 * (size_t)TS_XML_MAX_BYTES);
    OWN(buf_fini) struct buf y = BUF_INIT(4 * (size_t)TS_XML_MAX_BYTES);

    ts_diff_put_settings(a, &x);
    ts_diff_put_settings(b, &y);
    return !x.failed && !y.failed && strcmp(buf_str(&x), buf_str(&y)) == 0;
}

/* What the two sides are matched with. */
struct matching {
    struct ts_comparison *c;
    struct ts_diff_index before;   /* anywhere */
    struct ts_diff_index after;    /* anywhere */
    struct ts_diff_index in_group; /* of the new one */
};

static void matching_fini(struct matching *m)
{
    ts_diff_index_fini(&m->before);
    ts_diff_index_fini(&m->after);
    ts_diff_index_fini(&m->in_group);
}

/**
 * find_twin() - first unmatched item of @index with the name of @wanted
 * @parent: in which it is, if that counts there
 * @n_left: only one with the same settings, and so many looks at them; NULL: whatever they are
 */
static int
find_twin(struct ts_diff_index *index, const struct ts_tree_item *wanted, int parent, int *n_left)
{
    size_t at = ts_diff_index_left(index, wanted, parent, TS_DIFF_NO_ENTRY);

    for (; at != TS_DIFF_NO_ENTRY; at = ts_diff_index_left(index, wanted, parent, at)) {
        const struct ts_diff_entry *entry = &index->entries[at];

        if (!n_left)
            return entry->i;
        if ((*n_left)-- <= 0)
            return TS_NO_ITEM;
        if (has_same_settings(entry->item->node, wanted->node))
            return entry->i;
    }
    return TS_NO_ITEM;
}

static size_t count_common_children(const struct matching *m, int before, int after, size_t *ret_n)
{
    const struct ts_tree *tree = &m->c->before.tree;
    size_t n_common = 0;

    *ret_n = 0;
    for (int i = before + 1; i < ts_tree_end(tree, before); i = tree->items[i].end) {
        ++*ret_n;
        n_common += ts_diff_index_has(&m->in_group, &tree->items[i], after);
    }
    return n_common;
}

/* Whether the two, whose names differ, are the same with another name. */
static bool is_renamed(const struct matching *m, int before, int after)
{
    const struct ts_comparison *c = m->c;
    const struct ts_tree_item *a = &c->before.tree.items[before];
    const struct ts_tree_item *b = &c->after.tree.items[after];
    size_t n;

    if (!is_same_kind(a, b))
        return false;
    if (a->is_group) {
        size_t n_common = count_common_children(m, before, after, &n);

        return n > 0 && 2 * n_common >= n;
    }
    return has_same_settings(a->node, b->node);
}

/* @n_left: as of find_twin() */
static void match_names(struct matching *m, int before, int after, int *n_left)
{
    const struct ts_tree *tree = &m->c->before.tree;

    for (int i = before + 1; i < ts_tree_end(tree, before); i = tree->items[i].end) {
        int twin = TS_NO_ITEM;

        if (m->c->before.match[i] == TS_NO_ITEM)
            twin = find_twin(&m->in_group, &tree->items[i], after, n_left);
        if (twin != TS_NO_ITEM)
            pair(m->c, i, twin);
    }
}

static size_t count_unmatched(const struct ts_side *side, int parent)
{
    const struct ts_tree *tree = &side->tree;
    size_t n = 0;

    for (int i = parent + 1; i < ts_tree_end(tree, parent); i = tree->items[i].end)
        n += side->match[i] == TS_NO_ITEM;
    return n;
}

/* What @before is called now in the group @after. */
static void match_renamed_one(struct matching *m, int before, int after)
{
    const struct ts_comparison *c = m->c;
    const struct ts_tree *tree = &c->after.tree;

    for (int k = after + 1; k < ts_tree_end(tree, after); k = tree->items[k].end) {
        if (c->after.match[k] != TS_NO_ITEM ||
            find_twin(&m->before, &tree->items[k], TS_NO_ITEM, NULL) != TS_NO_ITEM ||
            !is_renamed(m, before, k))
            continue;
        pair(m->c, before, k);
        return;
    }
}

static void match_renamed(struct matching *m, int before, int after)
{
    const struct ts_comparison *c = m->c;
    const struct ts_tree *tree = &c->before.tree;

    if (count_unmatched(&c->before, before) * count_unmatched(&c->after, after) > RENAMED_PAIRS_MAX)
        return; /* another sequence, and not worth the time */
    for (int i = before + 1; i < ts_tree_end(tree, before); i = tree->items[i].end) {
        if (c->before.match[i] != TS_NO_ITEM ||
            find_twin(&m->after, &tree->items[i], TS_NO_ITEM, NULL) != TS_NO_ITEM)
            continue; /* it may have moved: a name is worth more than settings */
        match_renamed_one(m, i, after);
    }
}

/* What is in two groups that are the same. The depth is bounded by TS_XML_MAX_DEPTH. */
static void match_within(struct matching *m, int before, int after)
{
    const struct ts_tree *tree = &m->c->before.tree;
    int n_left = TWIN_LOOKS_MAX;

    ts_diff_align(m->c, before, after, true);
    match_names(m, before, after, &n_left); /* of several with one name, those that are the same */
    ts_diff_align(m->c, before, after, false);
    match_names(m, before, after, NULL);
    match_renamed(m, before, after);
    for (int i = before + 1; i < ts_tree_end(tree, before); i = tree->items[i].end)
        if (tree->items[i].is_group && m->c->before.match[i] != TS_NO_ITEM)
            match_within(m, i, m->c->before.match[i]);
}

static void match_moved(struct matching *m)
{
    const struct ts_tree *tree = &m->c->before.tree;
    int n_left = TWIN_LOOKS_MAX;

    for (int i = 0; i < (int)tree->n; i++) {
        int twin;

        if (m->c->before.match[i] != TS_NO_ITEM)
            continue;
        twin = find_twin(&m->after, &tree->items[i], TS_NO_ITEM, &n_left);
        if (twin == TS_NO_ITEM)
            twin = find_twin(&m->after, &tree->items[i], TS_NO_ITEM, NULL);
        if (twin == TS_NO_ITEM)
            continue;
        pair(m->c, i, twin);
        if (tree->items[i].is_group)
            match_within(m, i, twin);
    }
}

/* The item before @i in its group; TS_NO_ITEM if it is the first. */
static int find_previous(const struct ts_tree *tree, int i)
{
    int parent = tree->items[i].parent;

    for (int k = i - 1; k > parent; k--)
        if (tree->items[k].parent == parent)
            return k;
    return TS_NO_ITEM;
}

/* Whether the items before both of them are the same one. */
static bool is_same_place(const struct ts_comparison *c, int before, int after)
{
    int a = find_previous(&c->before.tree, before);
    int b = find_previous(&c->after.tree, after);

    return a == TS_NO_ITEM || b == TS_NO_ITEM ? a == b : c->before.match[a] == b;
}

/* 2: more than one. */
static size_t count_of_kind(const struct ts_side *side, int parent, const struct ts_tree_item *like)
{
    const struct ts_tree *tree = &side->tree;
    size_t n = 0;

    for (int i = parent + 1; i < ts_tree_end(tree, parent) && n < 2; i = tree->items[i].end)
        n += side->match[i] == TS_NO_ITEM && is_same_kind(&tree->items[i], like);
    return n;
}

/* A step with another name and other settings is still the same if it is where the old one was, and the only one of its
   type in the group that is left over on either side. */
static void match_changed(struct ts_comparison *c)
{
    for (int i = 0; i < (int)c->before.tree.n; i++) {
        const struct ts_tree_item *item = &c->before.tree.items[i];
        int parent = item->parent == TS_NO_ITEM ? TS_NO_ITEM : c->before.match[item->parent];

        if (c->before.match[i] != TS_NO_ITEM || item->is_group || item->type[0] == '\0' ||
            (item->parent != TS_NO_ITEM && parent == TS_NO_ITEM) ||
            count_of_kind(&c->before, item->parent, item) != 1 ||
            count_of_kind(&c->after, parent, item) != 1)
            continue;
        for (int k = parent + 1; k < ts_tree_end(&c->after.tree, parent);
             k = c->after.tree.items[k].end)
            if (c->after.match[k] == TS_NO_ITEM && is_same_kind(&c->after.tree.items[k], item) &&
                is_same_place(c, i, k))
                pair(c, i, k);
    }
}

static int *no_matches(size_t n)
{
    int *match = malloc((n + 1) * sizeof(*match));

    for (size_t i = 0; match && i < n; i++)
        match[i] = TS_NO_ITEM;
    return match;
}

int ts_diff_match(struct ts_comparison *c)
{
    OWN(matching_fini) struct matching m = {.c = c};

    c->before.match = no_matches(c->before.tree.n);
    c->after.match = no_matches(c->after.tree.n);
    if (!c->before.match || !c->after.match || !ts_diff_index_make(&c->before, false, &m.before) ||
        !ts_diff_index_make(&c->after, false, &m.after) ||
        !ts_diff_index_make(&c->after, true, &m.in_group))
        return ERR(-ENOMEM);
    match_within(&m, TS_NO_ITEM, TS_NO_ITEM);
    match_moved(&m);
    match_changed(c);
    return 0;
}
