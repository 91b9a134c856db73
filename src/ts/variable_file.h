/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* What a script leaves in the file that SLW_VARIABLES names: docs/protocol/programs.md, Setting variables */

#include "base/buf.h"
#include "base/bytes.h"

struct ts_vars;

enum {
    TS_VARIABLE_FILE_MAX_BYTES = 64 * 1024,
};

/* Outcome beside 0 */
enum {
    TS_VARIABLE_FILE_E_REFUSED = 1,
};

/**
 * ts_variable_file_apply() - set each NAME=VALUE, in the order of the lines, as a step of the sequence would
 * @told: called for each variable that was set, with "***" for a secret value; may be NULL
 * @why:  on the outcome: the first line that is none, or whose variable cannot be set, and why. The others are applied
 *
 * Return: 0, TS_VARIABLE_FILE_E_REFUSED, or -ENOMEM.
 */
int ts_variable_file_apply(struct bytes text,
                           struct ts_vars *vars,
                           void (*told)(void *ctx, const char *name, const char *value),
                           void *ctx,
                           struct buf *why);
