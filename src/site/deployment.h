/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Deployments: a task sequence for a collection, and how it goes on each device
 */

#include "site/rows.h"
#include "site/site.h"

/* POST /deployments: {"task_sequence_id", "collection", "purpose", "content_option"}; all content must be ready. */
int deployment_create(struct site *site, const char *who, const json_t *body, json_t **ret);

/* What who makes a deployment that he may not see is refused with. Return: SITE_E_REFUSED */
int deployment_refuse_unseen(struct site *site);

/* With a row per device. */
int deployment_get(struct site *site, const char *id, json_t **ret);
int deployment_list(struct site *site, const struct page *page, json_t **ret);

/**
 * deployment_cancel() - no device begins it any more; those that run it are told to stop at their next message
 * @ret: the deployment
 */
int deployment_cancel(struct site *site, const char *who, const char *id, json_t **ret);
