/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Parts of the reader of the YAML spelling
 *
 * The first thing that is wrong is told and kept in the reader; what is called after it does nothing of use, and does no harm.
 */

#include <stdbool.h>

#include <libxml/tree.h>
#include <yaml.h>

#include "ts/xml.h"
#include "ts/yaml_form_parts.h"

struct ts_diags;

struct ts_yaml_reader {
    yaml_document_t *yaml;
    struct bytes file;
    struct ts_diags *diags;
    struct ts_yaml_orders orders;
    struct ts_xml_place
        *places; /* owned; of the elements that were added; psvi is the number of theirs, from 1 */
    size_t n_places;
    size_t n_nodes;
    size_t n_bytes; /* of texts, those behind aliases as often as they are met */
    unsigned depth;
    int r; /* the first outcome that is not 0 */
};

/* @node: where; NULL: nowhere in particular */
void ts_yaml_refuse(struct ts_yaml_reader *rd, const yaml_node_t *node, const char *why);

/* The node with this number, once more counted: aliases let one be met often. NULL over the limit. */
yaml_node_t *ts_yaml_node(struct ts_yaml_reader *rd, int number);

/* The same, if it is of this type; otherwise NULL, and @why is told. */
yaml_node_t *
ts_yaml_node_of(struct ts_yaml_reader *rd, int number, yaml_node_type_t type, const char *why);

/* Text of a scalar; "" and a refusal if it is none. Borrowed. */
const char *ts_yaml_scalar(struct ts_yaml_reader *rd, int number);

/* Whether a mapping has one pair; otherwise that is told. */
bool ts_yaml_is_alone(struct ts_yaml_reader *rd, const yaml_node_t *mapping);

/* Tells of the first key that a mapping has twice. */
void ts_yaml_check_keys(struct ts_yaml_reader *rd);

/* The key of the first pair of a mapping; "" if it has none. */
const char *ts_yaml_first_key(struct ts_yaml_reader *rd, const yaml_node_t *mapping);

void ts_yaml_set(struct ts_yaml_reader *rd,
                 xmlNode *node,
                 const char *name,
                 const char *value,
                 const yaml_node_t *at);
/* An element that @at stands for. */
xmlNode *
ts_yaml_add(struct ts_yaml_reader *rd, xmlNode *parent, const char *name, const yaml_node_t *at);
/* @node is what @at stands for. */
void ts_yaml_set_place(struct ts_yaml_reader *rd, xmlNode *node, const yaml_node_t *at);
/* Line and column of a node, from 1. */
struct ts_xml_place ts_yaml_place(const yaml_node_t *node);
void ts_yaml_add_text(xmlNode *node, const char *text);

/* A comment, white space or XML as it is: "key: value" of an item. Return: whether @key means one of these. */
bool ts_yaml_read_other(struct ts_yaml_reader *rd,
                        xmlNode *parent,
                        const char *key,
                        const yaml_node_pair_t *pair);

/* The same for a list of nothing else. */
void ts_yaml_read_others(struct ts_yaml_reader *rd, xmlNode *parent, int number);

/* A mapping or a list of variables. */
void ts_yaml_read_variables(struct ts_yaml_reader *rd,
                            const struct ts_step_type *type,
                            xmlNode *list,
                            int number);

/* A list of conditions. */
void ts_yaml_read_operands(struct ts_yaml_reader *rd, xmlNode *list, int number);

/* "order of fields" */
void ts_yaml_read_orders(struct ts_yaml_reader *rd, int number);
