/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Collections of devices: the two built-in ones, whose members follow from a rule, and those made by people
 */

#include "site/rows.h"
#include "site/site.h"

#define COLLECTION_ALL_SYSTEMS "SLP10001"
#define COLLECTION_ALL_UNKNOWN "SLP10002"

/* @ret: its id, by id or by name. Return: 0 or SITE_E_REFUSED. */
int collection_find(struct site *site, const char *which, char ret[static SITE_ID_MAX]);

/* The same of one that an administrator may change: the built-in ones are refused. */
int collection_find_own(struct site *site, const char *which, char ret[static SITE_ID_MAX]);

/* POST /collections: {"name", "comment", "limiting"}; All Systems if nothing limits it. */
int collection_create(struct site *site, const char *who, const json_t *body, json_t **ret);

/* DELETE /collections/{id}: with its rules and variables; refused while a deployment or another collection uses it */
int collection_delete(struct site *site, const char *who, const char *which);

/* With its members, at most COLLECTION_MEMBERS_MAX. */
int collection_get(struct site *site, const char *which, json_t **ret);
int collection_list(struct site *site, const struct page *page, json_t **ret);

/**
 * collection_change() - PATCH /collections/{id}: {"name", "comment", "limiting", "variable_priority"}
 *
 * The answer says in "reaching_more" which required deployments have more devices by it (site/deployment_reach.h).
 * "variable_priority" is 1 to 9: of two collections with a variable the higher one's counts. It is all that may be changed of a
 * built-in collection.
 */
int collection_change(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret);
