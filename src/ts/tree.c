/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/document.h"

enum {
    PATH_MAX_BYTES = TS_XML_MAX_DEPTH * 2048,
    GROW = 64,
};

bool ts_node_is(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

bool ts_node_is_item(const xmlNode *node)
{
    return ts_node_is(node, "group") || ts_node_is(node, "step") ||
           ts_node_is(node, "subtasksequence");
}

char *ts_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);

    if (copy)
        memcpy(copy, text, size);
    return copy;
}

static char *copied(xmlChar *text)
{
    char *copy = ts_copy(text ? (const char *)text : "");

    xmlFree(text);
    return copy;
}

char *ts_node_attribute(const xmlNode *node, const char *name)
{
    return copied(xmlGetNoNsProp(node, (const xmlChar *)name));
}

char *ts_node_text(const xmlNode *node)
{
    return copied(xmlNodeGetContent(node));
}

xmlNode *ts_node_element(xmlNode *node)
{
    while (node && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return node;
}

xmlNode *ts_node_child(const xmlNode *node, const char *name)
{
    for (xmlNode *child = node->children; child; child = child->next)
        if (ts_node_is(child, name))
            return child;
    return NULL;
}

void ts_tree_fini(struct ts_tree *tree)
{
    for (size_t i = 0; i < tree->n; i++) {
        free(tree->items[i].name);
        free(tree->items[i].type);
        free(tree->items[i].path);
        free(tree->items[i].position);
    }
    free(tree->items);
    *tree = (struct ts_tree){0};
}

static void put_escaped(struct buf *dst, const char *name)
{
    for (; *name; name++) {
        if (*name == '/' || *name == '\\')
            buf_adds(dst, "\\");
        buf_add(dst, (struct bytes){(const uint8_t *)name, 1});
    }
}

/* How many siblings before the last item have its name; @ret_place: which of all siblings it is, from 1. */
static unsigned count_namesakes(const struct ts_tree *tree, unsigned *ret_place)
{
    const struct ts_tree_item *item = &tree->items[tree->n - 1];
    size_t first = item->parent == TS_NO_ITEM ? 0 : (size_t)item->parent + 1;
    unsigned before = 0;

    *ret_place = 1;
    for (size_t i = first; i + 1 < tree->n; i++) {
        if (tree->items[i].parent != item->parent)
            continue;
        ++*ret_place;
        before += strcmp(tree->items[i].name, item->name) == 0;
    }
    return before;
}

static bool name_item(struct ts_tree *tree, struct ts_tree_item *item)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf position = BUF_INIT(PATH_MAX_BYTES);
    unsigned place;
    unsigned before = count_namesakes(tree, &place);

    if (item->parent != TS_NO_ITEM) {
        buf_addf(&path, "%s/", tree->items[item->parent].path);
        buf_addf(&position, "%s.", tree->items[item->parent].position);
    }
    put_escaped(&path, item->name);
    if (before > 0)
        buf_addf(&path, "[%u]", before + 1);
    buf_addf(&position, "%u", place);
    item->path = ts_copy(path.failed ? buf_str(&position) : buf_str(&path));
    item->position = ts_copy(buf_str(&position));
    return item->path && item->position;
}

static int add_item(struct ts_tree *tree, xmlNode *node, int parent, int step)
{
    if (tree->n % GROW == 0) {
        struct ts_tree_item *grown = realloc(tree->items, (tree->n + GROW) * sizeof(*tree->items));

        if (!grown)
            return ERR(-ENOMEM);
        tree->items = grown;
    }

    struct ts_tree_item *item = &tree->items[tree->n];
    OWN(freep) char *disable = ts_node_attribute(node, "disable");

    *item = (struct ts_tree_item){
        .node = node,
        .name = ts_node_attribute(node, "name"),
        .type = ts_node_attribute(node, "type"),
        .parent = parent,
        .step = step,
        .is_group = ts_node_is(node, "group"),
    };
    tree->n++;
    if (!disable || !item->name || !item->type || !name_item(tree, item))
        return ERR(-ENOMEM);
    item->is_disabled = bytes_eq_nocase(bytes_of(disable), "true") || strcmp(disable, "1") == 0;
    return 0;
}

static bool has_items_within(const xmlNode *node)
{
    return ts_node_is(node, "group") || ts_node_is(node, "sequence");
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static int read_within(struct ts_tree *tree, const xmlNode *parent_node, int parent, int *n_steps)
{
    for (xmlNode *node = parent_node->children; node; node = node->next) {
        int index = (int)tree->n;
        int r;

        if (!ts_node_is_item(node))
            continue;
        r = add_item(tree, node, parent, ts_node_is(node, "group") ? TS_NO_ITEM : (*n_steps)++);
        if (r == 0 && has_items_within(node))
            r = read_within(tree, node, index, n_steps);
        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

int ts_tree_read(xmlDoc *xml, struct ts_tree *ret)
{
    int n_steps = 0;
    int r;

    *ret = (struct ts_tree){0};
    r = read_within(ret, xmlDocGetRootElement(xml), TS_NO_ITEM, &n_steps);
    if (r < 0)
        ts_tree_fini(ret);
    return TRACE(r);
}

/* Like strcmp() == 0, but "\/" and "\\" of @path may be written without the backslash in @wanted. */
static bool is_path(const char *path, const char *wanted)
{
    while (*path && *wanted) {
        if (*path == '\\' && *wanted != '\\')
            path++;
        if (*path != *wanted)
            return false;
        path++;
        wanted++;
    }
    return *path == *wanted;
}

int ts_tree_find(const struct ts_tree *tree, const char *path)
{
    for (size_t i = 0; i < tree->n; i++)
        if (strcmp(tree->items[i].path, path) == 0)
            return (int)i;
    for (size_t i = 0; i < tree->n; i++)
        if (is_path(tree->items[i].path, path))
            return (int)i;
    for (size_t i = 0; i < tree->n; i++)
        if (strcmp(tree->items[i].position, path) == 0)
            return (int)i;
    return TS_NO_ITEM;
}

bool ts_tree_is_enabled(const struct ts_tree *tree, int item)
{
    for (; item != TS_NO_ITEM; item = tree->items[item].parent)
        if (tree->items[item].is_disabled)
            return false;
    return true;
}
