/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A run of a task sequence in which nothing is done
 *
 * The sequencer is the one that the agent uses. Each step that the agent can run counts as a success with exit code 0; one
 * that it cannot fails as it would there. What steps do is left out, but for what later decisions depend on: variables that
 * steps set, where a restart leads, and whether a volume is there that keeps where the sequence goes on: in the installed
 * system, after Format and Partition Disk or Apply Operating System, or if the facts have a fixed one.
 */

#include <stdbool.h>
#include <stddef.h>

#include "ts/run_time.h"
#include "ts/sequence.h"

struct ts_simulated_value {
    const char *name;
    const char *text; /* expanded, as the step would get it; "***" if it is or holds a secret */
};

/* One decision, or the failure of a step that had begun: TS_NEXT_RUN and then TS_NEXT_FAIL of the same index, with the reason.
   Behind a failure TS_NEXT_SKIP of each group, nested sequence or step that it leaves out. All borrowed for the call. */
struct ts_simulated {
    const struct ts_next *next;              /* TS_NEXT_RUN, _SKIP or _FAIL */
    const char *path;                        /* "Group/Step" */
    unsigned environment;                    /* of enum ts_run_in */
    const struct ts_simulated_value *values; /* of a step that would run */
    size_t n_values;
    const struct ts_dependency
        *depends; /* what its conditions ask for that is known at run time only */
    size_t n_depends;
};

struct ts_simulation {
    struct ts_start start;
    unsigned environment; /* where it begins */
    bool has_volume;      /* one is there already: ts_facts_have_volume() */
    bool has_facts;       /* the computer is known; otherwise what the engine knows of it is not */
    const char *const *asked; /* variables that are asked for on the screen; borrowed */
    size_t n_asked;
    int (*tell)(void *ctx, const struct ts_simulated *decision); /* 0, or -errno, which ends it */
    void *ctx;
};

struct ts_simulation_end {
    bool is_succeeded;
    size_t n_run;
    size_t n_left_out; /* instructions */
    unsigned environment;
};

/* Return: 0, TS_SEQUENCE_E_LIMIT, -ENOMEM, or what tell() returned. */
int ts_simulate(const struct ts_simulation *simulation, struct ts_simulation_end *ret);
