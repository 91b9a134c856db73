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

#include "base/buf.h"
#include "base/bytes.h"
#include "format/cmtrace/cmtrace.h"

struct buf;
struct journal;
struct log_settings;
struct ts_vars;

enum {
    JOURNAL_BATCH_MAX =
        128 * 1024, /* bytes that wait for the site; the newest go first overboard */
};

/**
 * journal_new() - begin
 * @path: the file in memory, "/run/slipway/smsts.log"; made anew, and what was old of it is removed
 */
int journal_new(const char *path, struct journal **ret);
void journal_free(struct journal *j);

/* How much is written and kept from now on (format/cmtrace/log_settings.h); at first, what log_settings_init() says. */
void journal_set(struct journal *j, const struct log_settings *settings);

/* Values of secret variables of @vars (borrowed, NULL: none) are masked from now on. */
void journal_set_vars(struct journal *j, const struct ts_vars *vars);

/* Append @text without the values of secret variables. */
void journal_mask(const struct journal *j, const char *text, struct buf *ret);

/**
 * journal_attach() - also write to @path, beginning with everything that is not in it yet
 * @path: ends with ".log". NULL: no longer; a file that is attached later then gets everything from the start
 */
int journal_attach(struct journal *j, const char *path);

/* A line. Best effort: a log that cannot be written stops no deployment. */
#define journal_write(j, type, component, ...) \
    journal_write_at( \
        (j), (type), (component), __FILE_NAME__ ":" JOURNAL_TEXT(__LINE__), __VA_ARGS__)
#define JOURNAL_TEXT(line)       JOURNAL_TEXT_OF(line)
#define JOURNAL_TEXT_OF(literal) #literal

/* @file: "run.c:80" */
__attribute__((format(printf, 5, 6))) void journal_write_at(struct journal *j,
                                                            enum cmtrace_type type,
                                                            const char *component,
                                                            const char *file,
                                                            const char *format,
                                                            ...);

/**
 * journal_read() - the whole log: of the attached file if there is one, the old files first
 * @ret: its max bounds it; of more than that the end, from the beginning of a line
 *
 * Return: 0 or -errno.
 */
int journal_read(const struct journal *j, struct buf *ret);

/* What the site has not got yet: whole lines; and the first @n bytes of it were sent. */
struct bytes journal_pending(const struct journal *j);
void journal_sent(struct journal *j, size_t n);
