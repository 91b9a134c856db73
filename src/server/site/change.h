/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Every change by an administrator: on what it is based, whether it was done already, and whether it is only tried
 */

#include "server/site/api.h"
#include "site/permission.h"

/**
 * change_handle() - do it with If-Match, Idempotency-Key and validate_only
 *
 * Return: as of an http_handler.
 */
int change_handle(struct api *api,
                  struct http_exchange *x,
                  const struct http_route *route,
                  const struct permission *permission);

/**
 * change_show() - answer a GET of what can be changed, with its ETag
 * @permission: has shown_by
 */
int change_show(struct api *api,
                struct http_exchange *x,
                const struct http_route *route,
                const struct permission *permission);

/* The header ETag for what @value shows. */
int change_add_etag(struct http_exchange *x, const struct permission *permission, json_t *value);
