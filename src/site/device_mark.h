/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * By what an administrator says a device is to be known: MAC addresses and an SMBIOS UUID
 *
 * Each must be able to tell one machine from all others, and be no other device's.
 */

#include <jansson.h>

#include "base/text.h"
#include "site/access.h"
#include "site/site.h"

/**
 * device_mark_mac() - an address that one adapter can have
 * @text: a MAC address, in any spelling
 * @ret:  canonical
 *
 * Return: 0, -errno, or SITE_E_REFUSED: nobody's, a group's, or on the list of duplicate hardware ids.
 */
int device_mark_mac(struct site *site, const char *text, char ret[static MAC_TEXT_MAX]);

/**
 * device_mark_uuid() - a UUID that one machine can have
 * @text:       a UUID, in any spelling
 * @ret:        canonical
 * @ret_device: the device that has it, which need not be @but; "" if none has
 *
 * Return: 0, -errno, or SITE_E_REFUSED: many machines have it, it is on that list, or several devices have it.
 */
int device_mark_uuid(struct site *site,
                     const char *text,
                     const char *but,
                     char ret[static UUID_TEXT_MAX],
                     char ret_device[static ACCESS_DEVICE_ID_MAX]);

/* That a mark ("The MAC address 52:…") is @device's, whose name only who may see it is told. Return: SITE_E_REFUSED or -errno. */
int device_mark_refuse(struct site *site, const char *what, const char *mark, const char *device);

/**
 * device_mark_change() - the addresses, the UUID, or both anew
 * @body: of a PATCH, checked: "macs", "smbios_uuid" (null: none)
 *
 * Within the caller's transaction, which also tells the collections. Return: 0, -errno, or SITE_E_REFUSED.
 */
int device_mark_change(struct site *site, const char *who, const char *id, const json_t *body);
