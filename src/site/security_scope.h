/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Security scopes: sets of objects that somebody may be granted (docs/security-roles.md)
 *
 * @which, where it stands, is an id or a name.
 */

#include "site/named.h"

int security_scope_find(struct site *site, const char *which, char ret[static NAMED_ID_MAX]);
int security_scope_list(struct site *site, const struct page *page, json_t **ret);

/* With the ids of its objects. */
int security_scope_get(struct site *site, const char *which, json_t **ret);

/* POST /security-scopes: {"name", "comment"} */
int security_scope_create(struct site *site, const char *who, const json_t *body, json_t **ret);

/* Not a built-in one, and not while it is granted; its objects go back to Default if they are in no other. */
int security_scope_delete(struct site *site, const char *who, const char *which);

/* {"class", "object"}: by id or name; needs the permission class.set-scope for it. */
int security_scope_add(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret);

/* @object: id */
int security_scope_remove(
    struct site *site, const char *who, const char *which, const char *class, const char *object);
