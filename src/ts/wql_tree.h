/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* A query as the parser leaves it and the evaluation finds it; for ts/wql*.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wql_kind {
    WQL_AND, /* left, right */
    WQL_OR,
    WQL_NOT, /* left */
    WQL_COMPARE,
    WQL_LIKE,
    WQL_IS_NULL,
    WQL_ISA,
};

enum wql_operator {
    WQL_EQUAL,
    WQL_NOT_EQUAL,
    WQL_LESS,
    WQL_LESS_EQUAL,
    WQL_GREATER,
    WQL_GREATER_EQUAL,
    WQL_N_OPERATORS,
};

enum wql_literal_kind {
    WQL_TEXT,
    WQL_INTEGER,
    WQL_REAL,
    WQL_BOOLEAN,
};

struct wql_literal {
    enum wql_literal_kind kind;
    int64_t integer; /* of a boolean: 0 or 1 */
    double real;
    char *text; /* owned; of a number as it was written */
};

struct wql_node {
    enum wql_kind kind;
    bool is_inverted; /* "not like", "is not null" */
    enum wql_operator op;
    size_t left; /* indexes of nodes */
    size_t right;
    char *property; /* owned */
    struct wql_literal literal;
};

struct ts_query {
    char *class_name; /* owned, as all below */
    char **selected;  /* none: "*" */
    size_t n_selected;
    struct wql_node *nodes; /* the last is the root; none: no "where" */
    size_t n_nodes;
};

extern const char *const wql_operators[WQL_N_OPERATORS];
