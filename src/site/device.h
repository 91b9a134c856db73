/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Devices and the collections they are in
 *
 * A device that came as an unknown computer stays a member of All Unknown Computers until a deployment has succeeded
 * on it or an administrator imports it; from then on it is one of All Systems.
 */

#include "site/access.h"
#include "site/rows.h"
#include "site/site.h"

enum {
    DEVICE_NAME_MAX_BYTES = 63,
    DEVICE_MACS_MAX = 16,
    DEVICE_LOG_LINES_MAX = 20000, /* kept per device */
    DEVICE_LOG_LINE_MAX_BYTES = 8192,
    COLLECTION_MEMBERS_MAX = 10000, /* shown by collection_get() */
};

/* @ret: id of the device with this id, name, MAC, SMBIOS UUID or TPM key. Return: 0 or SITE_E_REFUSED. */
int device_find(struct site *site, const char *which, char ret[static ACCESS_DEVICE_ID_MAX]);

/**
 * device_find_hardware() - the device with one of these marks
 * @macs:  as text, each "52:54:00:12:34:56"
 * @uuid:  canonical, or NULL; what firmware makers put into all of theirs, what two devices have,
 *         and what is on the list of duplicate hardware ids, is no mark
 * @ret:   "" if there is none
 */
int device_find_hardware(struct site *site,
                         const char *const *macs,
                         size_t n_macs,
                         const char *uuid,
                         char ret[static ACCESS_DEVICE_ID_MAX]);

/* Is it a UUID that identifies a machine? All zeros, all ones and those known of many machines are not. */
bool device_uuid_is_real(const char *uuid);

/**
 * device_register() - what the agent found out about its machine
 * @mac:     the address it was admitted by, canonical: unless the TPM is known, it decides first which device this is
 * @tpm_key: of its TPM, proven: the device that has it is this one, and one that has another is not; "": none
 * @registration: checked by the caller (src/site/registration.c)
 * @ret_id: of the device, which is made as an unknown computer if the site does not know it
 */
int device_register(struct site *site,
                    const char *mac,
                    const char *tpm_key,
                    const json_t *registration,
                    char ret_id[static ACCESS_DEVICE_ID_MAX]);

/* What a device that is known says later; what it is known by stays, but for its serial number. @inventory: checked by the caller */
int device_take_inventory(struct site *site, const char *id, const json_t *inventory);

int device_get(struct site *site, const char *which, json_t **ret);
int device_list(struct site *site, const struct page *page, json_t **ret);

/**
 * device_log_add() - lines in CMTrace format
 *
 * A line that is not in that format is kept as a message of its own. The oldest lines are dropped, and what is longer than
 * DEVICE_LOG_LINE_MAX_BYTES is cut.
 */
int device_log_add(struct site *site, const char *device_id, struct bytes text);
int device_log_list(struct site *site, const char *which, const struct page *page, json_t **ret);
