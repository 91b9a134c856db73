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

/* An item that is not in the list yet. */
struct sibling {
    xmlNode *node;
    char *name;      /* owned */
    unsigned place;  /* which of all siblings it is, from 1 */
    unsigned before; /* how many siblings before it have its name */
};

struct siblings {
    struct sibling *items; /* owned */
    size_t n;
};

static void free_siblings(struct siblings *siblings)
{
    for (size_t i = 0; i < siblings->n; i++)
        free(siblings->items[i].name);
    free(siblings->items);
}

/* By name, and those of one name as they stand. */
static int compare_names(const void *a, const void *b)
{
    const struct sibling *left = a;
    const struct sibling *right = b;
    int order = strcmp(left->name, right->name);

    return order != 0 ? order : left->place < right->place ? -1 : 1;
}

static int compare_places(const void *a, const void *b)
{
    const struct sibling *left = a;
    const struct sibling *right = b;

    return left->place < right->place ? -1 : 1;
}

static void count_namesakes(struct siblings *siblings)
{
    struct sibling *items = siblings->items;

    if (siblings->n == 0)
        return;
    qsort(items, siblings->n, sizeof(*items), compare_names);
    for (size_t i = 1; i < siblings->n; i++)
        items[i].before =
            strcmp(items[i].name, items[i - 1].name) == 0 ? items[i - 1].before + 1 : 0;
    qsort(items, siblings->n, sizeof(*items), compare_places);
}

static int find_siblings(const xmlNode *parent, struct siblings *ret)
{
    for (xmlNode *node = parent->children; node; node = node->next) {
        struct sibling *grown = ret->items;

        if (!ts_node_is_item(node))
            continue;
        if (ret->n % GROW == 0)
            grown = realloc(ret->items, (ret->n + GROW) * sizeof(*grown));
        if (!grown)
            return ERR(-ENOMEM);
        ret->items = grown;
        grown[ret->n] = (struct sibling){
            .node = node,
            .name = ts_node_attribute(node, "name"),
            .place = (unsigned)ret->n + 1,
        };
        if (!grown[ret->n].name)
            return ERR(-ENOMEM);
        ret->n++;
    }
    count_namesakes(ret);
    return 0;
}

static bool
name_item(struct ts_tree *tree, struct ts_tree_item *item, const struct sibling *sibling)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf position = BUF_INIT(PATH_MAX_BYTES);

    if (item->parent != TS_NO_ITEM) {
        buf_addf(&path, "%s/", tree->items[item->parent].path);
        buf_addf(&position, "%s.", tree->items[item->parent].position);
    }
    put_escaped(&path, item->name);
    if (sibling->before > 0)
        buf_addf(&path, "[%u]", sibling->before + 1);
    buf_addf(&position, "%u", sibling->place);
    item->path = ts_copy(path.failed ? buf_str(&position) : buf_str(&path));
    item->position = ts_copy(buf_str(&position));
    return item->path && item->position;
}

static int add_item(struct ts_tree *tree, struct sibling *sibling, int parent, int step)
{
    xmlNode *node = sibling->node;

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
        .name = TAKE(sibling->name),
        .type = ts_node_attribute(node, "type"),
        .parent = parent,
        .step = step,
        .group = ts_node_is(node, "group") ? tree->n_groups++ : TS_NO_ITEM,
        .is_group = ts_node_is(node, "group"),
    };
    tree->n++;
    if (!disable || !item->type || !name_item(tree, item, sibling))
        return ERR(-ENOMEM);
    item->is_disabled = bytes_eq_nocase(bytes_of(disable), "true") || strcmp(disable, "1") == 0;
    return 0;
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static int read_within(struct ts_tree *tree, const xmlNode *parent_node, int parent, int *n_steps)
{
    OWN(free_siblings) struct siblings siblings = {0};
    int r = find_siblings(parent_node, &siblings);

    for (size_t i = 0; r == 0 && i < siblings.n; i++) {
        const xmlNode *node = siblings.items[i].node;
        int index = (int)tree->n;

        r = add_item(tree,
                     &siblings.items[i],
                     parent,
                     ts_node_is(node, "group") ? TS_NO_ITEM : (*n_steps)++);
        if (r == 0 && ts_node_is(node, "group"))
            r = read_within(tree, node, index, n_steps);
        if (r == 0)
            tree->items[index].end = (int)tree->n;
    }
    return TRACE(r);
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

int ts_tree_end(const struct ts_tree *tree, int parent)
{
    return parent == TS_NO_ITEM ? (int)tree->n : tree->items[parent].end;
}

bool ts_tree_is_enabled(const struct ts_tree *tree, int item)
{
    for (; item != TS_NO_ITEM; item = tree->items[item].parent)
        if (tree->items[item].is_disabled)
            return false;
    return true;
}
