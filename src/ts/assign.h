/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The steps that only set variables: Set Task Sequence Variable and Set Dynamic Variables
 *
 * They change nothing but the variables, so the agent and a simulation share them.
 */

#include <stdbool.h>

#include "base/buf.h"

struct ts_document;
struct ts_facts;
struct ts_step;
struct ts_vars;

enum {
    TS_ASSIGN_TEXT_MAX = 1024,
};

/* Outcomes beside 0: the step fails */
enum {
    TS_ASSIGN_E_READ_ONLY = 1,
    TS_ASSIGN_E_NAME = 2,
    TS_ASSIGN_E_LIMIT = 3,
    TS_ASSIGN_E_RULES = 4, /* the rules cannot be read */
};

/* Whether a step is of such a type. */
bool ts_is_assignment(const struct ts_step *step);

/**
 * ts_rules_read() - the rules of Set Dynamic Variables as a sequence of their own: a step for each, with its condition, and its
 * variables as the step's (hidden: secret)
 * @ret: owned by the caller; set on 0 only
 * @why: on an outcome: what is wrong
 *
 * Return: 0, TS_ASSIGN_E_RULES or -ENOMEM.
 */
int ts_rules_read(const char *text, struct ts_document **ret, struct buf *why);

/**
 * ts_rule_apply() - do what one of these rules says in a simulation, if its condition holds
 *
 * Return: as ts_assign().
 */
int ts_rule_apply(const struct ts_step *rule,
                  struct ts_vars *vars,
                  const struct ts_facts *facts,
                  struct buf *why);

/**
 * ts_assign() - do what the step says
 * @told: called for each variable that was set, with "***" for a secret value; may be NULL
 * @why:  on an outcome: which variable, and what is wrong
 *
 * Return: 0, an outcome, or -ENOMEM.
 */
int ts_assign(const struct ts_step *step,
              struct ts_vars *vars,
              const struct ts_facts *facts,
              void (*told)(void *ctx, const char *name, const char *value),
              void *ctx,
              struct buf *why);

/* The same in a simulation, which may have a document without its secrets: a value that is withheld (ts/secret.h) is "***". */
int ts_assign_simulated(const struct ts_step *step,
                        struct ts_vars *vars,
                        const struct ts_facts *facts,
                        struct buf *why);
