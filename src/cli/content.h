/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the commands for content have in common
 */

#include "cli/session.h"

/* "/os-images" and the like, by the command's noun. */
const char *content_place(const char *noun);

/* The one that the first operand names, by id or name, of the command's noun: so "package delete" deletes no image. */
bool content_find(struct session *s, const struct args *args, json_t **ret);

/* Print one, with what it is made of. @place: of content_place() */
bool content_print(struct session *s, const char *place, const char *id);
