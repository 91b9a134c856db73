/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Devices that no required deployment begins on: those that an administrator protects, and the computers that the site's own
 * servers run on, known by their network adapters (docs/deployments.md, Protected devices)
 */

#include <stdbool.h>

#include "site/site.h"

enum device_protection {
    DEVICE_OPEN,
    DEVICE_PROTECTED,   /* by an administrator */
    DEVICE_SITE_SYSTEM, /* a server of the site runs on it */
};

/* PATCH /devices/{id}: {"is_protected"}; within the caller's transaction */
int device_protection_set(struct site *site, const char *who, const char *id, bool is_protected);

/**
 * device_protection_note() - a distribution point says which computer it runs on
 * @macs: addresses of its network adapters; NULL: it does not say. They count for 30 days.
 *
 * Return: SITE_E_REFUSED: they are no such list.
 */
int device_protection_note(struct site *site, const char *dp_id, const json_t *macs);

/**
 * device_protection_find()
 * @device_id: "" for a computer that the site has no row for
 * @mac:       which it is known by then; may be NULL
 */
int device_protection_find(struct site *site,
                           const char *device_id,
                           const char *mac,
                           enum device_protection *ret);

/**
 * device_protection_check() - whether a collection may have a required deployment that wipes
 * @is_confirmed: the number of its devices was named
 *
 * Return: SITE_E_REFUSED: it has protected devices (REFUSAL_PROTECTED), or, where the site only warns of that, nobody has confirmed
 *         it (REFUSAL_CONFIRM).
 */
int device_protection_check(struct site *site, const char *collection_id, bool is_confirmed);
