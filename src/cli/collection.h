/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What commands about collections and about their rules have in common
 */

#include <jansson.h>
#include <stdbool.h>

struct session;

/* Required deployments that reach more devices by a change; @collection: as the site has answered it. */
bool collection_print_reach(struct session *s, const json_t *collection);
