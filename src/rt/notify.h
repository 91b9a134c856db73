/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Words for the service manager; without one they go nowhere
 */

#include <stdint.h>

/* The service is up. @status: one line for "systemctl status". */
void notify_ready(const char *status);

void notify_status(const char *status);

/* The service is about to end. */
void notify_stopping(void);

/* The service is alive; to be said at least once in the time below. */
void notify_alive(void);

/* Microseconds after which a silent service is killed; 0: never. */
uint64_t notify_watchdog_us(void);
