/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Phased deployments: a task sequence for one collection after the other, each when enough of the one before has succeeded
 * (docs/phased-deployments.md)
 */

#include <stdbool.h>

#include "site/principal.h"
#include "site/rows.h"
#include "site/site.h"

#define PHASED_RETRY_US (UINT64_C(60) * 1000000) /* until what was refused is tried again */

/* Find one by its id or name. */
int phased_deployment_find(struct site *site,
                           const char *which,
                           char ret[static PRINCIPAL_OBJECT_MAX]);

/**
 * phased_deployment_create() - POST /phased-deployments
 * @body: {"name", "task_sequence_id", "phases", ...}
 *
 * The first phase begins at once; when its deployment is refused, nothing is made.
 */
int phased_deployment_create(struct site *site, const char *who, const json_t *body, json_t **ret);

int phased_deployment_list(struct site *site, const struct page *page, json_t **ret);

/* With its phases and how each of them goes. @which: id or name */
int phased_deployment_get(struct site *site, const char *which, json_t **ret);

/* While it is suspended no phase begins; those that have begun go on. @ret: the phased deployment, here and below */
int phased_deployment_suspend(
    struct site *site, const char *who, const char *which, bool is_suspended, json_t **ret);

/**
 * phased_deployment_next() - begin the next phase now, however the one before goes
 * @body: {"confirm_devices"}, if so many disks are to be wiped as must be confirmed
 */
int phased_deployment_next(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret);

/* No further phase begins; the deployments that there are stay, and are ordinary ones. */
int phased_deployment_delete(struct site *site, const char *who, const char *which);

/* Begin the next phase if its time has come; otherwise note how it stands. What fails is passed over, and tried again by the tick. */
void phased_deployment_see_to(struct site *site, const char *id);

/* The same for all that go on by themselves; part of site_tick(). */
int phased_deployment_tick(struct site *site);

/**
 * phased_deployment_begin() - make the deployment of a phase, and note it; in the caller's transaction
 * @row:       of SQL_PHASE_NEXT
 * @confirmed: as phase_deploy() has it
 */
int phased_deployment_begin(
    struct site *site, const char *who, const json_t *row, const json_t *confirmed, bool is_exact);
