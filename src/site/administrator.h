/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Administrators, what they are granted, and their tokens (docs/security-roles.md)
 *
 * @which, where it stands, is an id or a name.
 */

#include "site/named.h"

/* Kinds: who keeps the password and the groups. */
#define ADMINISTRATOR_LOCAL           "local"
#define ADMINISTRATOR_DIRECTORY_USER  "directory-user"
#define ADMINISTRATOR_DIRECTORY_GROUP "directory-group"
#define ADMINISTRATOR_OIDC_USER       "oidc-user"
#define ADMINISTRATOR_OIDC_GROUP      "oidc-group"

enum {
    ADMINISTRATOR_NAME_MAX = 60,
    ADMINISTRATOR_TOKEN_DAYS_MAX = 366,
};

int administrator_find(struct site *site, const char *which, char ret[static NAMED_ID_MAX]);
int administrator_list(struct site *site, const struct page *page, json_t **ret);

/* Small letters, digits, and . _ @ - */
bool administrator_is_name(const char *name);

/* With "grants", and "groups" of which he is a member. */
int administrator_get(struct site *site, const char *which, json_t **ret);

/*
 * POST /administrators: {"name", "comment", "kind", "external_name"}; a name is in lower case, without blanks. The external name is
 * a directory's group's distinguished name, what an OpenID provider calls a group, or its subject of somebody.
 */
int administrator_create(struct site *site, const char *who, const json_t *body, json_t **ret);

/* PATCH: {"comment", "is_disabled"}; who is disabled loses his tokens */
int administrator_set(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret);
int administrator_delete(struct site *site, const char *who, const char *which);

/* {"role", and "scope" or "collection"}; @ret: the administrator */
int administrator_grant(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret);

/* @target: id or name of a security scope, or of a collection */
int administrator_revoke(
    struct site *site, const char *who, const char *which, const char *role, const char *target);

/* Tokens of the principal. POST: {"name", "permissions": ["device.read", …], "days": 90} */
int administrator_token_list(struct site *site, const struct page *page, json_t **ret);
int administrator_token_create(struct site *site,
                               const char *who,
                               const json_t *body,
                               json_t **ret);
/* What is good for less must not make what is good for more, or undo it. Return: 0 or SITE_E_REFUSED. */
int administrator_check_unlimited(struct site *site);

int administrator_token_revoke(struct site *site, const char *who, const char *id);
