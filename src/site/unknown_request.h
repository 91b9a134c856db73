/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Unknown computers that wait: for an administrator's approval, for a name, or for both (docs/unknown-computers.md)
 */

#include <stdbool.h>

#include "site/boot_target.h"
#include "site/rows.h"
#include "site/site.h"

enum {
    UNKNOWN_CODE_MAX = 8,   /* "K7M-4QX" and the NUL */
    UNKNOWN_NAMES_MAX = 20, /* that a screen may try */
    UNKNOWN_STATE_MAX = 16,
};

/**
 * unknown_gate() - may a device begin an order under @target
 * @ret: false: there is a request now, and it waits
 *
 * True for what is known, and for what is to have neither a name nor an approval, or has them: it is named by the rule then, and
 * its request is gone. Within the caller's transaction.
 */
int unknown_gate(struct site *site,
                 const char *device_id,
                 const char *boot_image_id,
                 const struct boot_target *target,
                 bool *ret);

/**
 * unknown_ask() - POST /client/orders: what a device waits for
 * @ret: for the device; NULL: it has no request, so there may be an order, which has begun if it was waited for
 */
int unknown_ask(struct site *site, const char *device_id, json_t **ret);

/* PUT /client/name {"name"}. @ret: as of unknown_ask(), and never NULL */
int unknown_name_from_screen(struct site *site,
                             const char *device_id,
                             const json_t *body,
                             json_t **ret);

/* The state of the device's request; "" if it has none. */
int unknown_state(struct site *site, const char *device_id, char ret[static UNKNOWN_STATE_MAX]);

int unknown_list(struct site *site, const struct page *page, json_t **ret);

/* POST /unknown-computers/{id}/approval {"code", "name"}: `code` as the screen and the list show it. @ret: the request */
int unknown_approve(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret);

/* POST /unknown-computers/{id}/denial {"code", "reason"} */
int unknown_deny(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret);

/* DELETE /unknown-computers/{id}: it may ask anew. */
int unknown_forget(struct site *site, const char *who, const char *which);

/* Requests end, and tokens of those that wait do not; part of site_tick(). */
int unknown_tick(struct site *site);
