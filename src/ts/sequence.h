/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What to run next: the task sequence as a machine that runs nothing itself
 *
 *     for (;;) {
 *         ts_sequence_next(sequence, environment, &next);
 *         if (next.kind == TS_NEXT_RUN)
 *             ts_sequence_step_done(sequence, &how_it_went, &after);
 *         else if (next.kind == TS_NEXT_SUCCEEDED || next.kind == TS_NEXT_FAILED)
 *             break;
 *     }
 *
 * The sequence and its children are one table of instructions (docs/protocol/sequencer.md has the rules). The
 * whole memory is a position in it, plus the variables: what docs/protocol/state.md keeps on disk. Groups and
 * nested sequences are ranges of instructions, so that a position says in which of them one is. The condition
 * of a group is evaluated when the position is the group's first instruction.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ts/document.h"

struct ts_condition;
struct ts_facts;
struct ts_sequence;
struct ts_vars;

enum {
    TS_NEXT_WHY_MAX = 1024,
    TS_NESTING_MAX = 16,            /* sequences within one another */
    TS_INSTRUCTIONS_MAX = 10000,    /* of all of them */
    TS_RERUNS_MAX = 64,             /* of one step by SMSTSRetryRequested */
    TS_NOTICE_MAX_S = 24 * 60 * 60, /* before a restart */
};

/* A sequence that Run Task Sequence may name. */
struct ts_child {
    const char *id;                     /* "SLP00005" */
    const struct ts_document *document; /* borrowed */
    bool is_disabled;
};

/* All borrowed for the life of the sequence. */
struct ts_start {
    const struct ts_document *document;
    const struct ts_child *children;
    size_t n_children;
    struct ts_vars *vars;
    const struct ts_facts *facts; /* NULL: none */
    size_t position;              /* instruction to begin with; 0 for a new run */
    /* told of each condition that is evaluated; NULL: nobody wants to know */
    void (*asked)(void *ctx, const struct ts_condition *condition);
    void *asked_ctx;
    bool
        is_begun; /* that instruction had been begun before an interruption: it and the groups around it are
                      not asked for their conditions again */
};

/* Outcome of ts_sequence_new() beside 0 */
enum {
    TS_SEQUENCE_E_LIMIT = 1, /* more than TS_INSTRUCTIONS_MAX instructions */
};

int ts_sequence_new(const struct ts_start *start, struct ts_sequence **ret);
void ts_sequence_free(struct ts_sequence *sequence);

/* Give the variables of globalVarList their values, unless they have one, and let nobody see those that a step hides, from the
   beginning. For a new run. */
int ts_sequence_set_globals(const struct ts_document *doc, struct ts_vars *vars);

/* The id of the sequence that a Run Task Sequence step names; NULL: the step is of another type. */
const char *ts_step_child(const struct ts_step *step);

enum ts_next_kind {
    TS_NEXT_RUN,       /* run the step, then call ts_sequence_step_done() */
    TS_NEXT_SKIP,      /* the step, group or nested sequence is left out; why says the reason */
    TS_NEXT_FAIL,      /* the step failed without being run; error_id and why say the reason */
    TS_NEXT_SUCCEEDED, /* the end; asked again, the same answer */
    TS_NEXT_FAILED,    /* the end after a failure that nothing caught */
};

struct ts_next {
    enum ts_next_kind kind;
    size_t index;                 /* of the instruction; of the first of a group */
    size_t n_left_out;            /* with TS_NEXT_SKIP: instructions */
    const struct ts_item *item;   /* what it is about; NULL at the end */
    const struct ts_step *step;   /* NULL for a group and at the end */
    const struct ts_group *group; /* NULL for a step and at the end */
    const char
        *error_id; /* with TS_NEXT_FAIL: "SLW-0405" environment, "SLW-0416" nested sequence */
    char why[TS_NEXT_WHY_MAX];      /* what its condition saw, also with TS_NEXT_RUN */
    char warnings[TS_NEXT_WHY_MAX]; /* what conditions could not answer; "" if they could */
};

