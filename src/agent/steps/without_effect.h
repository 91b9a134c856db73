/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* What a step is told that means nothing on Linux */

#include "agent/steps/step.h"

/* A line for each variable of the step, or for it, that is set and has no effect here (ts/step_types.h). */
void step_log_without_effect(struct step_context *c);
