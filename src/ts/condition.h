/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Conditions of groups and steps
 *
 * A condition is a list (all must hold) of expressions and of operators and, or, not over such lists.
 * "not" is the reference product's "none of these". An empty list holds.
 *
 * What can be evaluated: task sequence variables with every operator, and whether a file or folder
 * exists. What cannot, on Linux: WMI queries, operating system version and language, registry,
 * installed software, versions and times of files. Such an expression is neither true nor false: it
 * matters only if the rest does not decide. If it does matter, the step or group fails with SLW-0404,
 * and says why, instead of being run or skipped by a guess.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct ts_condition;
struct ts_vars;

/* Facts about this machine that a condition may ask for; ts itself looks at nothing. */
struct ts_facts {
    /* Whether the absolute @path is a file (@is_folder: a folder). */
    bool (*path_exists)(void *ctx, const char *path, bool is_folder);
    void *ctx;
};

enum ts_truth {
    TS_FALSE,
    TS_TRUE,
    TS_UNKNOWN, /* cannot be evaluated here */
};

/**
 * ts_condition_evaluate() - does it hold?
 * @condition: NULL: TS_TRUE
 * @facts:     NULL: nothing is known about files and folders
 * @why:       on TS_UNKNOWN, what could not be evaluated is appended
 *
 * Comparing: "equals", "notEquals", "like" (with * and ?) and "notLike" ignore the case of ASCII letters.
 * "less" and the like compare as numbers if both sides are decimal integers, otherwise as text
 * without case. A variable that is not set is "" and does not exist. %NAME% is expanded in values and
 * paths.
 */
enum ts_truth ts_condition_evaluate(const struct ts_condition *condition,
                                    const struct ts_vars *vars,
                                    const struct ts_facts *facts,
                                    struct buf *why);

/* Whether evaluating it could give TS_UNKNOWN; the first such expression is described in @why. */
bool ts_condition_is_portable(const struct ts_condition *condition, struct buf *why);

/* Below: for ts/document.c, which builds conditions. */

enum ts_condition_kind {
    TS_CONDITION_AND,
    TS_CONDITION_OR,
    TS_CONDITION_NOT,
    TS_CONDITION_VARIABLE, /* fields: Variable, Operator, Value */
    TS_CONDITION_FILE,     /* Path */
    TS_CONDITION_FOLDER,   /* Path */
    TS_CONDITION_FOREIGN,  /* cannot be evaluated */
};

struct ts_condition {
    enum ts_condition_kind kind;
    const char *type; /* of the expression or element as written; borrowed from the document */
    const char *variable;
    const char *operator_name;
    const char *value;              /* of a variable; the path of a file or folder */
    bool is_only_path;              /* a file or folder test without version and time */
    struct ts_condition **children; /* owned */
    size_t n_children;
};

void ts_condition_free(struct ts_condition *condition);
