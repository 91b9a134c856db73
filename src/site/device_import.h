/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Devices that an administrator makes known before they are seen: one, or a file of them
 */

#include "site/site.h"

enum {
    DEVICE_IMPORT_LINES_MAX = 1000, /* at once: everybody else waits meanwhile */
    DEVICE_IMPORT_FILE_MAX_BYTES = 4 * 1024 * 1024,
};

/* POST /devices: {"name", "mac", "smbios_uuid", "collection", "validate_only"}. @ret: the device; empty if it was only validated */
int device_import(struct site *site, const char *who, const json_t *body, json_t **ret);

/**
 * device_import_file() - POST /devices:import: {"csv", "collection", "validate_only"}
 * @ret: {"n_devices", "is_imported", "errors": [{"line", "error_id", "detail"}]}
 *
 * The first line names the columns: name, mac, smbios_uuid, collection, variable.NAME, or nothing for one that is ignored. All
 * lines are imported, or, when one is wrong, none.
 */
int device_import_file(struct site *site, const char *who, const json_t *body, json_t **ret);
