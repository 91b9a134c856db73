/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A record of each step that an order ran: when, how it ended, and the end of what it wrote (docs/monitoring.md)
 */

#include "site/rows.h"
#include "site/site.h"

enum {
    ORDER_STEP_OUTPUT_MAX = 4096, /* bytes that are kept of the output, the last ones */
};

/* What a device reports, a checked body of .../status. Within the caller's transaction. */
int order_step_report(struct site *site, const char *order_id, const json_t *body);

/* The order is over: what runs was interrupted. */
int order_step_ended(struct site *site, const char *order_id);

/* The steps of the latest order of a device under a deployment, in the order in which they began. */
int order_step_list(struct site *site,
                    const char *deployment_id,
                    const char *device,
                    const struct page *page,
                    json_t **ret);
