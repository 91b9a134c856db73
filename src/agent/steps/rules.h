/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Rules of an application: what it requires, and how it is known that it is installed (docs/steps.md)
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"

struct step_context;

/* Whether @rules is a list of rules, or NULL; if not, @why says what is wrong. */
bool rules_check(const json_t *rules, struct buf *why);

/**
 * rules_hold() - whether all of them do, here and now
 * @folder: of the package, where commands start
 * @why: the first that does not, appended
 */
bool rules_hold(struct step_context *c, const json_t *rules, const char *folder, struct buf *why);
