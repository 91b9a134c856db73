/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Wake on LAN: which devices are sent magic packets, and when (docs/wake-on-lan.md)
 */

#include <stdbool.h>

#include "site/site.h"

enum {
    WAKE_ASKED_MAX = 1000, /* wakings by hand that wait */
};

/* The terms of a deployment were kept. Within the caller's transaction. */
int wake_on_lan_plan(struct site *site, const char *deployment_id, bool is_on);

/**
 * wake_on_lan_ask() - POST /devices/{id}/wake-up
 * @which: id, name, MAC address or SMBIOS UUID
 * @ret:   {"device_id", "distribution_point_id", "macs"}
 *
 * Refused: a blocked device, one without MAC addresses of its own, one that was woken within the last minute.
 */
int wake_on_lan_ask(struct site *site, const char *who, const char *which, json_t **ret);

/* Deadlines and maintenance windows come; part of site_tick(). */
int wake_on_lan_tick(struct site *site);
