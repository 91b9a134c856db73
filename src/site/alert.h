/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Alerts: what somebody should look at, until somebody has or it is over (docs/monitoring.md)
 */

#include "site/rows.h"
#include "site/site.h"

#define ALERT_EVERY_US     (UINT64_C(5) * 1000000)
#define ALERT_DP_SILENT_US (UINT64_C(15) * 60 * 1000000)

enum {
    ALERT_KEPT_DAYS = 90, /* after it is over */
};

/* @state: "active", "acknowledged" or "closed"; NULL: all. In the order in which they were raised */
int alert_list(struct site *site, const char *state, const struct page *page, json_t **ret);

/* @body: {"state": "acknowledged" or "closed"}. One that is closed stays so. @ret: the alert */
int alert_change(
    struct site *site, const char *who, const char *number, const json_t *body, json_t **ret);

/* Raise what is so, end what is so no more, every ALERT_EVERY_US; part of site_tick(). */
int alert_tick(struct site *site);
