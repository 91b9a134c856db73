/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What to run next: the task sequence as a machine that runs nothing itself
 *
 *     for (;;) {
 *         ts_sequence_next(sequence, environment, &next);
 *         if (next.kind == TS_NEXT_RUN)
 *             ts_sequence_step_done(sequence, how it went, exit code);
 *         else if (next.kind == TS_NEXT_SUCCEEDED || next.kind == TS_NEXT_FAILED)
 *             break;
 *     }
 *
 * Its whole memory is a position, the index of a step, plus the variables: what docs/protocol/state.md
 * keeps on disk. Groups are ranges of steps, so that a position says which groups one is in. The
 * condition of a group is evaluated when the position is the group's first step.
 *
 * A step that fails without continue-on-error fails its group; a group with continue-on-error is left
 * and the first step behind it is next; without any, the sequence fails. Disabled and skipped steps
 * leave the variables about the last action alone.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ts/condition.h"
#include "ts/document.h"

struct ts_sequence;
struct ts_vars;

enum {
    TS_NEXT_WHY_MAX = 384,
};

enum ts_next_kind {
    TS_NEXT_RUN,  /* run the step, then call ts_sequence_step_done() */
    TS_NEXT_SKIP, /* the step or the whole group is left out; why says the reason */
    TS_NEXT_FAIL, /* the step or group failed without being run; error_id and why say the reason */
    TS_NEXT_SUCCEEDED, /* the end; asked again, the same answer */
    TS_NEXT_FAILED,    /* the end after a failure that nothing caught */
};

struct ts_next {
    enum ts_next_kind kind;
    const struct ts_step *step;   /* what it is about; NULL for a group and at the end */
    const struct ts_group *group; /* NULL for a step and at the end */
    const char *error_id; /* with TS_NEXT_FAIL: "SLW-0404" condition, "SLW-0405" environment */
    char why[TS_NEXT_WHY_MAX];
};

enum ts_outcome {
    TS_STEP_SUCCEEDED,
    TS_STEP_FAILED,
    TS_STEP_FAILED_FOR_GOOD, /* the sequence fails, whatever continue-on-error says */
};

/**
 * ts_sequence_new() - start, or go on
 * @doc, @vars, @facts: borrowed for the life of the sequence; @facts may be NULL
 * @position: index of the step to begin with; 0 for a new run
 * @is_begun: that step had been begun before an interruption: it and the groups around it are not
 *            asked for their conditions again
 */
int ts_sequence_new(const struct ts_document *doc,
                    struct ts_vars *vars,
                    const struct ts_facts *facts,
                    size_t position,
                    bool is_begun,
                    struct ts_sequence **ret);
void ts_sequence_free(struct ts_sequence *sequence);

/* Give the variables of globalVarList their values, unless they have one. For a new run. */
int ts_sequence_set_globals(const struct ts_document *doc, struct ts_vars *vars);

/**
 * ts_sequence_next() - decide
 * @environment: one of enum ts_run_in: where we are
 *
 * A step that may not run in this environment fails with SLW-0405. Return: 0, or -errno from setting
 * _SMSTSCurrentActionName.
 */
int ts_sequence_next(struct ts_sequence *sequence, unsigned environment, struct ts_next *ret);

/**
 * ts_sequence_step_done() - how the step went that TS_NEXT_RUN named
 * @code: for _SMSTSLastActionRetCode
 *
 * A failure of Setup Windows and Configuration Manager is always for good.
 */
int ts_sequence_step_done(struct ts_sequence *sequence, enum ts_outcome outcome, int64_t code);

/* Index of the next step; the number of steps at the end. */
size_t ts_sequence_position(const struct ts_sequence *sequence);

/* Whether a failure that nothing caught has ended it. The position does not tell: whoever keeps one on disk must keep
   this with it, in the same write, or a power cut turns the failure into success. */
bool ts_sequence_has_failed(const struct ts_sequence *sequence);
