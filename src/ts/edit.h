/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Changes of a task sequence: a document in, a new document out
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct ts_document;

enum ts_operation_kind {
    TS_OP_ADD,
    TS_OP_MOVE,
    TS_OP_COPY,
    TS_OP_REMOVE,
    TS_OP_SET,
    TS_OP_ENABLE,
    TS_OP_DISABLE,
};

enum ts_where {
    TS_LAST_IN, /* at the end of the group; of the sequence, if its path is "" */
    TS_FIRST_IN,
    TS_BEFORE,
    TS_AFTER,
};

/* A setting and its new value; "" takes it away. */
struct ts_assignment {
    const char *name;
    const char *value;
};

struct ts_operation {
    enum ts_operation_kind kind;
    const char *path; /* of the group or step, or its position; not for TS_OP_ADD */
    enum ts_where where;
    const char *target; /* TS_OP_ADD, MOVE, COPY: path that where refers to */
    const char *type;   /* TS_OP_ADD: class or display name of the step's type, or "group" */
    const char *name; /* TS_OP_ADD, COPY: its name; NULL: that of the type, or of what is copied */
    const struct ts_assignment *assignments; /* TS_OP_ADD, SET: in this order */
    size_t n_assignments;
};

/* Outcome of the functions below beside 0 */
enum {
    TS_EDIT_E_REFUSED = 1, /* why says the reason */
};

/**
 * ts_edit() - do one thing
 * @ret: the new document, owned by the caller; set on 0 only
 * @why: on TS_EDIT_E_REFUSED one sentence is appended
 *
 * Settings are the attributes of every step (name, description, continue-on-error, success-codes, retry, timeout in
 * minutes, run-in, start-in), condition, and the properties and variables of its type; of a type that is
 * not in the table, any variable. condition is XML, or "NAME equals VALUE" with any operator, or "WMI QUERY".
 * The text of <action> and the list of references follow.
 *
 * Return: 0, TS_EDIT_E_REFUSED or -ENOMEM.
 */
int ts_edit(const struct ts_document *doc,
            const struct ts_operation *op,
            struct ts_document **ret,
            struct buf *why);

/* Whether the list of references names this id, or a property of a step that refers to something; disabled steps count. */
bool ts_refers_to(const struct ts_document *doc, const char *id);

/* What takes the place of what. */
struct ts_mapping {
    const char *from; /* an id of content, an application or a task sequence */
    const char *to;
};

/**
 * ts_edit_map() - let all references to @mappings' from become references to its to
 *
 * That is <referenceList>, the properties that refer to something (of a type that is not in the table, those whose
 * text is in that list), what Set Task Sequence Variable puts into a list of packages, and the words of <action>.
 *
 * Return: 0, TS_EDIT_E_REFUSED (nothing refers to one of them) or -ENOMEM.
 */
int ts_edit_map(const struct ts_document *doc,
                const struct ts_mapping *mappings,
                size_t n,
                struct ts_document **ret,
                struct buf *why);
