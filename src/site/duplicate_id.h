/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Hardware ids that say nothing about which machine it is, because many have them: addresses of docks and dongles, UUIDs that a
 * maker gave to a whole batch
 */

#include "site/rows.h"
#include "site/site.h"

/* @id: a MAC address or a UUID, canonical. @ret: whether it is on the list */
int duplicate_id_has(struct site *site, const char *id, bool *ret);

/* POST /duplicate-hardware-ids: {"id", "comment"}: an address is taken from the device that has it. @ret: {"id", …} */
int duplicate_id_add(struct site *site, const char *who, const json_t *body, json_t **ret);

int duplicate_id_remove(struct site *site, const char *who, const char *which);
int duplicate_id_list(struct site *site, const struct page *page, json_t **ret);
