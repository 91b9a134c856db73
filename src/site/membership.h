/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Who is a member of which collection: evaluated by the rules, kept as rows, counted
 *
 *     OWN(json_freep) json_t *before = NULL;
 *     r = device_facts_note(site, id, &before);
 *     ... change the device ...
 *     r = membership_device_changed(site, id, before);
 *
 * All of it belongs into the transaction of what made it necessary (docs/collections.md, Evaluation).
 */

#include <jansson.h>

#include "site/site.h"

enum {
    MEMBERSHIP_SLICE = 2000, /* devices that one turn of a full evaluation looks at */
};

/* A device is not what it was. @before: of device_facts_note(); NULL: it is new */
int membership_device_changed(struct site *site, const char *device_id, const json_t *before);

/* A direct rule of this device came or went. */
int membership_direct_changed(struct site *site, const char *collection_id, const char *device_id);

/* It is about to be deleted. */
int membership_device_leaves(struct site *site, const char *device_id);

/**
 * membership_rules_changed() - a rule other than a direct one came or went, or the limiting collection is another
 *
 * The first slice is evaluated at once, the others by membership_tick(). Return: 0, SITE_E_REFUSED: collections depend on one
 * another in a circle now; or -errno.
 */
int membership_rules_changed(struct site *site, const char *collection_id);

/* Evaluate it for all devices, from the beginning. */
int membership_evaluate(struct site *site, const char *collection_id);

/* The next slice of what is being evaluated; and once a day every collection is. */
int membership_tick(struct site *site);
