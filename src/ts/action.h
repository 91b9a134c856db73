/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The text of <action>: the command of a step, which the template of its type makes of the step's variables
 *
 * Not always: a step of MDT, of no type, or of one that nobody knows here has a command of its own, and often nowhere else.
 */

#include <stdbool.h>

#include <libxml/tree.h>

#include "base/buf.h"

struct ts_step_type;

/* What the template of the type makes of these variables, a <defaultVarList> or NULL; docs/protocol/task-sequence.md. */
void ts_action_put(const struct ts_step_type *type, const xmlNode *variables, struct buf *ret);

/* Whether the text of <action> is empty, or what the template makes; but for the case of letters, and for spaces at the end. */
bool ts_action_is_made(const struct ts_step_type *type, const xmlNode *step);

/**
 * ts_action_make_anew() - what the command of a step is after some of its variables have changed
 * @type: of both
 * @before: the step as it was; NULL: it is new
 * @ret: that text
 *
 * Only what the template made is made anew, and only if what it makes has changed. A value that ends the template and stands in
 * <action> only, as MDT writes it, stays.
 *
 * Return: whether it is another than it was.
 */
bool ts_action_make_anew(const struct ts_step_type *type,
                         const xmlNode *before,
                         const xmlNode *step,
                         struct buf *ret);

/**
 * ts_action_find_own() - where the command of a step is in <action>, if it has none in its variables
 * @type: NULL: none of ours
 * @text: of <action>
 * @property: "CommandLine"; the template of the type must end with it
 *
 * Return: all of @text if the template did not make it; of "smsswd.exe /run:PACKAGE COMMAND" the command. NULL: the type has no
 * such command.
 */
const char *
ts_action_find_own(const struct ts_step_type *type, const char *text, const char *property);
