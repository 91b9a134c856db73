/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Status messages: what devices and the site say about orders, by number, component and severity (docs/monitoring.md)
 */

#include "site/rows.h"
#include "site/site.h"

#define STATUS_MESSAGE_DAYS UINT64_C(90)
#define STATUS_MESSAGES_MAX UINT64_C(2000000)

enum {
    STATUS_MESSAGE_MANAGER_FAILED = 11170, /* said by the site when an order has ended */
    STATUS_MESSAGE_MANAGER_COMPLETED = 11171,
};

/* Of a message that a device sends; @state is one of client-api.md. */
unsigned status_message_id(const char *state);
const char *status_message_severity(const char *state);

/* The site ends an order: its own message about that. Within the caller's transaction. @error_id: NULL: it has succeeded */
int status_message_ended(struct site *site,
                         const char *order_id,
                         const char *error_id,
                         const char *cause);

/* Which part of them. */
struct status_message_query {
    const char *device;     /* NULL: all */
    const char *deployment; /* NULL: all */
    const char *severity;   /* "info", "warning" or "error"; NULL: all */
};

/* Oldest first; each with its component, text and parameters. */
int status_message_list(struct site *site,
                        const struct status_message_query *query,
                        const struct page *page,
                        json_t **ret);

/* Those that are too old or too many go, and records of steps as old; part of site_tick(). */
int status_message_tick(struct site *site);
