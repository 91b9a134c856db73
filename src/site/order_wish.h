/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What administrators want of an order that runs: go on, pause, cancel (docs/protocol/client-api.md)
 *
 * The wish is kept with the order and the device asks for it, so that it outlives restarts of both.
 */

#include "site/access.h"
#include "site/site.h"

#define ORDER_PAUSE_MAX_S (UINT64_C(365) * 24 * 3600)

/* An order, as its device is answered. */
struct order_now {
    bool is_over;
    bool is_cancelled; /* the order or its whole deployment is to be, or was */
    bool applies_image;
    bool is_paused; /* is to be */
    bool is_debug;
    uint64_t pause_until_us; /* 0: without end */
    uint64_t log_wanted;     /* 0: what was wanted has come */
    uint64_t last_seq;
};

/* Return: 0, SITE_E_REFUSED (the device was never given that order) or -errno. */
int order_now_load(struct site *site,
                   const char *device_id,
                   const char *order_id,
                   struct order_now *ret);

/* What the device is told. @ret: owned by the caller. */
int order_wish_put(const struct order_now *now, json_t **ret);

/* GET /client/orders/{id}/wish: also a sign of life. */
int order_wish_get(struct site *site, const char *device_id, const char *order_id, json_t **ret);

/* An order by its deployment and device. */
struct order_key {
    char order_id[UUID_TEXT_MAX];
    char device_id[ACCESS_DEVICE_ID_MAX];
    bool is_over;
    bool is_to_be_cancelled;
    bool was_cancelled;
    bool is_debug;
};

/**
 * order_key_find() - the latest order of a device under a deployment
 * @device: id, name, MAC or SMBIOS UUID
 *
 * Return: 0, SITE_E_REFUSED (no such device, or it has not begun) or -errno.
 */
int order_key_find(struct site *site,
                   const char *deployment_id,
                   const char *device,
                   struct order_key *ret);

/* The same, and refused if it is over. */
int order_key_find_running(struct site *site,
                           const char *deployment_id,
                           const char *device,
                           struct order_key *ret);

/*
 * For administrators; each may be said again. @body: of a pause {"timeout_s": n or null}, else NULL. @ret: the deployment.
 */
enum order_wish {
    ORDER_WISH_RUN,
    ORDER_WISH_PAUSE,
    ORDER_WISH_CANCEL,
};

struct order_wish_call {
    const char *who;
    const char *deployment_id;
    const char *device;
    enum order_wish wish;
};

int order_wish_set(struct site *site,
                   const struct order_wish_call *call,
                   const json_t *body,
                   json_t **ret);

/* Pauses end, tokens of devices that wait stay good; part of site_tick(). */
int order_wish_tick(struct site *site);
