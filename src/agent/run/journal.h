/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * smsts.log: every line goes to a file in memory, to the target disk as soon as there is one, and in
 * batches to the site
 *
 * No file stays open between two lines, so that the target can be unmounted at any time.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "format/cmtrace/cmtrace.h"

struct journal;
struct ts_vars;

enum {
    JOURNAL_BATCH_MAX =
        128 * 1024, /* bytes that wait for the site; the newest go first overboard */
    JOURNAL_FILE_MAX = 16 * 1024 * 1024, /* a file that has grown to this is not continued */
};

/**
 * journal_new() - begin
 * @path: the file in memory, "/run/slipway/smsts.log"; made anew
 */
int journal_new(const char *path, struct journal **ret);
void journal_free(struct journal *j);

/* Values of secret variables of @vars (borrowed, NULL: none) are masked from now on. */
void journal_set_vars(struct journal *j, const struct ts_vars *vars);

/**
 * journal_attach() - also write to @path, beginning with everything that is not in it yet
 * @path: NULL: no longer; a file that is attached later then gets everything from the start
 */
int journal_attach(struct journal *j, const char *path);

/* A line. Best effort: a log that cannot be written stops no deployment. */
__attribute__((format(printf, 4, 5))) void journal_write(
    struct journal *j, enum cmtrace_type type, const char *component, const char *format, ...);

/* What the site has not got yet: whole lines; and the first @n bytes of it were sent. */
struct bytes journal_pending(const struct journal *j);
void journal_sent(struct journal *j, size_t n);
