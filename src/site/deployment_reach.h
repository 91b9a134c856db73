/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Required deployments that reach more devices than before, for who changes the rules of a collection
 *
 *     r = deployment_reach_note(site, &before);
 *     ... rules change, also those of collections that depend on it ...
 *     r = deployment_reach_put(site, before, collection);
 */

#include <jansson.h>

#include "site/site.h"

/* @ret: how many devices each has that the administrator may read; owned by the caller */
int deployment_reach_note(struct site *site, json_t **ret);

/**
 * deployment_reach_put() - tell which have more now
 * @dst: gets "reaching_more": [{"deployment_id", "task_sequence_name", "collection_id", "collection_name", "n_devices_before", "n_devices",
 *       "is_high_risk", "is_not_confirmed"}]. While collections are being evaluated: as far as that has come
 */
int deployment_reach_put(struct site *site, const json_t *before, json_t *dst);
