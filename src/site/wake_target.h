/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Where magic packets for a device go, and who sends them (docs/wake-on-lan.md)
 */

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "site/dp.h"

enum {
    WAKE_MACS_MAX = 16,     /* of one device */
    WAKE_ADDRESSES_MAX = 4, /* of one adapter */
    WAKE_PLACES_MAX = 8, /* where packets for one adapter go, whatever the device says of itself */
    WAKE_PREFIX_MIN = 8, /* bits of a subnet that has a broadcast address for us */
    WAKE_PREFIX_MAX = 30,
};

#define WAKE_EVERYWHERE "255.255.255.255"

/* An adapter's address and its subnet, in the order of the host. */
struct wake_address {
    uint32_t address;
    unsigned prefix_bits;
};

/* "192.0.2.7/24". Return: whether it is one that a computer can have in a subnet with a broadcast address. */
bool wake_address_parse(const char *text, struct wake_address *ret);
uint32_t wake_address_broadcast(const struct wake_address *address);

/**
 * wake_target_find() - of a device as it was heard of last
 * @ret:    [{"device_id", "mac", "to": ["192.0.2.255"]}], empty if it has no MAC address of its own; owned by the caller
 * @ret_dp: who sends
 */
int wake_target_find(struct site *site,
                     const char *device_id,
                     json_t **ret,
                     char ret_dp[static DP_ID_MAX]);
