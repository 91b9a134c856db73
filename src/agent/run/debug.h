/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The debugger's end on the computer: docs/protocol/debugger.md. What a command means is decided in ts/debugger.h
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/run/debug_shell.h"

struct runner;
struct step_result;

struct debug {
    json_t *outbox;  /* owned; what the site has not got yet */
    uint64_t number; /* of the last message from here; grows over restarts */
    struct debug_shell shell;
    bool stands; /* commands are awaited */
    bool leaves; /* it is to go on, */
    bool ends;   /* or to fail */
    bool has_moved;
};

/**
 * runner_debug() - before an instruction, or after one that has failed: what came is obeyed, and it stops if the debugger says so
 * @failed: NULL: before the instruction at the sequence's position
 * @ret_has_moved: the next instruction is another one
 *
 * Return: 0, RUNNER_E_OVER, RUNNER_E_FAILED if the debugger has ended the sequence, or -errno.
 */
int runner_debug(struct runner *rn, const struct step_result *failed, bool *ret_has_moved);

void debug_fini(struct debug *debug);
