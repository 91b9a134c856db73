/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Environment variables in the paths of conditions: what is left of "%NAME%" when variables are expanded
 */

#include <stdbool.h>

#include "base/buf.h"

struct ts_facts;

/**
 * ts_environment_expand() - replace what is left
 * @facts: NULL: nobody knows an environment
 * @ret: appended
 * @why: which name means nothing here, and why; appended
 *
 * A '%' without a name and another '%' behind it stays. Return: false if a name means nothing here.
 */
bool ts_environment_expand(const struct ts_facts *facts,
                           const char *text,
                           struct buf *ret,
                           struct buf *why);

/* Whether @text has the name of a folder of Windows, "%ProgramFiles%", in it. */
bool ts_environment_is_of_windows(const char *text);
