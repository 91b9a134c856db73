/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The parts of ts/diff.c
 */

#include "ts/diff.h"
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
    bool is_out_of_memory;
};

/* ts/diff_match.c: fill the two match tables. Return: 0 or -ENOMEM. */
int ts_diff_match(struct ts_comparison *c);

/* ts/diff_align.c: of what is in the two groups, pair those of a longest run that has kept its order: of several with one
   name then the one that stayed is the same one. @is_strict: only those with the same settings */
void ts_diff_align(struct ts_comparison *c, int before, int after, bool is_strict);

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
