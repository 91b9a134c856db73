/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Which variables have a value that a simulation cannot know
 *
 * A step that is only simulated does not set what it would set: the output of a command, the letter of a volume, the result of a
 * check, _SMSTSLastActionRetCode. A condition that asks for such a variable may be decided otherwise on the computer.
 */

#include <stdbool.h>
#include <stddef.h>

struct ts_condition;
struct ts_facts;
struct ts_run_time;
struct ts_step;
struct ts_vars;

struct ts_dependency {
    const char *variable;
    const char *
        step; /* the path of the last step that would set it; "": it has a value that is not told here */
    bool is_of_engine; /* the engine sets it when it begins */
    bool is_asked;     /* it is asked for on the screen before that */
};

int ts_run_time_new(struct ts_run_time **ret);
void ts_run_time_free(struct ts_run_time *rt);

/* At the start: the values of secret variables that are not told here are "***", or were made of it. Return: 0 or -ENOMEM. */
int ts_run_time_withhold(struct ts_run_time *rt, const struct ts_vars *vars);

/* At the start: what the engine knows of the order has no value here, nor, without facts, what it knows of the computer.
   Return: 0 or -ENOMEM. */
int ts_run_time_expect(struct ts_run_time *rt, const struct ts_vars *vars, bool has_facts);

/* At the start: its value is asked for on the screen. Return: 0 or -ENOMEM. */
int ts_run_time_expect_typed(struct ts_run_time *rt, const char *name);

/**
 * ts_run_time_note() - what a step sets that counts as a success without having been run
 * @path: of the step
 * @vars: before the step
 *
 * Set Task Sequence Variable and Set Dynamic Variables are done in a simulation as well. What they set is unknown only if it is made
 * of something unknown or withheld (ts/secret.h), or if the condition of the rule is, or if the facts cannot answer that.
 *
 * Return: 0 or -ENOMEM.
 */
int ts_run_time_note(struct ts_run_time *rt,
                     const struct ts_step *step,
                     const char *path,
                     const struct ts_vars *vars,
                     const struct ts_facts *facts);

/* The outcome of the last step is known: it failed. */
void ts_run_time_forget_last(struct ts_run_time *rt);

/* A condition has been evaluated: gather what it asks for of all this, and the secret variables that it compares with what an
   export has lost. NULL: none. Return: 0 or -ENOMEM. */
int ts_run_time_ask(struct ts_run_time *rt,
                    const struct ts_condition *condition,
                    const struct ts_vars *vars);

/* What has been gathered, each variable once. @ret_n: how many. Return: borrowed until the next call of ask or note. */
const struct ts_dependency *ts_run_time_gathered(const struct ts_run_time *rt, size_t *ret_n);

/* Begin to gather anew. */
void ts_run_time_reset(struct ts_run_time *rt);
