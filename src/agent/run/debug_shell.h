/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A shell on a pseudo terminal, whose other end is an administrator's terminal
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/bytes.h"

struct debug_shell {
    pid_t pid;  /* 0: there is none */
    int pty;    /* owned; valid if there is one */
    int status; /* of the last one, when it has ended: as a shell counts */
};

enum {
    DEBUG_SHELL_PIECE_MAX = 16 * 1024, /* bytes of output in one message */
};

/* Start it. One that runs stays. */
int debug_shell_open(struct debug_shell *shell);

/* What was typed. Dropped if there is none. */
int debug_shell_type(struct debug_shell *shell, struct bytes text);

/**
 * debug_shell_read() - what it has written since
 * @ret: appended
 *
 * Return: whether it has ended meanwhile.
 */
bool debug_shell_read(struct debug_shell *shell, struct buf *ret);

/* End it and all of its process group. */
void debug_shell_close(struct debug_shell *shell);
