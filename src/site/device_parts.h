/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What device.c, device_import.c and device_change.c share
 */

#include <jansson.h>
#include <stdbool.h>

#include "site/access.h"
#include "site/device.h"

/* A name that a computer can have: letters, digits and '-' inside; no MAC address or UUID, which would mean another computer. */
#define DEVICE_NAME_RULE \
    "\"name\" must be letters, digits and '-', neither begin nor end with '-', and be no MAC address or UUID."

bool device_name_is_good(const char *name);

/* Whether the administrator of the request may see it. */
int device_is_visible(struct site *site, const char *id, bool *ret);

/* device_get() of one that the administrator has found or made, by its id. */
int device_show(struct site *site, const char *id, json_t **ret);

/* @ret: the device that has this address, "" if there is none */
int device_by_mac(struct site *site, const char *mac, char ret[static ACCESS_DEVICE_ID_MAX]);

/* @ret: its id. Return: 0, DB_E_EXISTS: the name is taken, or -errno. */
int device_add(struct site *site,
               const char *name,
               const char *uuid,
               bool is_imported,
               char ret[static ACCESS_DEVICE_ID_MAX]);

/* Those that are on the list of duplicate hardware ids are left out. */
int device_add_macs(struct site *site, const char *device_id, const char *const *macs, size_t n);
