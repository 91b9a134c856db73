/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the device has told of an order beside its status: its state without secrets, and its whole log
 * (docs/protocol/client-api.md, State and log)
 */

#include "base/bytes.h"
#include "site/site.h"

enum {
    ORDER_STATE_MAX_BYTES = 2 * 1024 * 1024,
    ORDER_LOG_MAX_BYTES = 4 * 1024 * 1024,
    ORDER_STATE_VARIABLES_MAX = 2000,
};

/* PUT /client/orders/{id}/state. One that is older than the last is dropped. @ret: what the site wants of the order. */
int order_state_put(struct site *site,
                    const char *device_id,
                    const char *order_id,
                    const json_t *body,
                    json_t **ret);

/* The last one, for the order's document. @ret: owned by the caller; NULL: there is none. */
int order_state_load(struct site *site, const char *order_id, json_t **ret);

/* GET /deployments/{id}/devices/{device}/state */
int order_state_get(struct site *site, const char *deployment_id, const char *device, json_t **ret);

/* PUT /client/orders/{id}/log/{number}: what was wanted under this number, or 0: unasked. Its end is kept. */
int order_log_put(struct site *site,
                  const char *device_id,
                  const char *order_id,
                  const char *number,
                  struct bytes text);

/* POST /deployments/{id}/devices/{device}/log: want it. GET: {"is_wanted", "received_at", "text"}; @ret of both */
int order_log_want(struct site *site,
                   const char *who,
                   const char *deployment_id,
                   const char *device,
                   json_t **ret);
int order_log_get(struct site *site, const char *deployment_id, const char *device, json_t **ret);
