/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Faults in the system calls of a process: also those that libraries make
 *
 * The process runs under ptrace(). Its calls that change files are counted, in all of its threads: a test
 * tries the first, then the second, and so on, until a run goes through without meeting the fault.
 */

#include <stdbool.h>

enum inject {
    INJECT_KILL, /* SIGKILL before that call */
    INJECT_EIO,  /* that one call fails */
    INJECT_FULL, /* from that call on, those that need space fail with ENOSPC */
};

struct inject_outcome {
    bool was_met;
    int status; /* of the process, as from waitpid() */
};

/**
 * inject_run() - run @attempt in a process of its own
 * @attempt: what it returns, 0..255, is the status that the process exits with
 * @nth:     from 1
 *
 * Return: 0, or -1 if the process could not be traced.
 */
int inject_run(int (*attempt)(void *ctx),
               void *ctx,
               enum inject fault,
               unsigned nth,
               struct inject_outcome *ret);
