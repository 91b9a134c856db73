/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a step gets for one of its settings: the agent, the simulation and the validator ask here
 */

#include <stdbool.h>

#include "base/buf.h"

struct ts_step;
struct ts_vars;

/**
 * ts_step_value() - the text of a setting, not expanded
 * @vars: NULL: the step's own text alone counts
 * @name: of the variable, "SMSRebootTarget"
 *
 * A variable of that name that has been set comes before what the step says, but for arguments (hidden="true").
 *
 * Return: borrowed from @step or @vars; "" if there is none.
 */
const char *ts_step_value(const struct ts_step *step, const struct ts_vars *vars, const char *name);

/* Whether a command or script of the family ("RunCommandLine", "RunPowerShell") is to run as an account. */
bool ts_step_wants_account(const struct ts_step *step,
                           const struct ts_vars *vars,
                           const char *family);

/* The target that stands in <action> only, as MDT writes it: "HD" of "smsboot.exe /target:HD", not expanded. Nothing if the
   step is no Restart Computer, or has none there. */
void ts_step_put_action_target(const struct ts_step *step, struct buf *ret);

/* The target of a Restart Computer: of its variable, otherwise of <action>; "" means WinPE. @vars: NULL: nothing is expanded */
void ts_step_put_target(const struct ts_step *step, const struct ts_vars *vars, struct buf *ret);
