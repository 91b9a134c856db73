/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Distribution point groups: what is distributed to a group is on each of its members, also on later ones
 *
 * @which, where it stands, is an id (DG00001) or a name.
 */

#include "site/dp.h"
#include "site/rows.h"
#include "site/site.h"

/* Return: 0 or SITE_E_REFUSED. */
int dp_group_find(struct site *site, const char *which, char ret[static DP_ID_MAX]);

/* POST /distribution-point-groups: {"name", "comment"} */
int dp_group_create(struct site *site, const char *who, const json_t *body, json_t **ret);
int dp_group_list(struct site *site, const struct page *page, json_t **ret);

/* With its members and its content. */
int dp_group_get(struct site *site, const char *which, json_t **ret);

/* The members keep their content. */
int dp_group_delete(struct site *site, const char *who, const char *which);

/* {"distribution_point"}: it gets the group's content. @ret: the group */
int dp_group_add_member(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret);

/* It keeps its content. */
int dp_group_remove_member(struct site *site, const char *who, const char *which, const char *dp);

/* A package becomes the group's and goes to each member; within a transaction. */
int dp_group_give(struct site *site, const char *which, const char *package_id);
