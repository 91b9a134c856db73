/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/order_end.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "db/db.h"
#include "plat/clock.h"
#include "site/access.h"
#include "site/affinity.h"
#include "site/device_facts.h"
#include "site/membership.h"
#include "site/order.h"
#include "site/order_step.h"
#include "site/prestart.h"
#include "site/status_message.h"
#include "site/summary.h"
#include "site/wizard.h"

enum {
    CAUSE_MAX_BYTES = 512,
    SPAN_MAX = 40,
};

/* What runs was interrupted, the counts change, and the site says so. @error_id: NULL: it has succeeded */
static int ended(struct site *site, const char *order_id, const char *error_id, const char *cause)
{
    int r = order_step_ended(site, order_id);

    if (r == 0)
        r = wizard_forget_order(site, order_id);
    if (r == 0 && error_id) /* who the computer's users are is taken from it first */
        r = prestart_forget_order(site, order_id);
    if (r == 0)
        r = status_message_ended(site, order_id, error_id, cause);
    return r < 0 ? TRACE(r) : TRACE(summary_order_changed(site, order_id));
}

struct order_end {
    const char *state;
    const char *error_id; /* NULL: none */
    const char *cause;
    bool is_cancelled;
};

/* Only one that is in progress. Return: 1; 0 if another has ended it already, and nothing is left to be done; or -errno. */
static int end_order(struct site *site, const char *order_id, const struct order_end *end)
{
    uint64_t n = 0;
    int r = db_run(site->db,
                   SQL_ORDER_END,
                   DB_ARGS(db_text(order_id),
                           db_text(end->state),
                           db_text(end->error_id),
                           db_text(end->cause),
                           db_u64(site->now_us),
                           db_u64(end->is_cancelled ? 1 : 0)),
                   &n);

    if (r > 0)
        return ERR(-EIO);
    if (r == 0 && n > 0)
        r = ended(site, order_id, end->error_id, end->cause);
    return r < 0 ? TRACE(r) : n > 0;
}

int order_end_failed(struct site *site,
                     const char *order_id,
                     const char *device_id,
                     const char *error_id,
                     const char *cause)
{
    struct order_end end = {.state = "failed", .error_id = error_id, .cause = cause};
    int r = end_order(site, order_id, &end);

    return r > 0 ? TRACE(site_audit(site, device_id, "order.failed", order_id, error_id))
                 : TRACE(r);
}

int order_end_cancelled(struct site *site,
                        const char *order_id,
                        const char *device_id,
                        const char *cause)
{
    struct order_end end = {
        .state = "failed",
        .error_id = SITE_ERROR_ORDER_CANCELLED,
        .cause = cause,
        .is_cancelled = true,
    };
    int r = end_order(site, order_id, &end);

    return r > 0 ? TRACE(site_audit(site, device_id, "order.cancelled", order_id, "")) : TRACE(r);
}

/* It is one of All Systems from now on. */
static int make_known(struct site *site, const char *device_id)
{
    OWN(json_freep) json_t *before = NULL;
    int r = device_facts_note(site, device_id, &before);

    if (r == 0)
        r = db_must(site->db, SQL_DEVICE_IS_KNOWN, DB_ARGS(db_text(device_id)));
    return r < 0 ? TRACE(r) : TRACE(membership_device_changed(site, device_id, before));
}

int order_end_succeeded(struct site *site, const char *order_id, const char *device_id)
{
    int r = end_order(site, order_id, &(struct order_end){.state = "succeeded", .cause = ""});

    if (r <= 0)
        return TRACE(r);
    r = make_known(site, device_id);
    if (r == 0)
        r = affinity_take(site, order_id, device_id);
    if (r == 0)
        r = prestart_forget_order(site, order_id);
    if (r < 0)
        return TRACE(r);
    return TRACE(site_audit(site, device_id, "order.succeeded", order_id, ""));
}

struct overdue {
    char id[UUID_TEXT_MAX];
    char device_id[ACCESS_DEVICE_ID_MAX];
    bool is_after_restart; /* it said that it restarts, and has not been heard since */
    uint64_t since_us;
    uint64_t heard_us;
    uint64_t lost_contact_s; /* so long without a word ends it */
    uint64_t step;           /* index */
    uint64_t n_steps;        /* 0: not known */
    bool is_past_deadline;
    bool is_cancelled; /* somebody wants it to be */
    char step_name[128];
    bool is_paused; /* without an end */
};

/* How often it asked to boot from the network since: its disk does not boot, then. */
static int count_asks(struct site *site, const struct overdue *order, uint64_t *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db,
                     SQL_BOOT_EVENT_ASKS_SINCE,
                     DB_ARGS(db_text(order->device_id), db_u64(order->since_us)),
                     &rows);

    if (r < 0)
        return TRACE(r);
    *ret = r == DB_ROW ? db_get_u64(&rows, 0) : 0;
    return 0;
}

/* "30 minutes" */
static const char *put_span(uint64_t seconds, char ret[static SPAN_MAX])
{
    bool is_minutes = seconds % 60 == 0;

    (void)snprintf(ret,
                   SPAN_MAX,
                   "%" PRIu64 " %s",
                   is_minutes ? seconds / 60 : seconds,
                   is_minutes ? "minutes" : "seconds");
    return ret;
}

