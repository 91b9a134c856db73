/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a device says of itself to conditions of task sequences, for dry runs (docs/protocol/sequencer.md)
 */

#include <jansson.h>

struct site;

enum {
    MACHINE_FACTS_CLASSES_MAX = 256,
    MACHINE_FACTS_PROPERTIES_MAX = 256, /* of an instance */
    MACHINE_FACTS_VARIABLES_MAX = 64,
};

/**
 * machine_facts_check() - the member "facts" of a registration
 * @ret: what is kept of it, owned by the caller; NULL: there is none
 *
 * Return: 0, SITE_E_REFUSED or -errno.
 */
int machine_facts_check(struct site *site, const json_t *registration, char **ret);

/* Instead of what the device said before; @text: of the above */
int machine_facts_keep(struct site *site, const char *device_id, const char *text);

/**
 * machine_facts_get() - GET /devices/{id}/facts
 *
 * Of a device that never registered any, what its inventory says.
 */
int machine_facts_get(struct site *site, const char *which, json_t **ret);

/* Facts as an inventory without them has them. @ret: owned by the caller */
int machine_facts_of_inventory(const json_t *inventory, json_t **ret);
