/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * One process of the server
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "rt/sandbox.h"

enum {
    CHILD_FIRST_FD = 3, /* where the descriptors given to it begin */
    CHILD_FDS_MAX = 5,
};

struct child_command {
    const char *path;
    const char *const *argv; /* ends with NULL */
    const char *const *envp; /* ends with NULL */
    const char *folder;      /* working directory */
    struct sandbox_identity who;
    bool is_root;           /* otherwise it stays who we are */
    int fds[CHILD_FDS_MAX]; /* become 3, 4, …; -1: that number stays closed */
    int death_signal;       /* what it gets when we die */
    const struct sandbox_path
        *paths; /* of a program that cannot confine itself, which is done for it then;
                                         NULL: it does so by itself */
};

/**
 * child_spawn() - start, in a process group of its own, with these descriptors and 0 to 2 and no other
 *
 * A failure behind fork() is written to standard error by the child, which exits with 127.
 */
int child_spawn(const struct child_command *command, pid_t *ret);
