/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A program whose descendants can all be found again
 *
 * Between us and the program stands a process of ours, the keeper: whoever loses its parent below it becomes the
 * keeper's child (a "subreaper"), so double forks and new sessions do not get away. It does nothing but wait. The
 * program may also run as another user.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "plat/process.h"

struct process_tree {
    pid_t keeper;  /* 0: none, or reaped */
    pid_t program; /* its process group has the same number */
    int end;       /* owned; becomes readable when the program has ended, or the keeper has */
    int hold;      /* owned; the keeper ends when this is closed and the program has ended */
};

#define PROCESS_TREE_INIT ((struct process_tree){.end = -1, .hold = -1})

/**
 * process_tree_start() - start it
 * @input, @output: for the program's standard input, output and error; @output -1: ours
 *
 * Return: 0 or -errno, also of what happened in the new process before the program.
 */
int process_tree_start(const struct process_options *options,
                       int input,
                       int output,
                       struct process_tree *ret);

/* Send a signal to the program and all that descend from it. Return: whether somebody was there. SIGKILL is to be sent
   until nobody is. */
bool process_tree_signal(const struct process_tree *tree, int signal);

/* The program has ended: how, as waitpid() says it, and the end of the keeper. */
int process_tree_reap(struct process_tree *tree, int *ret_status);

/* Kill what is there and wait for the keeper. */
void process_tree_fini(struct process_tree *tree);
