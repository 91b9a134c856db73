/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What goes out about an alert: a request to a web address (a webhook), or a mail (docs/monitoring.md)
 *
 * A message is put down in the transaction that raises or ends its alert, and tried until it was taken: at least once, and hardly
 * ever twice. Who takes it knows it by its number.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "site/site.h"

enum {
    ALERT_MESSAGE_TEXT_MAX = 1024, /* of an alert; longer ones are cut */
    ALERT_MESSAGE_NAME_MAX = 64,
    ALERT_MESSAGE_TRIES = 24, /* a minute apart at first, an hour at last: most of a day */
};

#define ALERT_MESSAGE_TAKEN_US \
    (UINT64_C(300) * 1000000) /* who has one in hand has it for so long */

struct alert_message {
    uint64_t id;
    bool is_mail; /* otherwise a webhook */
    bool is_over; /* otherwise it was raised */
    uint64_t n_tries;
    uint64_t number; /* of the alert */
    uint64_t raised_us;
    uint64_t changed_us;
    char kind[ALERT_MESSAGE_NAME_MAX];
    char object[ALERT_MESSAGE_NAME_MAX];
    char severity[ALERT_MESSAGE_NAME_MAX];
    char text[ALERT_MESSAGE_TEXT_MAX];
};

/* For each alert that was raised or has ended at site->now_us, on each way out that is set; within the caller's transaction. */
int alert_message_add(struct site *site);

/* Take the one that has waited longest. Return: 0; 1: there is none; -errno. */
int alert_message_take(struct site *site, struct alert_message *ret);

/* @why: NULL: it was taken; otherwise one line for people, and it is tried again, or given up. */
int alert_message_end(struct site *site, const struct alert_message *message, const char *why);

/* The body of a webhook: one object of JSON. @site_name: who says it */
int alert_message_put_json(const struct alert_message *message,
                           const char *site_name,
                           struct buf *dst);

/* Subject and text of a mail, in UTF-8, the subject in one line. */
void alert_message_put_subject(const struct alert_message *message,
                               const char *site_name,
                               struct buf *dst);
void alert_message_put_text(const struct alert_message *message,
                            const char *site_name,
                            struct buf *dst);
