/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What becomes of a log that has grown to its size
 *
 * One old file is "smsts.lo_". If more are kept, their names say when: "smsts-20261122-093005.log".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JOURNAL_OLD_MAX = 32, /* that are looked at */
    JOURNAL_OLD_NAME_MAX = 128,
};

struct journal_old {
    struct journal_old_file {
        char name[JOURNAL_OLD_NAME_MAX]; /* in the folder of the log */
        size_t size_bytes;
        int64_t modified_ns;
    } files[JOURNAL_OLD_MAX]; /* the oldest first */
    size_t n;
};

/* The old files of the log @path, which ends with ".log". None if there is no such folder. Return: 0 or -errno. */
int journal_old_list(const char *path, struct journal_old *ret);

/* "…/smsts.lo_" of "…/smsts.log", or whatever its old file is called. Return: 0 or -errno. */
int journal_old_path(const char *path, const char *name, char *ret, size_t cap);

/* @path becomes an old file; no more than @n_old are left. Return: whether @path is not there any more. */
bool journal_old_make(const char *path, unsigned n_old);

/* Remove them. Best effort. */
void journal_old_remove(const char *path);
