/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * How a deployment goes, device by device
 */

#include "site/rows.h"
#include "site/site.h"

enum {
    DEPLOYMENT_DEVICES_SHOWN =
        100, /* of one deployment, with their phases; the others are in pages */
};

/**
 * deployment_status_list() - the devices of a deployment, by their ids
 * @category: "success", "in-progress", "error", "requirements-not-met" or "unknown"; NULL: all
 */
int deployment_status_list(
    struct site *site, const char *id, const char *category, const struct page *page, json_t **ret);

/* Return: 0; SITE_E_REFUSED: there is no such deployment for this administrator; or -errno. */
int deployment_status_check(struct site *site, const char *id);

/* The first DEPLOYMENT_DEVICES_SHOWN as "devices", each with its "phases", and "has_more_devices". */
int deployment_status_put(struct site *site, json_t *deployment);
