/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Can this task sequence run here? Checked at import, and by `slipway ts validate`, before a machine
 * finds out the hard way.
 */

#include <stdbool.h>
#include <stddef.h>

struct ts_diags;
struct ts_document;

/**
 * ts_validate() - look for what will not work
 * @diags: findings are added. Errors: an enabled step of a type that the agent cannot run, a step
 *         without its required setting, a restart into an operating system that no step has installed.
 *         Warnings: things that are legal but hardly meant
 *
 * Return: 0, also when there are errors (ts_diags_has_error()).
 */
int ts_validate(const struct ts_document *doc, struct ts_diags *diags);

/* Whether the agent can run steps of this type. */
bool ts_type_is_supported(const char *type);

/* All of them; ends with NULL. */
const char *const *ts_supported_types(void);
