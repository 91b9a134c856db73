/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The agent that stays in an installed system: what it tells, and what it is offered (docs/clients.md)
 */

#include <stdbool.h>

#include "site/site.h"

#define CLIENT_KEY_US (UINT64_C(365) * 24 * 3600 * 1000000)

enum {
    CLIENT_POLL_MIN = 60, /* minutes between two questions, if the configuration does not say it */
};

/**
 * client_policy_inventory() - PUT /client/inventory: what the computer is now
 * @token: that it asks with. Its key becomes that of the device's client, instead of any other, unless an order is in progress,
 *         and is good for CLIENT_KEY_US from now on
 * @ret:   {"device_name", "site_name", "poll_s"}
 *
 * Addresses and UUID by which the site knows the device stay as they are.
 */
int client_policy_inventory(
    struct site *site, const char *device_id, const char *token, const json_t *body, json_t **ret);

/* GET /client/deployments: {"items": …} of boot_target_list(), without what is none of a user's business. */
int client_policy_list(struct site *site, const char *device_id, json_t **ret);

/**
 * client_policy_begin() - the device's order, if it is one for its installed system; a new one if it may begin one
 * @body: {"deployment_id"}: that somebody there wants; without it the required one that is due
 * @ret:  whether there is one
 *
 * Who begins one there needs no maintenance window, and need not wait for a deadline.
 */
int client_policy_begin(struct site *site, const char *device_id, const json_t *body, bool *ret);

/* GET /devices/{id}/client-explanation */
int client_policy_explain(struct site *site, const char *which, json_t **ret);
