/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A debugger of a task sequence: where it stops, and what each command means (docs/protocol/debugger.md)
 *
 * Pure: commands in, what to do out. The whole memory is struct ts_debugger, which the state keeps over restarts.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TS_DEBUG_BREAKS_MAX = 256,
    TS_DEBUG_TEXT_MAX = 16 * 1024, /* bytes of a step, name, value or shell line */
};

enum ts_debug_mode {
    TS_DEBUG_OFF,    /* nobody debugs: it stops nowhere */
    TS_DEBUG_STEP,   /* it stops before the next instruction */
    TS_DEBUG_RUN,    /* it stops at break points and errors */
    TS_DEBUG_RUN_TO, /* and before one more instruction */
    TS_DEBUG_MODES,
};

struct ts_debugger {
    enum ts_debug_mode mode;
    bool was_begun; /* it has been on: it is not switched on by itself again */
    size_t run_to;
    size_t breaks[TS_DEBUG_BREAKS_MAX]; /* instructions, ascending */
    size_t n_breaks;
    uint64_t after; /* id of the last message that was obeyed */
};

enum ts_debug_why {
    TS_DEBUG_GOES_ON,
    TS_DEBUG_AT_STEP,
    TS_DEBUG_AT_BREAK,
    TS_DEBUG_AT_RUN_TO,
    TS_DEBUG_AT_ERROR,
};

/* It may be debugged: the first time, it stops before the next instruction. */
void ts_debugger_begin(struct ts_debugger *d);

/* It is debugged from an error on: it stops there, and before nothing else that nobody asks for. */
void ts_debugger_begin_at_error(struct ts_debugger *d);

/**
 * ts_debugger_stops() - whether, and why
 * @position: the instruction that is next; or that has failed
 * @has_failed: it failed, and nothing of its own lets the sequence go on
 */
enum ts_debug_why ts_debugger_stops(const struct ts_debugger *d, size_t position, bool has_failed);

/* "step", "break point", "run to", "error" */
const char *ts_debug_why_text(enum ts_debug_why why);

enum ts_debug_kind {
    TS_DEBUG_DO_WHERE,
    TS_DEBUG_DO_STEPS,
    TS_DEBUG_DO_STEP,
    TS_DEBUG_DO_CONTINUE,
    TS_DEBUG_DO_RUN_TO,
    TS_DEBUG_DO_BREAK,
    TS_DEBUG_DO_CLEAR,
    TS_DEBUG_DO_SET_CURRENT,
    TS_DEBUG_DO_VARIABLES,
    TS_DEBUG_DO_SET_VARIABLE,
    TS_DEBUG_DO_SHELL,
    TS_DEBUG_DO_SHELL_OPEN,
    TS_DEBUG_DO_SHELL_INPUT,
    TS_DEBUG_DO_SHELL_CLOSE,
    TS_DEBUG_DO_CANCEL,
    TS_DEBUG_DO_QUIT,
    TS_DEBUG_KINDS,
};

/* A command; the texts are borrowed from its JSON, "" if they are not there. */
struct ts_debug_command {
    enum ts_debug_kind kind;
    uint64_t number; /* of the sender: answers name it */
    const char *step;
    const char *name;
    const char *value;
    const char *data;
};

/* Outcome of ts_debug_command_parse() beside 0 */
enum {
    TS_DEBUG_E_MALFORMED = 1,
};

/* {"command": "run-to", "number": 7, "step": "3"}; what a kind needs must be there. */
int ts_debug_command_parse(const json_t *json, struct ts_debug_command *ret);

enum ts_debug_act {
    TS_DEBUG_STAYS,  /* it stands where it is, or runs on as before */
    TS_DEBUG_LEAVES, /* if it stands, it goes on */
    TS_DEBUG_MOVES,  /* the next instruction is another one; it stands */
    TS_DEBUG_ENDS,   /* the sequence fails here */
    TS_DEBUG_FULL,   /* there are too many break points: nothing changed */
};

/* @index: of the instruction that a command names, known to be there; for "clear" SIZE_MAX: all */
enum ts_debug_act
ts_debugger_apply(struct ts_debugger *d, const struct ts_debug_command *command, size_t index);

/* For the state. Return: NULL if there is no memory. */
json_t *ts_debugger_to_json(const struct ts_debugger *d);

/* What is missing or makes no sense is as if nobody had debugged. Return: whether all of it made sense. */
bool ts_debugger_from_json(const json_t *json, struct ts_debugger *ret);
