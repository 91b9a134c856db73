/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Programs run by argument vector, never by a shell's line, unless the shell is the program
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

struct process_options {
    const char *const *argv; /* ends with NULL; argv[0] is a path or is looked up in PATH */
    const char *const *envp; /* ends with NULL; NULL: ours */
    const char *folder;      /* working directory; NULL: ours */
    struct bytes input;      /* fed to standard input, which is otherwise /dev/null */
    struct buf *output;      /* standard output and error, both; NULL: ours */
    uint64_t timeout_us;     /* the process group is killed then; 0: none */
    void (*on_output)(void *ctx, struct bytes piece); /* called as output arrives; may be NULL */
    /* called when it has begun, then about once a second; false: the process group is killed; may be NULL */
    bool (*on_tick)(void *ctx);
    void *ctx; /* for both */
};

struct process_result {
    int exit_code; /* valid unless killed */
    int signal;    /* 0: it exited */
    bool is_timed_out;
    bool is_stopped; /* by on_tick */
};

/**
 * process_run() - run to the end
 *
 * Return: 0 with @ret set, or -errno if it could not be started (-ENOENT: no such program). More output
 *         than @output holds is dropped, and @output->failed says so.
 */
int process_run(const struct process_options *options, struct process_result *ret);
