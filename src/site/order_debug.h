/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The debugger's mail: what an administrator sends to a device whose task sequence is debugged, and what comes back
 * (docs/protocol/debugger.md)
 */

#include "site/site.h"

enum {
    ORDER_DEBUG_MESSAGES_MAX = 100,            /* in one call */
    ORDER_DEBUG_MESSAGE_MAX_BYTES = 64 * 1024, /* as JSON */
    ORDER_DEBUG_KEPT_MAX = 2000,               /* per order and direction, the latest */
    ORDER_DEBUG_DEVICES_MAX = 10, /* of the collection of a deployment that is made for debugging */
};

/* POST /client/orders/{id}/debug: {"after", "messages", "is_wanted": true if a variable there wants
   that it is debugged}; also a sign of life. @ret: {"messages", what the site wants} */
int order_debug_device(struct site *site,
                       const char *device_id,
                       const char *order_id,
                       const json_t *body,
                       json_t **ret);

struct order_debug_call {
    const char *who;
    const char *deployment_id;
    const char *device;
};

/* POST /deployments/{id}/devices/{device}/debug: the same for an administrator. @ret: {"messages", "state"} */
int order_debug_admin(struct site *site,
                      const struct order_debug_call *call,
                      const json_t *body,
                      json_t **ret);

/* POST /deployments/{id}/devices/{device}/debugging: from now on it may be debugged. @ret: the deployment */
int order_debug_enable(struct site *site, const struct order_debug_call *call, json_t **ret);

/* Mail of orders that are over goes; part of site_tick(). */
int order_debug_tick(struct site *site);
