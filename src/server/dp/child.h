/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A worker process: a job goes in, lines come out while it runs, and it can be killed
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/bytes.h"

enum {
    CHILD_LINE_MAX_BYTES = 1024 * 1024,
};

struct child {
    pid_t pid;       /* 0: there is none */
    bool is_group;   /* it leads a process group of its own */
    int in_fd;       /* owned; its standard input; -1: closed */
    int out_fd;      /* owned */
    struct buf rest; /* owned; output that is no whole line yet */
};

#define CHILD_INIT ((struct child){.in_fd = -1, .out_fd = -1})

struct child_command {
    const char *const *argv; /* ends with NULL; argv[0] is a path */
    struct bytes input;      /* its standard input, at once */
    bool is_input_open;      /* more may follow: child_say(); otherwise its input ends there */
    bool
        is_group; /* it gets a process group of its own, and is killed with everything in it; otherwise whoever
                      kills our group kills it too */
};

/**
 * child_start() - run a program
 * @ret: CHILD_INIT; child_fini() releases it, also after a failure
 *
 * SIGPIPE must be ignored: a program that ends without reading its input is no failure of the start.
 */
int child_start(const struct child_command *command, struct child *ret);

/* More input, without waiting: what it does not take now is lost with it. */
void child_say(const struct child *child, const char *text);

/* Kill it, if it still runs. */
void child_fini(struct child *child);

/**
 * child_end() - after CHILD_E_END: wait for its end, for a few seconds, then kill it
 * @ret_how: appended: "exited with status 1", "was killed by signal 9 (Killed)"
 */
void child_end(struct child *child, struct buf *ret_how);

/* Outcomes of child_read_line() beside 0 */
enum {
    CHILD_E_NOTHING_YET = 1,
    CHILD_E_END = 2, /* it has closed its output */
};

/**
 * child_read_line() - wait for a line
 * @ret: emptied, then the line without its newline; a line that is too long is an error
 */
int child_read_line(struct child *child, unsigned timeout_ms, struct buf *ret);
