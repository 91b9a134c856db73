/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Work of the distribution point, followed to its end
 */

#include "cli/session.h"

/* Follow with progress on standard error. Return: whether it succeeded; a failure is reported. */
bool operation_follow(struct session *s, const char *id);
