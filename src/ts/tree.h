/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The XML tree behind a document, and its groups and steps one after the other; for ts, and for who lists them
 */

#include <stdbool.h>
#include <stddef.h>

#include <libxml/tree.h>

struct ts_document;
struct buf;

enum {
    TS_NO_ITEM = -1,
};

/* A group, step or subtasksequence. */
struct ts_tree_item {
    xmlNode *node; /* borrowed from the tree */
    char *name;    /* owned; "" if it has none */
    char *type;    /* owned; "" for a group */
    char *path;    /* owned: "Install/Apply Operating System", see docs/protocol/task-sequence.md */
    char *position; /* owned: "2.1", counted from 1 among its siblings */
    int parent;     /* index of the group around it, or TS_NO_ITEM */
    int end; /* index behind all that is in it: that of the next item of its group, if there is one */
    int step;  /* index of the step in ts_document_steps(), or TS_NO_ITEM */
    int group; /* of the group in ts_document_groups(), or TS_NO_ITEM */
    bool is_group;
    bool is_disabled; /* itself; the groups around it do not count */
};

struct ts_tree {
    struct ts_tree_item *items; /* owned; in the order of the start tags */
    size_t n;
    int n_groups;
};

/* Borrowed. */
xmlDoc *ts_document_tree(const struct ts_document *doc);

/**
 * ts_tree_read() - all items of @xml
 *
 * Return: 0 or -ENOMEM.
 */
int ts_tree_read(xmlDoc *xml, struct ts_tree *ret);

/* May be called twice. Fits OWN(). */
void ts_tree_fini(struct ts_tree *tree);

/**
 * ts_tree_find() - the item at @path, or at the position @path ("2.1")
 *
 * A name is matched exactly; among siblings of the same name the first one is meant unless "[2]"
 * follows it. A '/' in a name may be written as it is where that is not ambiguous.
 *
 * Return: its index, or TS_NO_ITEM.
 */
int ts_tree_find(const struct ts_tree *tree, const char *path);

/* Behind the last item in the group @parent, or with TS_NO_ITEM of all. The items of a group are from @parent + 1 on, each
   behind the end of the one before it. */
int ts_tree_end(const struct ts_tree *tree, int parent);

/* Whether the item and all groups around it are enabled. */
bool ts_tree_is_enabled(const struct ts_tree *tree, int item);

/* Owned by the caller; NULL without memory. */
char *ts_copy(const char *text);

bool ts_node_is(const xmlNode *node, const char *name);
/* group, step or subtasksequence */
bool ts_node_is_item(const xmlNode *node);
/* Value of an attribute; "" if there is none. Owned by the caller; NULL without memory. */
char *ts_node_attribute(const xmlNode *node, const char *name);
/* All text in it. Owned by the caller; NULL without memory. */
char *ts_node_text(const xmlNode *node);
/* First child element of that name, or NULL: of <condition>, <action>, <defaultVarList> and <globalVarList> the one that counts,
   whether it is empty or not; others of its kind have no effect. */
xmlNode *ts_node_child(const xmlNode *node, const char *name);
/* Next element at or behind @node, or NULL. */
xmlNode *ts_node_element(xmlNode *node);
