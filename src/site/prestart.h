/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The prestart command of a boot image: it runs on a computer that has registered before anything is asked there, and may set
 * variables (docs/deployments.md, Prestart command)
 *
 * What it has set holds for the device's next order, and goes with its end. It comes before the values of collections and device, and
 * what is typed on the screen comes before it (enum ts_source).
 */

#include <stdbool.h>

#include "site/site.h"

enum {
    PRESTART_COMMAND_MAX = 4096, /* characters */
    PRESTART_VARIABLES_MAX = 1000,
};

/**
 * prestart_open() - the device has registered, and has no order in progress: what was set before goes
 * @boot_image_id: what it says it has started; "" if it does not say
 * @ret:           whether its start waits for a command
 *
 * Within the caller's transaction.
 */
int prestart_open(struct site *site, const char *device_id, const char *boot_image_id, bool *ret);

/* What the device is to run before all else: {"state": "prestart", "command"}; owned by the caller. NULL: nothing */
int prestart_ask(struct site *site, const char *device_id, json_t **ret);

/**
 * prestart_take() - PUT /client/prestart {"exit_code", "variables": {"NAME": "value"}}: how it has ended, and what it has set
 * @ret: {}
 *
 * The start goes on if the code is 0. Refused, and nothing is kept, if a variable cannot be, or if SMSTSPreferredAdvertID among them names a deployment
 * that the device cannot begin now.
 */
int prestart_take(struct site *site, const char *device_id, const json_t *body, json_t **ret);

/* Whether the boot image has a command; "" is none. */
int prestart_is_set(struct site *site, const char *boot_image_id, bool *ret);

/* The same of the one that a task sequence names; "": of any. */
int prestart_is_any(struct site *site, const char *boot_image_id, bool *ret);

/* The order has ended: what was set for it goes. */
int prestart_forget_order(struct site *site, const char *order_id);