/**
 * ts_sequence_next() - decide
 * @environment: one of enum ts_run_in: where we are
 *
 * Return: 0, or -errno from setting the engine's variables.
 */
int ts_sequence_next(struct ts_sequence *sequence, unsigned environment, struct ts_next *ret);

enum ts_outcome {
    TS_STEP_SUCCEEDED,
    TS_STEP_FAILED,
    TS_STEP_FAILED_FOR_GOOD, /* the sequence fails, whatever continue-on-error says */
};

enum ts_restart {
    TS_NO_RESTART,
    TS_RESTART_TO_BOOT_IMAGE,
    TS_RESTART_TO_FULL_OS,
};

struct ts_result {
    enum ts_outcome outcome;
    int64_t code;            /* for _SMSTSLastActionRetCode */
    enum ts_restart restart; /* what the step itself asks for */
    bool is_same_step_again; /* with that restart: it goes on there, and is not done yet */
    unsigned environment;    /* of enum ts_run_in: where it ran */
    unsigned n_starts;       /* how often it has been begun, this time included */
    bool has_place;          /* a volume keeps the state, so a restart finds it again */
};

struct ts_after {
    enum ts_restart restart;
    bool is_same_step_again;
    bool is_by_engine;   /* nobody has been given notice of the restart yet: */
    unsigned notice_s;   /* so long */
    const char *message; /* with these words, "" for the usual ones; borrowed from the variables */
    const char
        *error_id; /* a step that succeeded fails after all: "SLW-0415", "SLW-0417"; NULL: no */
    char why[TS_NEXT_WHY_MAX];
};

/**
 * ts_sequence_step_done() - how the step went that TS_NEXT_RUN named, and what that means
 *
 * A failure of Setup Windows and Configuration Manager is always for good. After a restart a new sequence begins
 * at ts_sequence_position(), begun if it is the same step again.
 */
int ts_sequence_step_done(struct ts_sequence *sequence,
                          const struct ts_result *result,
                          struct ts_after *ret);

/**
 * ts_sequence_left_out() - what the failure of a step has left out, right after it: one group, nested sequence or step after
 *                          the other
 * @failed: index of the step
 * @index: behind @failed; from then on behind the last answer, by its n_left_out
 * @ret:   TS_NEXT_SKIP, and why
 *
 * Return: whether there is one at @index.
 */
bool ts_sequence_left_out(const struct ts_sequence *sequence,
                          size_t failed,
                          size_t index,
                          struct ts_next *ret);

/* Index of the next instruction; their number at the end. */
size_t ts_sequence_position(const struct ts_sequence *sequence);

/* The next instruction is another one, whatever happened before: a step that runs is as if it had not, a failure as if it
   had been caught. For a debugger. @position: of an instruction, or their number: the end */
void ts_sequence_set_position(struct ts_sequence *sequence, size_t position);

/* How many instructions there are. */
size_t ts_sequence_size(const struct ts_sequence *sequence);

/**
 * ts_sequence_count() - the number of a step as people count: a nested sequence is the one step that runs it, and what is
 *                       disabled is none
 * @index: of an instruction
 * @ret_number: from 1, for a step that is enabled
 * @ret_n: of how many
 */
void ts_sequence_count(const struct ts_sequence *sequence,
                       size_t index,
                       size_t *ret_number,
                       size_t *ret_n);

/* The step of an instruction; NULL behind the last. */
const struct ts_step *ts_sequence_step(const struct ts_sequence *sequence, size_t index);

/* Append "Group/Nested sequence/Step" for an item of struct ts_next: the step at @index, or a group around it. */
void ts_sequence_put_item_path(const struct ts_sequence *sequence,
                               size_t index,
                               const struct ts_item *item,
                               struct buf *ret);

/* Whether a failure that nothing caught has ended it. The position does not tell: whoever keeps one on disk must keep
   this with it, in the same write, or a power cut turns the failure into success. */
bool ts_sequence_has_failed(const struct ts_sequence *sequence);
