/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Sends what is to be known about alerts, one at a time in a thread: by HTTPS to a web address, by SMTP to a mail server
 *
 * What was answered is noted with the next tick, so nothing of the site is touched by the thread.
 */

#include "server/config.h"
#include "site/site.h"

struct alert_sender;

/* @config: borrowed. @ret: NULL if the configuration names neither; owned, alert_sender_free() */
int alert_sender_new(const struct server_config *config, struct alert_sender **ret);

/* Lets the one in hand go, within a second or two; it is sent again when the site runs again. */
void alert_sender_free(struct alert_sender *sender);

/* Once a second. @sender: may be NULL */
int alert_sender_tick(struct alert_sender *sender, struct site *site);
