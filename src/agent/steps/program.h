/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * How a step starts a program: Run Command Line and every other step that runs something
 *
 *     struct program program = {.command = line, .folder = folder, .timeout_s = c->step->timeout_s};
 *
 *     r = program_run(c, &program, &code, ret);
 *     if (r < 0 || ret->error_id)
 *         return TRACE(r);
 *     return program_judge(c, code, ret);
 *
 * The program gets the task sequence's variables as its environment, nothing to read, and what it prints goes to
 * smsts.log line by line while it runs. When its time is up or the site has cancelled the order, it ends with all that
 * descend from it, whatever group or session they made for themselves (plat/process.h). While the order is paused it
 * stands still. What it left behind when it ended by itself goes on.
 */

#include <stdbool.h>

#include "agent/steps/step.h"
#include "base/buf.h"
#include "base/bytes.h"

enum {
    PROGRAM_OUTPUT_LOG_MAX = 256 * 1024,  /* bytes of the log that the output of a run gets */
    PROGRAM_OUTPUT_VARIABLE_CHARS = 1000, /* the last ones, as documented */
    PROGRAM_OUTPUT_TOLD_MAX = 4096,       /* bytes at the end that the site is told */
    PROGRAM_EXIT_BY_SIGNAL = 128,         /* the exit code is then 128 + signal, as shells count */
};

/* All borrowed; what is NULL or zero is not wanted. */
struct program {
    const char *command;     /* a line for /bin/sh; or: */
    const char *const *argv; /* ends with NULL; argv[0] a path, or looked up in PATH */
    const char *shown;       /* what the log says instead of the command; "" : nothing */
    bool is_silent;          /* neither command nor output goes to the log */
    const char *folder;      /* working folder, absolute; NULL: "/" */
    const char
        *package; /* folder of the package it comes from, if it may run as an account: that one then
                                       sees it elsewhere, and a working folder in it too */
    bool
        sets_variables; /* it may set variables by the file that SLW_VARIABLES names, if it runs as root */
    struct bytes input; /* fed to standard input */
    int terminal; /* instead: its side of a pseudo terminal; what it writes there is in no log. progress() of the context is called often; 0: none */
    const char *const *environment; /* more variables, "NAME=VALUE"; ends with NULL */
    struct buf *tail;               /* the end of the output is appended; NULL */
    const char *output_variable;    /* gets the end of the output; NULL or "": none */
    unsigned timeout_s;             /* 0: none */
    const char *user;               /* account to run as; NULL or "": root. Not in the boot image */
    const char *password;           /* of it; NULL or "": none is needed */
    const char *what;               /* for the progress line; NULL: "The command line is running" */
    const char *
        success_codes; /* "0 3010": an exit code that has the lowest eight bits of one of these, and is none
                                       itself, was that one, as no more bits arrive; NULL: as it comes */
};

/**
 * program_run() - to its end
 * @ret_code: how it exited (PROGRAM_EXIT_BY_SIGNAL)
 * @ret:      a failure if it could not be started (SLW-0432, SLW-0425), ran too long (SLW-0431), was ended because the
 *            order was cancelled (SLW-0406), was ended by a signal (SLW-0430), its output could not be kept
 *            (SLW-0407), or it set variables that cannot be (SLW-0468); otherwise untouched but for exit_code
 *
 * Return: 0 or -errno.
 */
int program_run(struct step_context *c,
                const struct program *program,
                int *ret_code,
                struct step_result *ret);

/* @code is a failure (SLW-0430) unless the step has it among its success codes. Return: 0. */
int program_judge(struct step_context *c, int code, struct step_result *ret);

/**
 * program_run_as() - the account that a step or the variables name
 * @family: "RunCommandLine" or "RunPowerShell": of SMSTS<family>AsUser, ...UserName and ...UserPassword
 * @program: gets user and password; they stay as long as the step's values
 */
void program_run_as(struct step_context *c, const char *family, struct program *program);
