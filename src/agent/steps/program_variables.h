/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* The file by which a program sets variables: docs/protocol/programs.md, Setting variables */

struct step_context;
struct step_result;

enum {
    PROGRAM_VARIABLES_PATH_MAX = 64,
};

/* Start with {0}. */
struct program_variables {
    int fd;                                /* valid if there is a path */
    char path[PROGRAM_VARIABLES_PATH_MAX]; /* "": none */
};

/* Make the file, empty, for root alone. Return: 0 or -errno. */
int program_variables_begin(struct program_variables *v);

/**
 * program_variables_take() - the program has ended: set what it says
 * @code: how it exited
 * @ret:  a failure (SLW-0468) if a line is none
 *
 * Return: 0 or -errno.
 */
int program_variables_take(struct program_variables *v,
                           struct step_context *c,
                           int code,
                           struct step_result *ret);

/* Remove the file. May be called twice. */
void program_variables_fini(struct program_variables *v);
