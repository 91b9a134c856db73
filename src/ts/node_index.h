/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Nodes by name, so that one is found without looking at all of them
 */

#include <stddef.h>

#include <libxml/tree.h>

struct ts_node_entry {
    size_t group;
    char *name; /* owned */
    size_t place;
    xmlNode *node;
};

struct ts_node_index {
    struct ts_node_entry *entries; /* owned; by group and name, then as they were added */
    size_t *order;                 /* owned; where those stand as they were added */
    size_t n;
    size_t n_max; /* there is room for */
};

/* @group: 0 if there are no groups. Return: 0 or -ENOMEM. */
int ts_node_index_add(struct ts_node_index *index, size_t group, const char *name, xmlNode *node);

/* To be called when all are there. Return: 0 or -ENOMEM. */
int ts_node_index_sort(struct ts_node_index *index);

/* The variables of a <defaultVarList> or <globalVarList>, sorted, without groups. @list: NULL: there are none. Return: 0 or -ENOMEM. */
int ts_node_index_add_list(struct ts_node_index *index, const xmlNode *list);

/* The one in @other of the same group, name and number of those so called; NULL: there is none. @entry: one of @index */
const struct ts_node_entry *ts_node_index_twin(const struct ts_node_index *index,
                                               const struct ts_node_entry *entry,
                                               const struct ts_node_index *other);

/* The first of the group that is so called; NULL: none is. */
const struct ts_node_entry *
ts_node_index_find(const struct ts_node_index *index, size_t group, const char *name);

/* May be called twice. Fits OWN(). */
void ts_node_index_fini(struct ts_node_index *index);
