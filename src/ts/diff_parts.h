/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The parts of ts/diff.c
 */

#include <stdint.h>

#include "ts/diff.h"
#include "ts/secret_names.h"
#include "ts/tree.h"

/* One of the two documents. */
struct ts_side {
    struct ts_tree tree;
    int *match; /* owned; of each item, the one it is in the other tree, or TS_NO_ITEM */
};

struct ts_comparison {
    struct ts_side before;
    struct ts_side after;
    struct ts_changes *changes;
    struct ts_secret_names *names; /* owned; of both documents */
    bool is_out_of_memory;
};

/* ts/diff_match.c: fill the two match tables. Return: 0 or -ENOMEM. */
int ts_diff_match(struct ts_comparison *c);

/* ts/diff_align.c: of what is in the two groups, pair those of a longest run that has kept its order: of several with one
   name then the one that stayed is the same one. @is_strict: only those with the same settings */
void ts_diff_align(struct ts_comparison *c, int before, int after, bool is_strict);

/* ts/diff_index.c: the items of a side by type and name, so that one is found without looking at all of them. */
struct ts_diff_entry {
    const struct ts_tree_item *item;
    int parent; /* TS_NO_ITEM unless it counts */
    int i;
    size_t next; /* where to go on if this one has a match */
};

struct ts_diff_index {
    struct ts_diff_entry *entries; /* owned */
    size_t n;
    const int *match; /* borrowed from the side */
    bool is_by_group; /* only those of one group are alike */
};

#define TS_DIFF_NO_ENTRY SIZE_MAX

/* Return: false without memory. */
bool ts_diff_index_make(const struct ts_side *side, bool is_by_group, struct ts_diff_index *ret);

/* May be called twice. Fits OWN(). */
void ts_diff_index_fini(struct ts_diff_index *index);

/* Whether there is one with the type and name of @wanted in the group @parent, or anywhere, matched or not. */
bool ts_diff_index_has(const struct ts_diff_index *index,
                       const struct ts_tree_item *wanted,
                       int parent);

/**
 * ts_diff_index_left() - of those the first one that has no match, in the order of the document
 * @behind: behind this one; TS_DIFF_NO_ENTRY: from the beginning
 *
 * Return: its entry, or TS_DIFF_NO_ENTRY.
 */
size_t ts_diff_index_left(struct ts_diff_index *index,
                          const struct ts_tree_item *wanted,
                          int parent,
                          size_t behind);

/* ts/diff_order.c: of @n numbers, none of them twice, those of a longest run that grows. @ret_is_kept: for each whether it is
   one of them. Return: 0 or -ENOMEM. */
int ts_diff_order(const int *numbers, size_t n, bool *ret_is_kept);

/* ts/diff_match.c: the settings of an item without its name and without the items in it. */
void ts_diff_put_settings(const xmlNode *node, struct buf *ret);

/* ts/diff_item.c: what is different in two items that are the same. */
void ts_diff_item(struct ts_comparison *c, int before, int after);
/* What is different in the root elements and their lists. */
void ts_diff_root(struct ts_comparison *c, const xmlNode *before, const xmlNode *after);

/**
 * ts_diff_rules() - the rules of Set Dynamic Variables, one by one
 * @about: paths, type and name of the property, which all changes get
 * @from:  the XML of the property, with its secrets, which are masked here
 *
 * Return: false if nothing has been told: either side cannot be read, or they differ in what means nothing.
 */
bool ts_diff_rules(struct ts_comparison *c,
                   const struct ts_change *about,
                   const char *from,
                   const char *to);

/* The two nodes that are compared. */
struct ts_diff_sides {
    const xmlNode *before;
    const xmlNode *after;
};

/**
 * ts_diff_elements() - elements that nothing is known of, and what is in them
 * @about:    item, paths and type, which all changes get
 * @is_known: of an element directly in the two: it is compared elsewhere
 */
void ts_diff_elements(struct ts_comparison *c,
                      const struct ts_change *about,
                      const struct ts_diff_sides *sides,
                      bool (*is_known)(const xmlNode *));

/* "prefix:name". Owned by the caller; NULL without memory. */
char *ts_diff_name(const xmlNs *ns, const xmlChar *name);
/* The attribute of @node of the same name and namespace, or NULL; and its text, "" for NULL. Owned by the caller. */
const xmlAttr *ts_diff_attribute(const xmlNode *node, const xmlAttr *like);
char *ts_diff_attribute_text(const xmlAttr *attribute);

/* Append a change; texts are copied, NULL is "". */
void ts_diff_add(struct ts_comparison *c, const struct ts_change *change);
