/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* The expressions of conditions; for ts/condition.c */

#include <stdbool.h>

struct buf;
struct ts_condition;
struct ts_facts;
struct ts_vars;

struct leaf_context {
    const struct ts_vars *vars;
    const struct ts_facts *facts; /* NULL: none */
    struct buf *warnings;
};

enum leaf_answer {
    LEAF_FALSE,
    LEAF_TRUE,
    LEAF_UNANSWERABLE,
};

/* @seen: what was asked and what was seen, or why it cannot be answered. */
enum leaf_answer
leaf_evaluate(const struct ts_condition *c, const struct leaf_context *x, struct buf *seen);

bool leaf_is_portable(const struct ts_condition *c, struct buf *why);
