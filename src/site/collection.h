/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Collections of devices: the two built-in ones, whose members follow from a rule, and those made by people
 */

#include "site/rows.h"
#include "site/site.h"

/* @ret: its id, by id or by name. Return: 0 or SITE_E_REFUSED. */
int collection_find(struct site *site, const char *which, char ret[static SITE_ID_MAX]);

/* POST /collections: {"name", "comment"} */
int collection_create(struct site *site, const char *who, const json_t *body, json_t **ret);

/* With its members, at most COLLECTION_MEMBERS_MAX. */
int collection_get(struct site *site, const char *which, json_t **ret);
int collection_list(struct site *site, const struct page *page, json_t **ret);

/* PATCH /collections/{id}: {"variable_priority"}: 1 to 9; of two collections with a variable the higher one's counts. */
int collection_change(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret);

/* POST /collections/{id}/members: {"device"}; a member stays one. */
int collection_add_member(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret);

/* The same for a device that is known by its id; within the caller's transaction. */
int collection_add_device(struct site *site, const char *which, const char *device_id);
