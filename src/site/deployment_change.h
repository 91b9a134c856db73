/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Deployments after they were made: other terms, deletion, what devices did forgotten; and whether one may be made at all
 */

#include "site/site.h"

/* Check and keep the terms in @body (site/deployment_terms.h); within the caller's transaction. */
int deployment_keep_terms(struct site *site, const char *id, const json_t *body);

/* PATCH /deployments/{id}: any of the terms but the purpose. @ret: the deployment. */
int deployment_change(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret);

/* DELETE /deployments/{id}: refused while devices run it; what they did stays in their history. */
int deployment_delete(struct site *site, const char *who, const char *id);

/**
 * deployment_clear_device() - POST /devices/{id}/pxe-clearance: its required deployments may begin anew
 * @ret: {"cleared"}: how many runs were forgotten
 */
int deployment_clear_device(struct site *site, const char *who, const char *which, json_t **ret);

/* The same for all members of a collection: POST /collections/{id}/pxe-clearance. */
int deployment_clear_collection(struct site *site,
                                const char *who,
                                const char *which,
                                json_t **ret);

/**
 * deployment_check_risk() - may this be deployed there
 * @body: of the request: "purpose", "confirm_devices"
 *
 * A required deployment of a task sequence that wipes disks, or runs one that does, asks nobody. It is refused for a collection
 * larger than the site allows; and for one larger than is usual at the site, and for All Systems, until the request names
 * the number of devices.
 */
int deployment_check_risk(struct site *site,
                          const char *task_sequence_id,
                          const char *collection_id,
                          const json_t *body);

/**
 * deployment_keep_reach() - keep whether it wipes disks, and on how many devices it may begin; in the caller's transaction
 * @body: that deployment_check_risk() has let pass
 *
 * So many as were confirmed, or as are usual at the site, whichever is more, but never more than the site allows. While its
 * collection has more, it begins on none.
 */
int deployment_keep_reach(struct site *site,
                          const char *id,
                          const char *task_sequence_id,
                          const char *collection_id,
                          const json_t *body);

/* Those whose task sequences were changed: whether they still wipe disks. Part of site_tick(). */
int deployment_risk_tick(struct site *site);

/**
 * deployment_check_edited() - after a task sequence was changed, in that transaction
 * @harmless: task sequences that wiped nothing before; NULL: none
 *
 * Refused when a required deployment of one of them wipes from now on what would have had to be confirmed.
 */
int deployment_check_edited(struct site *site, const json_t *harmless);
