/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * How an order ends
 */

#include "site/site.h"

/* Within the caller's transaction. @cause: an English sentence for people. */
int order_end_failed(struct site *site,
                     const char *order_id,
                     const char *device_id,
                     const char *error_id,
                     const char *cause);

/* An administrator wanted it to end. */
int order_end_cancelled(struct site *site,
                        const char *order_id,
                        const char *device_id,
                        const char *cause);

/* The deployed OS has called home: the device is a known one from now on. */
int order_end_succeeded(struct site *site, const char *order_id, const char *device_id);
