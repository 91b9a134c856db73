/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Orders: one deployment on one device, from registration to the end (docs/protocol/client-api.md)
 */

#include "site/site.h"

enum {
    ORDER_ATTEMPTS_MAX = 5,
    ORDER_FAILED_WAIT_S = 900,
    ORDER_REOPENED_MAX = 10, /* orders of a device in an hour, before it is to be started again */
    ORDER_STEPS_MAX = 100000,
    ORDER_RESTARTS_TO_DISK = 1, /* values of orders.is_restarting beside 0 */
    ORDER_RESTARTS_TO_BOOT_IMAGE = 2,
    ORDER_PROGRESS_MESSAGES_MAX = 500, /* kept per order, the latest ones; */
    ORDER_MESSAGES_MAX = 2000,         /* and of all other kinds: no device fills the disk */
};

/* One that is paused without an end may be switched off; so long, and then nobody comes back for it. */
#define ORDER_PAUSED_SILENCE_US (UINT64_C(30) * 24 * 3600 * 1000000)

/**
 * order_at_registration() - the device has started its boot image
 *
 * An order in progress gets its next attempt, or fails after ORDER_ATTEMPTS_MAX; otherwise the device's deployment, if
 * there is one to run, becomes an order. Within the caller's transaction.
 *
 * @boot_image_id: what it says it has started; "" if it does not say
 */
int order_at_registration(struct site *site, const char *device_id, const char *boot_image_id);

/* It was in progress when the backup was made, and the device was not heard of since the restore. Within the caller's transaction. */
int order_end_held(struct site *site, const char *id, const char *device_id);

/**
 * order_reopen() - POST /client/choice {"boot_image"}: an available order ended before anything was written, and whoever sits there wants to
 * choose again
 * @ret: {}; what was asked at the registration is asked again
 *
 * Not while an order is in progress, and ORDER_REOPENED_MAX times an hour.
 */
int order_reopen(struct site *site, const char *device_id, const json_t *body, json_t **ret);

/**
 * order_begin() - the device's deployment becomes an order, if there is one to run and an unknown computer may begin it
 * @ret_is_open: whether there is one to run. Within the caller's transaction
 */
int order_begin(struct site *site,
                const char *device_id,
                const char *boot_image_id,
                bool *ret_is_open);

/* The same of the agent in the installed system, which has been judged to begin it. Within the caller's transaction. */
int order_begin_client(struct site *site, const char *device_id, const char *deployment_id);

/* Who asks for an order, as the network shows it; each may be NULL: not known. */
struct order_client {
    const char *address; /* its own: decides its boundary groups */
    const char *host;    /* by which it reached us: the first of our own addresses as a source */
};

/**
 * order_get() - the device's order in progress
 * @ret: owned by the caller; NULL if there is nothing to do
 */
int order_get(struct site *site,
              const char *device_id,
              const struct order_client *client,
              json_t **ret);

/**
 * order_report() - a status message
 * @ret: the answer
 *
 * A sequence number that was seen before is answered again and changes nothing.
 */
int order_report(struct site *site,
                 const char *device_id,
                 const char *order_id,
                 const json_t *body,
                 json_t **ret);

/* Fail what is silent or past its deadline; part of site_tick(). */
int order_expire(struct site *site);
