/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Boundaries and boundary groups: where clients are, and which distribution points serve them there
 *
 * @which, where it stands, is an id or a name.
 */

#include "site/rows.h"
#include "site/site.h"

enum {
    BOUNDARY_ID_MAX = 16,            /* "BD00001", "BG00001" and the NUL */
    BOUNDARY_NAME_MAX = 50,          /* characters */
    BOUNDARY_FALLBACK_MINUTES = 120, /* where nothing else is said; boundary.sql says it too */
    BOUNDARY_FALLBACK_MAX_MINUTES = 7 * 24 * 60,
};

/* POST /boundaries: {"name", "kind", "value"}; boundary_range.h */
int boundary_create(struct site *site, const char *who, const json_t *body, json_t **ret);
int boundary_list(struct site *site, const struct page *page, json_t **ret);
int boundary_delete(struct site *site, const char *who, const char *which);

/* POST /boundary-groups: {"name", "comment"} */
int boundary_group_create(struct site *site, const char *who, const json_t *body, json_t **ret);
int boundary_group_list(struct site *site, const struct page *page, json_t **ret);

int boundary_group_find(struct site *site, const char *which, char ret[static BOUNDARY_ID_MAX]);

/* With its boundaries, distribution points and neighbours. */
int boundary_group_get(struct site *site, const char *which, json_t **ret);

/* PATCH: {"name", "comment"}; what is absent stays */
int boundary_group_set(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret);

/* Not the default group. */
int boundary_group_delete(struct site *site, const char *who, const char *which);

/* What a group is made of. */
enum boundary_part {
    BOUNDARY_PART_BOUNDARY, /* {"boundary"}; the default group has none */
    BOUNDARY_PART_DP,       /* {"distribution_point"} */
    BOUNDARY_PART_NEIGHBOUR, /* {"boundary_group", "fallback_minutes": 120, or null: never}; put again: changed */
};

/* @ret: the group */
int boundary_group_add(struct site *site,
                       const char *who,
                       const char *which,
                       enum boundary_part part,
                       const json_t *body,
                       json_t **ret);

/* @what: id or name of the part */
int boundary_group_take(struct site *site,
                        const char *who,
                        const char *which,
                        enum boundary_part part,
                        const char *what);
