/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The names that unknown computers get: one that no other device has (docs/unknown-computers.md)
 */

#include "site/device.h"
#include "site/unknown_rule.h"

enum {
    UNKNOWN_TWINS_MAX = 1000, /* names looked at before giving up */
};

/**
 * unknown_name_propose() - what the rule would call a device now; nothing is changed
 * @ret: the name it has, if there is no rule, the rule makes none, or it was named already
 */
int unknown_name_propose(struct site *site,
                         const char *device_id,
                         const struct unknown_rule *rule,
                         char ret[static DEVICE_NAME_MAX_BYTES + 1]);

/* Name it by the rule, unless it was named already. Within the caller's transaction. */
int unknown_name_apply(struct site *site, const char *device_id, const struct unknown_rule *rule);

/**
 * unknown_name_give() - call it so
 * @source: "screen" or "approval"
 * @id:     how to refuse a name that cannot be
 *
 * Within the caller's transaction. Return: 0, SITE_E_REFUSED or -errno.
 */
int unknown_name_give(struct site *site,
                      const char *device_id,
                      const char *name,
                      unsigned max,
                      const char *source,
                      enum refusal_id id);

/* Whether somebody or a rule has named the device. */
int unknown_name_is_given(struct site *site, const char *device_id, bool *ret);

/* OSDComputerName among the variables of an order, if the device was named on its way and has no such variable of its own. */
int unknown_name_put_order(struct site *site,
                           const char *device_id,
                           const char *name,
                           json_t *variables);

/**
 * unknown_name_preview() - POST /unknown-computer-names:preview
 * @body: {"pattern", "name_max", "device"}, or instead of the device what it is made of
 * @ret:  {"name", "has_counter", "problem"}
 */
int unknown_name_preview(struct site *site, const char *who, const json_t *body, json_t **ret);
