/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/order.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/fields.h"
#include "site/order_end.h"
#include "site/order_step.h"
#include "site/order_wish.h"
#include "site/status_message.h"
#include "site/summary.h"

struct report {
    const char *device_id;
    const char *order_id;
    const json_t *body;
    const char *state;
    uint64_t seq;
};

/* A return code has 32 bits, and is below 0 if it stands for an error of the system. */
static struct db_value code_or_null(const json_t *body, const char *name)
{
    const json_t *value = json_object_get(body, name);
    json_int_t n = json_integer_value(value);

    return json_is_integer(value) && n >= INT32_MIN && n <= INT32_MAX ? db_i64(n) : db_null();
}

static int save_message(struct site *site, const struct report *report)
{
    const json_t *body = report->body;
    struct db_args args = DB_ARGS(db_text(report->order_id),
                                  db_u64(report->seq),
                                  db_text(report->state),
                                  rows_number_or_null(body, "step"),
                                  rows_number_or_null(body, "n_steps"),
                                  db_text(field_text(body, "step_name", "")),
                                  db_text(field_text(body, "step_type", "")),
                                  db_text(field_text(body, "environment", "")),
                                  rows_number_or_null(body, "percent"),
                                  rows_number_or_null(body, "rate_bytes_per_s"),
                                  code_or_null(body, "exit_code"),
                                  db_text(field_text(body, "error_id", NULL)),
                                  db_text(field_text(body, "message", "")),
                                  db_u64(field_number(body, "time_us", 0)),
                                  db_u64(site->now_us),
                                  db_u64(status_message_id(report->state)),
                                  db_text(status_message_severity(report->state)),
                                  db_text(field_text(body, "group", "")));
    bool is_progress = strcmp(report->state, "step-progress") == 0;
    uint64_t most = is_progress ? ORDER_PROGRESS_MESSAGES_MAX : ORDER_MESSAGES_MAX;
    int r = db_must(site->db, SQL_STATUS_MESSAGE_ADD, args);

    if (r < 0 ||
        report->seq <= most) /* numbers grow from 1: there are no more messages than that */
        return TRACE(r);
    return TRACE(db_must(site->db,
                         SQL_STATUS_MESSAGE_TRIM,
                         DB_ARGS(db_text(report->order_id), db_u64(is_progress), db_u64(most))));
}

/* orders.is_restarting: into what */
static uint64_t restart_of(const struct report *report)
{
    if (strcmp(report->state, "restarting") != 0)
        return 0;
    return strcmp(field_text(report->body, "restart_to", ""), "boot-image") == 0
               ? ORDER_RESTARTS_TO_BOOT_IMAGE
               : ORDER_RESTARTS_TO_DISK;
}

static int save_progress(struct site *site, const struct report *report)
{
    const json_t *body = report->body;
    struct db_args args = DB_ARGS(db_text(report->order_id),
                                  db_u64(report->seq),
                                  rows_number_or_null(body, "step"),
                                  rows_number_or_null(body, "n_steps"),
                                  db_text(field_text(body, "step_name", "")),
                                  db_text(field_text(body, "step_type", "")),
                                  db_text(field_text(body, "environment", "")),
                                  rows_number_or_null(body, "percent"),
                                  rows_number_or_null(body, "rate_bytes_per_s"),
                                  db_text(field_text(body, "message", "")),
                                  db_u64(site->now_us),
                                  db_u64(restart_of(report)),
                                  db_u64(field_number(body, "downloaded_bytes", 0)),
                                  db_u64(field_number(body, "reused_bytes", 0)),
                                  db_u64(strcmp(report->state, "paused") == 0),
                                  db_text(field_text(body, "group", "")));
    int r = db_must(site->db, SQL_ORDER_PROGRESS, args);

    if (r == 0 && json_is_integer(json_object_get(body, "exit_code")))
        r = db_must(site->db,
                    SQL_ORDER_EXIT_CODE,
                    DB_ARGS(db_text(report->order_id), code_or_null(body, "exit_code")));
    if (r < 0)
        return TRACE(r);
    return TRACE(db_must(
        site->db, SQL_DEVICE_SEEN, DB_ARGS(db_text(report->device_id), db_u64(site->now_us))));
}

