/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the commands about distribution have in common
 */

#include "cli/session.h"

/* Print how a content stands on each of its distribution points: the answer of /content/{id}/distribution. */
bool distribution_print(struct session *s, json_t *status);
