/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The one place where it is decided who may: before every handler, by what the contract says (docs/security-roles.md)
 */

#include <stdbool.h>

#include "rt/http_server.h"

/* For struct http_server_options; its ctx is a struct api. */
http_guard guard_handle;

/* Whether who makes this request may do another operation with the same parameters. Outcomes as of src/site. */
struct api;
struct permission;
int guard_check(struct api *api, struct http_exchange *x, const struct permission *permission);

/* Whether the contract has it for administrators alone, not for devices, roles or everybody. */
bool guard_is_for_administrators(const struct http_route *route);

/**
 * guard_authorize() - may who makes this request do another one, which somebody else serves
 * @path: with its query, as nginx passes it on
 *
 * Outcomes as of src/site.
 */
int guard_authorize(struct api *api, const char *method, const char *path);
