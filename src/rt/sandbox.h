/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a process gives up: identity, capabilities, system calls, folders
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SANDBOX_GROUPS_MAX = 4,
};

struct sandbox_identity {
    uint32_t uid;
    uint32_t gid;
    uint32_t groups[SANDBOX_GROUPS_MAX]; /* supplementary */
    size_t n_groups;
    bool may_bind_low_ports; /* keep CAP_NET_BIND_SERVICE, also over execve() */
    unsigned
        rt_priority_max; /* highest real-time priority its threads may take, as far as root may allow it; 0: none */
};

/**
 * sandbox_become() - root becomes somebody else for good, with no capability but the one named
 *
 * Between fork() and execve(): calls only what may be called there.
 */
int sandbox_become(const struct sandbox_identity *who);

/**
 * sandbox_lock() - no new privileges, no core dumps, a bounded number of descriptors
 */
int sandbox_lock(void);

/* System calls that a process may make. */
enum sandbox_calls {
    SANDBOX_CALLS_SERVE, /* files, sockets, threads; runs no program; anything else is EPERM */
    SANDBOX_CALLS_WORK,  /* all but those that change the machine or look into other processes */
};

int sandbox_filter(enum sandbox_calls calls);

/* A folder or file that a process may use; what is not there is skipped. */
struct sandbox_path {
    const char *path; /* NULL ends a list */
    bool is_writable;
};

/* Outcome of sandbox_confine() beside 0 */
enum {
    SANDBOX_E_UNSUPPORTED = 1, /* this kernel has no Landlock, or the container hides it */
};

/**
 * sandbox_confine() - from now on only these paths can be opened (Landlock)
 * @may_execute: whether programs below those that are not writable may be run
 */
int sandbox_confine(const struct sandbox_path *paths, bool may_execute);
