/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Parts of the writer of the YAML spelling
 */

#include <stdbool.h>

#include <libxml/tree.h>

#include "base/buf.h"
#include "ts/yaml_form_parts.h"

struct ts_yaml_writer {
    struct buf *out;
    const char *indent; /* of a level of the XML; NULL: not laid out in lines */
    struct ts_yaml_orders orders;
    struct ts_yaml_trail trail;
};

/* Whether its namespace is that of all elements without a prefix, and it declares none. */
bool ts_yaml_is_own_namespace(const xmlNode *node);

/* Whether it is an element with this name, of the document's own namespace, with at most these attributes (NULL ends them). */
bool ts_yaml_is_own(const xmlNode *node, const char *name, const char *const *attributes);

/* Whether it has text only, or nothing. */
bool ts_yaml_is_text_only(const xmlNode *node);

/* Whether the white space before @child (NULL: before the end) is not the usual. */
bool ts_yaml_is_odd_space(struct ts_yaml_writer *w, const xmlNode *parent, const xmlNode *child);

/* Whether there is any such in @parent, or anything but elements. */
bool ts_yaml_is_odd(struct ts_yaml_writer *w, const xmlNode *parent);

/* "- white space: …", unless it is the usual. */
void ts_yaml_put_space(struct ts_yaml_writer *w,
                       const xmlNode *parent,
                       const xmlNode *child,
                       unsigned indent);

/* "- comment: …" or "- xml: …" */
void ts_yaml_put_other(struct ts_yaml_writer *w, xmlNode *node, unsigned indent);

/* A mapping of variables, or a list if there is something else or one of them twice. Begins behind the colon. */
void ts_yaml_put_variables(struct ts_yaml_writer *w,
                           const struct ts_step_type *type,
                           const xmlNode *list,
                           unsigned indent);

/* A list of conditions. Begins behind the colon. */
void ts_yaml_put_operands(struct ts_yaml_writer *w, const xmlNode *list, unsigned indent);

/* The orders that most conditions of @root have. */
void ts_yaml_find_orders(const xmlNode *root, struct ts_yaml_orders *ret);
