/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Languages and keyboard of Apply Windows Settings
 */

#include "agent/steps/step.h"

/**
 * locale_apply() - write them into the volume
 * @root: inside_open()
 * @ret: a failure (SLW-0439) if a name makes no sense
 *
 * A locale that the image lacks is left to locale_make(), if the system will be able to make it, and otherwise left out
 * with a warning.
 *
 * Return: 0 or -errno.
 */
int locale_apply(struct step_context *c, int root, struct step_result *ret);

/* The keyboard, likewise; with an input locale that is not known, nothing is written. */
int locale_apply_keyboard(struct step_context *c, int root, struct step_result *ret);

/* In the system that runs: what locale_apply() left to it. @ret: a failure only if it was cancelled or took too long. */
int locale_make(struct step_context *c, struct step_result *ret);
