/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Lists of names as they are typed: "DP00002,north"
 */

#include <jansson.h>

/* A list of texts, owned by the caller; what is not UTF-8, or empty, becomes "", which no thing is called. */
json_t *names_split(const char *text);
