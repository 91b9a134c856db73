/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Faults at a chosen call: no memory, no space on the disk, or the end of the process
 *
 * The linker leads the calls of our own code (not those of libraries) to here first. A test arms a fault
 * for the first call, then for the second, and so on, until a run goes through without meeting it: then
 * every place has been tried. Calls of all threads count.
 */

#include <stdbool.h>

enum fault {
    FAULT_MEMORY, /* that one malloc(), calloc(), realloc() or strdup() returns NULL */
    FAULT_SPACE, /* from that write(), fsync(), mkdir(), rename(), unlink() or making open() on: ENOSPC */
    FAULT_DISK, /* the same, but EIO */
    FAULT_LIFE, /* SIGKILL at that write(), fsync(), mkdir(), rename(), unlink() or making open() */
};

/* @nth: from 1 */
void faults_arm(enum fault fault, unsigned nth);

/* Everything works again. Return: whether the fault was met. */
bool faults_disarm(void);
