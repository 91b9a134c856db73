/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* The table of instructions; for ts/sequence.c */

#include <stdbool.h>
#include <stddef.h>

struct ts_document;
struct ts_group;
struct ts_item;
struct ts_start;
struct ts_step;

/* A group or a nested sequence: a range of instructions. */
struct scope {
    const struct ts_item *item;
    const struct ts_group *group; /* NULL: a nested sequence */
    const struct ts_step *call;   /* the step that runs it; NULL: a group */
    const struct scope *parent;   /* NULL: at the top */
    size_t first;
    size_t end; /* one behind the last */
};

struct instruction {
    const struct ts_step *step;
    const struct scope *scope; /* the innermost around it; NULL: none */
    const char
        *broken; /* a Run Task Sequence step that cannot run: why; NULL: it is a step like others */
};

struct table {
    struct instruction *items; /* owned */
    size_t n;
    struct scope **scopes; /* owned */
    size_t n_scopes;
};

/* Return: 0, TS_SEQUENCE_E_LIMIT or -ENOMEM; table_fini() in any case. */
int table_fill(struct table *table, const struct ts_start *start);
void table_fini(struct table *table);
