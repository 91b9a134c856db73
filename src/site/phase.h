/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * One phase of a phased deployment: what is said of it, how it goes, and its deployment
 */

#include <jansson.h>

#include "site/phase_rule.h"
#include "site/site.h"

enum {
    PHASES_MIN = 2,
    PHASES_MAX = 12, /* two, and at most ten more */
    PHASE_PERCENT = 95,
    PHASE_DEFER_DAYS = 1,
    PHASE_DAYS_MAX = 365,
    PHASE_REASON_MAX = 600,
};

/* A row of SQL_PHASE_NEXT or SQL_PHASE_LIST: how its deployment, or that of the phase before it, goes. */
void phase_read_progress(struct site *site, const json_t *row, struct phase_progress *ret);

/* What the phase in @row wants of the one before it. */
void phase_read_wish(const json_t *row, struct phase_wish *ret);

/**
 * phase_check() - are the phases of a request what they may be
 *
 * Return: 0 or SITE_E_REFUSED, with the number of the phase.
 */
int phase_check(struct site *site, const json_t *phases);

/**
 * phase_check_risk() - may all of them be deployed, and how many disks does that wipe
 * @ids:  ids of the collections of the phases, in their order
 * @body: of the request: "phases", "confirm_devices", which names the sum over all phases
 * @ret_confirmed: of each phase as many devices as somebody has said yes to; json_null(): nobody had to. Owned by the caller
 */
int phase_check_risk(struct site *site,
                     const char *task_sequence_id,
                     const json_t *ids,
                     const json_t *body,
                     json_t **ret_confirmed);

/* The members of a phase that its deployment gets, as JSON; owned by the caller. NULL: there is no memory */
json_t *phase_terms(const json_t *phase);

/**
 * phase_deploy() - make the deployment of a phase
 * @row:       its "task_sequence_id", "collection_id" and "terms", of phase_terms()
 * @confirmed: to so many devices somebody has said yes; NULL: to none. More than that are refused as any deployment is
 * @is_exact:  @confirmed is what he says now, and must be their number
 * @ret:       its id
 *
 * Return: 0, or SITE_E_REFUSED with nothing made. Within the caller's transaction.
 */
int phase_deploy(struct site *site,
                 const char *who,
                 const json_t *row,
                 const json_t *confirmed,
                 bool is_exact,
                 char ret[static SITE_ID_MAX]);
