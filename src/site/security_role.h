/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Security roles: permissions under a name (docs/security-roles.md)
 *
 * @which, where it stands, is an id or a name.
 */

#include "site/named.h"

/* Those that come with the site, as this program knows them; at its start. */
int security_role_put_builtins(struct site *site);

/* Add a permission, "device.read"; refused if it is none. */
int security_role_permit(struct site *site, const char *id, const char *permission);

int security_role_find(struct site *site, const char *which, char ret[static NAMED_ID_MAX]);
int security_role_list(struct site *site, const struct page *page, json_t **ret);

/* With its permissions; what can be given to security_role_create() again. */
int security_role_get(struct site *site, const char *which, json_t **ret);

/* POST /security-roles: {"name", "comment", and "copy_of" or "permissions": ["device.read", …]} */
int security_role_create(struct site *site, const char *who, const json_t *body, json_t **ret);

/* PATCH: {"name", "comment", "permissions"}; what is absent stays */
int security_role_set(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret);

/* Not a built-in one, and not while somebody has it. */
int security_role_delete(struct site *site, const char *who, const char *which);
