/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What filters and rules of collections may ask about a device (docs/collections.md)
 */

#include <stdint.h>

#include "base/buf.h"
#include "db/db.h"
#include "site/filter.h"
#include "site/site.h"

/* Properties with meaning elsewhere; the others are in the table only. */
enum device_property {
    DEVICE_ID,
    DEVICE_NAME,
    DEVICE_MAC,
    DEVICE_SMBIOS_UUID,
    DEVICE_SERIAL,
    DEVICE_MANUFACTURER,
    DEVICE_MODEL,
    DEVICE_ASSET_TAG,
    DEVICE_FIRMWARE,
    DEVICE_ARCH,
    DEVICE_SECURE_BOOT,
    DEVICE_TPM,
    DEVICE_CPU,
    DEVICE_N_CPUS,
    DEVICE_MEMORY_BYTES,
    DEVICE_N_DISKS,
    DEVICE_DISK_BYTES,
    DEVICE_DISK_MODEL,
    DEVICE_NIC_DRIVER,
    DEVICE_AGENT_VERSION,
    DEVICE_IS_IMPORTED,
    DEVICE_IS_UNKNOWN,
    DEVICE_IS_BLOCKED,
    DEVICE_CREATED_AT,
    DEVICE_LAST_SEEN_AT,
    DEVICE_TPM_KEY,
    N_DEVICE_PROPERTIES,
};

#define DEVICE_BIT(property)  (UINT64_C(1) << (property))
#define DEVICE_ALL_PROPERTIES (DEVICE_BIT(N_DEVICE_PROPERTIES) - 1)

/* By enum device_property; ends with .name == NULL. */
extern const struct filter_property device_properties[];

enum {
    DEVICE_LISTS = 3, /* properties with several values */
    DEVICE_LIST_MAX_BYTES = 64 * 1024,
};

/* One device's; a zeroed one is empty. */
struct device_facts {
    const struct db_rows
        *rows; /* borrowed: the row in hand, of device_facts or device_facts_slice */
    struct buf lists[DEVICE_LISTS]; /* owned; values, each with its NUL */
};

/**
 * device_facts_of_row() - of the row in hand
 * @wanted: bits of the properties that will be asked for
 * @ret:    to be released with device_facts_fini(), also after a failure
 */
int device_facts_of_row(struct site *site,
                        const struct db_rows *rows,
                        uint64_t wanted,
                        struct device_facts *ret);
void device_facts_fini(struct device_facts *facts);

/* For filter_match(); @ctx is a struct device_facts. */
bool device_facts_get(const void *ctx, unsigned property, size_t n, struct filter_value *ret);

/**
 * device_facts_note() - everything about a device, to be compared with what it is later
 * @ret: owned by the caller; null if there is no such device
 */
int device_facts_note(struct site *site, const char *device_id, json_t **ret);

/* Bits of the properties in which two notes differ. */
uint64_t device_facts_differ(const json_t *before, const json_t *after);

/* Keep what a registration says about memory, disks and the like. */
int device_facts_keep(struct site *site, const char *device_id, const json_t *registration);