static int fail_never_came_up(struct site *site, const struct overdue *order)
{
    char cause[CAUSE_MAX_BYTES];
    char span[SPAN_MAX];
    uint64_t asks = 0;
    int r = count_asks(site, order, &asks);

    if (r < 0)
        return TRACE(r);
    (void)put_span(order->lost_contact_s, span);
    if (asks > 0)
        (void)snprintf(
            cause,
            sizeof(cause),
            "Lost contact: the installed operating system has not called home within %s after the "
            "restart. The device asked to boot from the network %" PRIu64
            " times since, so its disk probably does not boot.",
            span,
            asks);
    else
        (void)snprintf(
            cause,
            sizeof(cause),
            "Lost contact: the installed operating system has not called home within %s after the "
            "restart. The device was not seen on the boot network either.",
            span);
    return TRACE(
        order_end_failed(site, order->id, order->device_id, SITE_ERROR_NEVER_CAME_UP, cause));
}

/* "step 3 of 8 \"Apply Operating System\"" */
static void put_step(const struct overdue *order, char *ret, size_t max)
{
    uint64_t n = order->step + 1;

    if (order->step_name[0] == '\0')
        (void)snprintf(ret, max, "the beginning, before any step");
    else
        (void)snprintf(ret,
                       max,
                       "step %" PRIu64 " of %" PRIu64 " \"%s\"",
                       n < order->n_steps ? n : order->n_steps,
                       order->n_steps,
                       order->step_name);
}

static int fail_silent(struct site *site, const struct overdue *order)
{
    char cause[CAUSE_MAX_BYTES];
    char step[sizeof(order->step_name) + 64];
    char heard[CLOCK_TEXT_MAX];
    char span[SPAN_MAX];

    put_step(order, step, sizeof(step));
    clock_put_rfc3339(heard, order->heard_us);
    (void)snprintf(cause,
                   sizeof(cause),
                   "Lost contact at %s: the device was heard last at %s, and has said nothing for "
                   "%s.",
                   step,
                   heard,
                   put_span(order->lost_contact_s, span));
    return TRACE(order_end_failed(site, order->id, order->device_id, SITE_ERROR_SILENT, cause));
}

static int fail_overdue(struct site *site, const struct overdue *order)
{
    if (order->is_cancelled)
        return TRACE(order_end_cancelled(
            site,
            order->id,
            order->device_id,
            "It was cancelled, and the device has not said so: it was not heard any more, or its "
            "time was over."));
    if (order->is_paused)
        return TRACE(order_end_failed(site,
                                      order->id,
                                      order->device_id,
                                      SITE_ERROR_SILENT,
                                      "It was paused without an end, and the device has said "
                                      "nothing for 30 days."));
    if (order->is_past_deadline)
        return TRACE(
            order_end_failed(site,
                             order->id,
                             order->device_id,
                             SITE_ERROR_DEADLINE,
                             "The deployment was not finished within the time allowed for it."));
    if (order->is_after_restart)
        return TRACE(fail_never_came_up(site, order));
    return TRACE(fail_silent(site, order));
}

/* @ret: whether there is one. */
static int find_overdue(struct site *site, struct overdue *ret_order, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    uint64_t now = site->now_us;
    uint64_t paused_us = now > ORDER_PAUSED_SILENCE_US ? now - ORDER_PAUSED_SILENCE_US : 0;
    int r = db_first(site->db, SQL_ORDER_OVERDUE, DB_ARGS(db_u64(now), db_u64(paused_us)), &rows);

    *ret = r == DB_ROW;
    if (r != DB_ROW)
        return TRACE(r);
    (void)snprintf(ret_order->id, sizeof(ret_order->id), "%s", db_get_text(&rows, 0));
    (void)snprintf(ret_order->device_id, sizeof(ret_order->device_id), "%s", db_get_text(&rows, 1));
    ret_order->is_after_restart = db_get_u64(&rows, 3) == ORDER_RESTARTS_TO_DISK;
    ret_order->since_us = db_get_u64(&rows, 4);
    ret_order->is_past_deadline = db_get_u64(&rows, 5) <= site->now_us;
    (void)snprintf(ret_order->step_name, sizeof(ret_order->step_name), "%s", db_get_text(&rows, 7));
    ret_order->is_cancelled = db_get_bool(&rows, 8);
    ret_order->heard_us = db_get_u64(&rows, 6);
    ret_order->lost_contact_s = db_get_u64(&rows, 9);
    ret_order->step = db_get_u64(&rows, 10);
    ret_order->n_steps = db_get_u64(&rows, 11);
    ret_order->is_paused = db_get_bool(&rows, 12);
    return 0;
}

int order_expire(struct site *site)
{
    bool is_more = true;
    int r = 0;

    while (r == 0 && is_more) {
        OWN(db_rollbackp) struct db *tx = NULL;
        struct overdue order;

        r = find_overdue(site, &order, &is_more);
        if (r < 0 || !is_more)
            return TRACE(r);
        r = db_begin(site->db, &tx);
        if (r == 0) /* it may have been heard, or ended, meanwhile */
            r = find_overdue(site, &order, &is_more);
        if (r == 0 && is_more)
            r = fail_overdue(site, &order);
        if (r == 0)
            r = db_commit(&tx);
    }
    return TRACE(r);
}
