/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What administrators do with a device; and what was done with it
 */

#include "site/rows.h"
#include "site/site.h"

/**
 * device_change() - PATCH /devices/{id}: {"name", "is_blocked", "block_reason", "is_protected", "forget_tpm_key"}
 *
 * A blocked device is offered nothing and registers no more; what it runs is over. @ret: the device
 */
int device_change(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret);

/* DELETE /devices/{id}: with its orders, variables and log. Its next boot is that of a computer nobody knows. */
int device_delete(struct site *site, const char *who, const char *which);

/* What was done to it, oldest first. */
int device_history(struct site *site, const char *which, const struct page *page, json_t **ret);

/* Refused if the device is blocked. */
int device_check_open(struct site *site, const char *device_id);