static int end_if_over(struct site *site, const struct report *report)
{
    if (strcmp(report->state, "succeeded") == 0)
        return TRACE(order_end_succeeded(site, report->order_id, report->device_id));
    if (strcmp(report->state, "failed") == 0)
        return TRACE(order_end_failed(site,
                                      report->order_id,
                                      report->device_id,
                                      field_text(report->body, "error_id", SITE_ERROR_NO_CAUSE),
                                      field_text(report->body, "message", "")));
    if (strcmp(report->state, "cancelled") == 0)
        return TRACE(order_end_cancelled(
            site, report->order_id, report->device_id, field_text(report->body, "message", "")));
    return 0;
}

static int save(struct site *site, const struct report *report)
{
    int r = save_message(site, report);

    if (r == 0)
        r = save_progress(site, report);
    if (r == 0)
        r = order_step_report(site, report->order_id, report->body);
    if (r == 0)
        r = end_if_over(site, report);
    return r == 0 ? TRACE(summary_order_changed(site, report->order_id)) : TRACE(r);
}

static int check_body(struct site *site, const json_t *body)
{
    static const struct field fields[] = {
        {"seq", FIELD_NUMBER, true, 1, INT64_MAX, NULL},
        {"state",
         FIELD_CHOICE,
         true,
         0,
         0,
         "started|step-started|step-progress|step-succeeded|step-failed|step-skipped|restarting|"
         "paused|resumed|succeeded|failed|cancelled"},
        {"environment", FIELD_CHOICE, true, 0, 0, "boot-image|full-os"},
        {"restart_to", FIELD_CHOICE, false, 0, 0, "boot-image|full-os"},
        {"step", FIELD_NUMBER, false, 0, ORDER_STEPS_MAX, NULL},
        {"n_steps", FIELD_NUMBER, false, 0, ORDER_STEPS_MAX, NULL},
        {"step_name", FIELD_TEXT, false, 0, 1024, NULL},
        {"step_type", FIELD_TEXT, false, 0, 256, NULL},
        {"group", FIELD_TEXT, false, 0, 4096, NULL},
        {"percent", FIELD_NUMBER, false, 0, 100, NULL},
        {"rate_bytes_per_s", FIELD_NUMBER, false, 0, INT64_MAX, NULL},
        {"downloaded_bytes", FIELD_NUMBER, false, 0, INT64_MAX, NULL},
        {"reused_bytes", FIELD_NUMBER, false, 0, INT64_MAX, NULL},
        {"error_id", FIELD_TEXT, false, 0, 16, NULL},
        {"message", FIELD_TEXT, false, 0, 16384, NULL},
        {"output", FIELD_TEXT, false, 0, 16384, NULL},
        {"time_us", FIELD_NUMBER, false, 0, INT64_MAX, NULL},
        {0},
    };

    return TRACE(fields_check(site, body, fields, true, REFUSAL_CLIENT_INVALID));
}

static bool is_success_outside(const struct report *report, const struct order_now *before)
{
    return before->applies_image && strcmp(report->state, "succeeded") == 0 &&
           strcmp(field_text(report->body, "environment", ""), "full-os") != 0;
}

int order_report(struct site *site,
                 const char *device_id,
                 const char *order_id,
                 const json_t *body,
                 json_t **ret)
{
    struct report report = {.device_id = device_id, .order_id = order_id, .body = body};
    OWN(db_rollbackp) struct db *tx = NULL; /* what it is judged by stays so until it is kept */
    struct order_now before = {0};
    int r = check_body(site, body);

    if (r != 0)
        return TRACE(r);
    report.state = field_text(body, "state", "");
    report.seq = field_number(body, "seq", 0);
    r = db_begin(site->db, &tx);
    if (r == 0)
        r = order_now_load(site, device_id, order_id, &before);
    if (r != 0)
        return TRACE(r);

    if (report.seq > before.last_seq) {
        if (before.is_over)
            return refuse(
                site, REFUSAL_ORDER_OVER, "The order is over at the site: the device must stop.");
        if (is_success_outside(&report, &before))
            return refuse(
                site,
                REFUSAL_SUCCESS_NOT_IN_OS,
                "Only the installed operating system can report success, because the task "
                "sequence installs one.");
        r = save(site, &report);
    }
    if (r == 0)
        r = db_commit(&tx);
    return r < 0 ? TRACE(r) : TRACE(order_wish_put(&before, ret));
}
