/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Conditions of groups and steps
 *
 * A condition is a list (all must hold) of expressions and of operators and, or, not over such lists.
 * "not" is the reference product's "none of these". An empty list holds.
 *
 * ts looks at nothing itself: struct ts_facts answers. What nobody here can answer is false, with a warning
 * that says what it was; it never stops a sequence. docs/protocol/sequencer.md says how is compared.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct ts_condition;
struct ts_facts;
struct ts_variable;
struct ts_vars;

enum {
    TS_VERDICT_MAX = 4096, /* bytes of each text */
};

/* For people: values of secret variables are "***". */
struct ts_verdict {
    struct buf why;      /* what decided: what was asked, and what was seen */
    struct buf warnings; /* what could not be answered and counts as false; "" if all could */
};

#define TS_VERDICT_INIT ((struct ts_verdict){BUF_INIT(TS_VERDICT_MAX), BUF_INIT(TS_VERDICT_MAX)})

void ts_verdict_fini(struct ts_verdict *verdict);

/**
 * ts_condition_holds() - evaluate it
 * @condition: NULL: it holds
 * @facts:     NULL: nothing is known but variables
 * @ret:       both texts are appended to
 */
bool ts_condition_holds(const struct ts_condition *condition,
                        const struct ts_vars *vars,
                        const struct ts_facts *facts,
                        struct ts_verdict *ret);

/* The operators of a condition on a variable, as they are written; NULL ends them. */
extern const char *const ts_variable_operators[];

/* Whether the agent on Linux can answer all of it; what it cannot is described in @why, as far as there is room. What is
   no question at all, such as a query that cannot be read, is told elsewhere (ts/validate.h). */
bool ts_condition_is_portable(const struct ts_condition *condition, struct buf *why);

/* Below: for ts/document.c, which builds conditions. */

enum ts_condition_kind {
    TS_CONDITION_AND,
    TS_CONDITION_OR,
    TS_CONDITION_NOT,
    TS_CONDITION_EXPRESSION, /* its type says which; the fields are its arguments */
    TS_CONDITION_FOREIGN,    /* an element that no condition has */
};

struct ts_condition {
    enum ts_condition_kind kind;
    const char *
        type; /* of the expression or element as written; borrowed from the document, as all text */
    struct ts_variable *fields; /* owned */
    size_t n_fields;
    struct ts_condition **children; /* owned */
    size_t n_children;
};

void ts_condition_free(struct ts_condition *condition);
