/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The counts of deployments, kept exact: each function is a part of the transaction of what moves a device (docs/monitoring.md)
 */

#include <jansson.h>

#include "site/site.h"

/* A deployment came into being. */
int summary_deployment_added(struct site *site, const char *deployment_id);

/* An order began, or is not how it was: it counts where it belongs now. */
int summary_order_changed(struct site *site, const char *order_id);

/* A device came into a collection, or left it. */
int summary_member_changed(struct site *site,
                           const char *collection_id,
                           const char *device_id,
                           bool is_member);

/* It is about to be deleted, with its orders; it is a member of its collections still. */
int summary_device_leaves(struct site *site, const char *device_id);

/**
 * summary_put() - the counts of a row of deployment_list or deployment_get, as its members "counts" and "categories"
 *
 * The columns that they are made of are taken away.
 */
int summary_put(json_t *deployment);

/**
 * summary_check() - count everything, and compare
 * @ret: how many deployments, collections and orders are counted wrong; 0 is right
 *
 * Looks at every order and member: for tests.
 */
int summary_check(struct site *site, size_t *ret);
