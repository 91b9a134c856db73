/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Maintenance windows of collections, and what a device has of them all (docs/deployments.md)
 */

#include <stdint.h>

#include "site/site.h"
#include "site/window.h"

enum {
    MAINTENANCE_WINDOWS_MAX = 32,           /* of one collection */
    MAINTENANCE_WINDOWS_OF_DEVICE_MAX = 500 /* of all of its collections; more are left out */
};

/* GET /collections/{id}/windows: {"items": [{"name", "applies_to", "schedule", "is_open", "next_at"}]} */
int maintenance_window_list(struct site *site, const char *which, json_t **ret);

/* POST: {"name", "applies_to", "schedule"}; one of that name is replaced. @ret: as an item of the list */
int maintenance_window_set(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret);

int maintenance_window_remove(struct site *site,
                              const char *who,
                              const char *which,
                              const char *name);

/* Those for task sequences of all collections of a device. */
struct device_windows {
    struct schedule *list; /* owned */
    struct windows windows;
};

/**
 * device_windows_find() - when required deployments may begin on a device
 * @record: what it is as an unknown computer; "": it is none
 * @ret:    to be ended by device_windows_fini()
 */
int device_windows_find(struct site *site,
                        const char *device_id,
                        const char *record,
                        struct device_windows *ret);
void device_windows_fini(struct device_windows *windows);

/* {"is_open", "open_until", "next_at"} for people; null, owned as any value, if the device has no windows. */
json_t *device_windows_put(const struct device_windows *windows, uint64_t now_us);

/* The same of a device by its id. @ret: owned by the caller */
int device_windows_explain(struct site *site, const char *device_id, json_t **ret);
