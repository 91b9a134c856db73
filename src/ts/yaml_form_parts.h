/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the writer and the reader of the YAML spelling agree on
 */

#include <stdbool.h>
#include <stddef.h>

#include <libxml/tree.h>

#include "base/buf.h"
#include "ts/step_types.h"

enum {
    TS_YAML_NAME_MAX = 320,
    TS_YAML_FORMS = 7,
    TS_YAML_FIELDS_MAX = 5,
    TS_YAML_FIELD_MAX = 32,
    TS_YAML_INDENTATION_MAX = 16,
};

/* Keys with a blank in them: no attribute can have such a name. */
#define TS_YAML_SPACE        "white space"
#define TS_YAML_COMMENT_TEXT "comment text"
#define TS_YAML_BEFORE       "before "
#define TS_YAML_BEFORE_ALL   "before sequence"
#define TS_YAML_AFTER_ALL    "after sequence"
#define TS_YAML_ATTRIBUTES   "other attributes"
#define TS_YAML_ORDERS       "order of fields"

/* An expression that has a short form. */
struct ts_yaml_form {
    const char *type;
    const char *key; /* of main_field's text; those of the others are their names */
    const char *main_field;
    const char
        *fields[TS_YAML_FIELDS_MAX]; /* in the order that the editor writes; NULL ends them */
};

extern const struct ts_yaml_form ts_yaml_forms[TS_YAML_FORMS];

/* In which order a document has the fields of each form. */
struct ts_yaml_orders {
    const char *fields[TS_YAML_FORMS][TS_YAML_FIELDS_MAX];
};
void ts_yaml_orders_init(struct ts_yaml_orders *ret);

/* "versionOperator" for "VersionOperator". Return: @ret. */
const char *ts_yaml_key_of_field(const char *field, char ret[static TS_YAML_FIELD_MAX]);

/* Attributes of a variable that need not be written. */
struct ts_yaml_usual {
    char property[TS_YAML_NAME_MAX];
    bool is_hidden;
};
void ts_yaml_usual(const struct ts_step_type *type, const char *name, struct ts_yaml_usual *ret);

/* "any" for "or", and the reverse; NULL if it is none. */
const char *ts_yaml_word(const char *type);
const char *ts_yaml_type(const char *word);

/* The attribute of an element that holds operands which stands behind the element's name; NULL: it holds none. */
const char *ts_yaml_main_attribute(const char *element);

bool ts_yaml_is_operator(const char *name);

/* Whether an attribute with this name could be taken for something else. */
bool ts_yaml_is_key(const char *name);

/* White space between elements. */
bool ts_yaml_is_blank(const xmlNode *node);

/* What there is before @child, which is not blank itself; NULL: before the end tag. Borrowed. */
const char *ts_yaml_space(const xmlNode *parent, const xmlNode *child);

/* What the line behind @at goes by: the last that was found, for the next that asks. Of one document, which stays as it is up to
   there; begins with nothing. */
struct ts_yaml_trail {
    const xmlNode *at;
    const xmlNode *followed;
};

/**
 * ts_yaml_usual_space() - what is there if nothing else is said
 * @indent: of a level; NULL: the document is not laid out in lines
 * @trail:  the same for one child after the other
 * @ret:    appended to
 *
 * It follows from what stands before it: a line of its own for each sibling of one that has, at the same indentation.
 */
void ts_yaml_usual_space(const xmlNode *parent,
                         const xmlNode *child,
                         const char *indent,
                         struct ts_yaml_trail *trail,
                         struct buf *ret);

/* The indentation of most levels; NULL if nothing is laid out in lines. @ret: owned. Return: 0 or -ENOMEM. */
int ts_yaml_find_indentation(const xmlNode *root, char **ret);

/**
 * ts_yaml_lay_out() - put the usual white space wherever there is none
 * @room: so many bytes at most; what is added is taken from it
 *
 * What is inside of a node that ts_yaml_fix() was called for stays as it is. Return: 0, TS_E_MALFORMED if it is too much, or
 * -ENOMEM.
 */
int ts_yaml_lay_out(xmlNode *root, const char *indent, size_t *room);
void ts_yaml_fix(xmlNode *node);
