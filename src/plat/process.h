/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Programs run by argument vector, never by a shell's line, unless the shell is the program
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

/* An account to run as, by numbers. */
struct process_user {
    uint32_t uid;
    uint32_t gid;
    const uint32_t *groups; /* all that it is a member of */
    size_t n_groups;
};

/* What on_tick() answers */
enum process_tick {
    PROCESS_GO_ON,
    PROCESS_PAUSE, /* a whole tree stands still until another answer, and its time does not run */
    PROCESS_END,   /* killed; a whole tree gets SIGTERM first, and PROCESS_GRACE_S to heed it */
};

enum {
    PROCESS_GRACE_S = 10,
};

struct process_options {
    const char *const *argv; /* ends with NULL; argv[0] is a path or is looked up in PATH */
    const char *const *envp; /* ends with NULL; NULL: ours */
    const char *folder;      /* working directory; NULL: ours */
    struct bytes input;      /* fed to standard input, which is otherwise /dev/null */
    int terminal; /* the program's side of a pseudo terminal, borrowed: it has that for input and output both, and to itself; 0: none */
    struct buf *output;              /* standard output and error, both; NULL: ours */
    uint64_t timeout_us;             /* it is killed then, with its process group; 0: none */
    const struct process_user *user; /* NULL: ours; the folder is entered before */
    /* It is killed with all that descend from it, in whatever process group or session. What it leaves behind when it
       ends by itself stays. */
    bool is_whole_tree;
    void (*on_output)(void *ctx, struct bytes piece); /* called as output arrives; may be NULL */
    /* called when it has begun, then about once a second; may be NULL */
    enum process_tick (*on_tick)(void *ctx);
    uint64_t tick_us; /* 0: a second */
    void *ctx;        /* for both */
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
 * Return: 0 with @ret set, or -errno if it could not be started (-ENOENT: no such program; -EPERM: not as this
 *         user). More output
 *         than @output holds is dropped, and @output->failed says so.
 */
int process_run(const struct process_options *options, struct process_result *ret);
