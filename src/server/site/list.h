/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Every list of the API: cursors, filter, order and fields, around a handler that gives pages by its own cursor or all at once
 */

#include "server/site/api.h"
#include "site/permission.h"

/**
 * list_handle() - answer a request for a list
 * @permission: has a list
 *
 * Return: as of an http_handler.
 */
int list_handle(struct api *api,
                struct http_exchange *x,
                const struct http_route *route,
                const struct permission *permission);
