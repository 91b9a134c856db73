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

/**
 * find_twin() - first unmatched item with the name of @wanted in @side
 * @parent: in which it is, unless it is @is_anywhere
 * @n_left: only one with the same settings, and so many looks at them; NULL: whatever they are
 */
static int find_twin(const struct ts_side *side,
                     const struct ts_tree_item *wanted,
                     int parent,
                     bool is_anywhere,
                     int *n_left)
{
    for (int i = is_anywhere ? 0 : parent + 1; i < (int)side->tree.n; i++) {
        const struct ts_tree_item *item = &side->tree.items[i];

        if (side->match[i] != TS_NO_ITEM || (!is_anywhere && item->parent != parent) ||
            !is_same_kind(item, wanted) || strcmp(item->name, wanted->name) != 0)
            continue;
        if (!n_left)
            return i;
        if ((*n_left)-- <= 0)
            return TS_NO_ITEM;
        if (has_same_settings(item->node, wanted->node))
            return i;
    }
    return TS_NO_ITEM;
}

static size_t
count_common_children(const struct ts_comparison *c, int before, int after, size_t *ret_n)
{
    size_t n_common = 0;

    *ret_n = 0;
    for (int i = before + 1; i < (int)c->before.tree.n; i++) {
        const struct ts_tree_item *a = &c->before.tree.items[i];

        if (a->parent != before)
            continue;
        ++*ret_n;
        for (int k = after + 1; k < (int)c->after.tree.n; k++) {
            const struct ts_tree_item *b = &c->after.tree.items[k];

            if (b->parent == after && is_same_kind(a, b) && strcmp(a->name, b->name) == 0) {
                n_common++;
                break;
            }
        }
    }
    return n_common;
}

/* Whether the two, whose names differ, are the same with another name. */
static bool is_renamed(const struct ts_comparison *c, int before, int after)
{
    const struct ts_tree_item *a = &c->before.tree.items[before];
    const struct ts_tree_item *b = &c->after.tree.items[after];
    size_t n;

    if (!is_same_kind(a, b))
        return false;
    if (a->is_group) {
        size_t n_common = count_common_children(c, before, after, &n);

        return n > 0 && 2 * n_common >= n;
    }
    return has_same_settings(a->node, b->node);
}

/* @n_left: as of find_twin() */
static void match_names(struct ts_comparison *c, int before, int after, int *n_left)
{
    for (int i = before + 1; i < (int)c->before.tree.n; i++) {
        const struct ts_tree_item *item = &c->before.tree.items[i];
        int twin;

        if (item->parent != before || c->before.match[i] != TS_NO_ITEM)
            continue;
        twin = find_twin(&c->after, item, after, false, n_left);
        if (twin != TS_NO_ITEM)
            pair(c, i, twin);
    }
}

static size_t count_unmatched(const struct ts_side *side, int parent)
{
    size_t n = 0;

    for (int i = parent + 1; i < (int)side->tree.n; i++)
        n += side->tree.items[i].parent == parent && side->match[i] == TS_NO_ITEM;
    return n;
}

static void match_renamed(struct ts_comparison *c, int before, int after)
{
    if (count_unmatched(&c->before, before) * count_unmatched(&c->after, after) > RENAMED_PAIRS_MAX)
        return; /* another sequence, and not worth the time */
    for (int i = before + 1; i < (int)c->before.tree.n; i++) {
        if (c->before.tree.items[i].parent != before || c->before.match[i] != TS_NO_ITEM ||
            find_twin(&c->after, &c->before.tree.items[i], TS_NO_ITEM, true, NULL) != TS_NO_ITEM)
            continue; /* it may have moved: a name is worth more than settings */
        for (int k = after + 1; k < (int)c->after.tree.n; k++) {
            if (c->after.tree.items[k].parent != after || c->after.match[k] != TS_NO_ITEM ||
                find_twin(&c->before, &c->after.tree.items[k], TS_NO_ITEM, true, NULL) !=
                    TS_NO_ITEM ||
                !is_renamed(c, i, k))
                continue;
            pair(c, i, k);
            break;
        }
    }
}

/* What is in two groups that are the same. The depth is bounded by TS_XML_MAX_DEPTH. */
static void match_within(struct ts_comparison *c, int before, int after)
{
    int n_left = TWIN_LOOKS_MAX;

    ts_diff_align(c, before, after, true);
    match_names(c, before, after, &n_left); /* of several with one name, those that are the same */
    ts_diff_align(c, before, after, false);
    match_names(c, before, after, NULL);
    match_renamed(c, before, after);
    for (int i = before + 1; i < (int)c->before.tree.n; i++)
        if (c->before.tree.items[i].parent == before && c->before.tree.items[i].is_group &&
            c->before.match[i] != TS_NO_ITEM)
            match_within(c, i, c->before.match[i]);
}

static void match_moved(struct ts_comparison *c)
{
    int n_left = TWIN_LOOKS_MAX;

    for (int i = 0; i < (int)c->before.tree.n; i++) {
        int twin;

        if (c->before.match[i] != TS_NO_ITEM)
            continue;
        twin = find_twin(&c->after, &c->before.tree.items[i], TS_NO_ITEM, true, &n_left);
        if (twin == TS_NO_ITEM)
            twin = find_twin(&c->after, &c->before.tree.items[i], TS_NO_ITEM, true, NULL);
        if (twin == TS_NO_ITEM)
            continue;
        pair(c, i, twin);
        if (c->before.tree.items[i].is_group)
            match_within(c, i, twin);
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

static size_t count_of_kind(const struct ts_side *side, int parent, const struct ts_tree_item *like)
{
    size_t n = 0;

    for (int i = parent + 1; i < (int)side->tree.n; i++)
        n += side->tree.items[i].parent == parent && side->match[i] == TS_NO_ITEM &&
             is_same_kind(&side->tree.items[i], like);
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
        for (int k = parent + 1; k < (int)c->after.tree.n; k++)
            if (c->after.tree.items[k].parent == parent && c->after.match[k] == TS_NO_ITEM &&
                is_same_kind(&c->after.tree.items[k], item) && is_same_place(c, i, k))
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
    c->before.match = no_matches(c->before.tree.n);
    c->after.match = no_matches(c->after.tree.n);
    if (!c->before.match || !c->after.match)
        return ERR(-ENOMEM);
    match_within(c, TS_NO_ITEM, TS_NO_ITEM);
    match_moved(c);
    match_changed(c);
    return 0;
}
