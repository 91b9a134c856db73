/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the commands for content have in common
 */

#include "cli/session.h"

/* "/os-images" and the like, by the command's noun. */
const char *content_place(const char *noun);

/* Print one, with what it is made of. @place: of content_place() */
bool content_print(struct session *s, const char *place, const char *id);
