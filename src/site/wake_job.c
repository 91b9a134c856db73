/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/wake_job.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "db/db.h"
#include "site/fields.h"

enum {
    DEFAULT_PORT = 9,
    DEFAULT_PACKETS_PER_S = 50,
    DETAIL_MAX_BYTES = 1024,
    WHY_MAX_BYTES = 200,
    TEXT_MAX_BYTES = WHY_MAX_BYTES + 64,
};

#define SENT     "device.wake-up"
#define NOT_SENT "device.wake-up-failed"

int wake_job_add(struct site *site, const char *dp_id, json_t *targets)
{
    unsigned port = site->settings.wake_port ? site->settings.wake_port : DEFAULT_PORT;
    unsigned rate = site->settings.wake_packets_per_s ? site->settings.wake_packets_per_s
                                                      : DEFAULT_PACKETS_PER_S;
    OWN(json_freep)
    json_t *args = json_pack(
        "{s:i,s:i,s:O}", "port", (int)port, "packets_per_s", (int)rate, "targets", targets);
    char id[UUID_TEXT_MAX];

    if (!args)
        return ERR(-ENOMEM);
    return TRACE(
        job_add(site, &(struct job_order){.kind = WAKE_JOB, .dp_id = dp_id, .args = args}, id));
}

int wake_job_is_open(struct site *site, const char *dp_id, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_WAKE_DP_IS_BUSY, DB_ARGS(db_text(dp_id)), &rows);

    *ret = r == DB_ROW;
    return r < 0 ? TRACE(r) : 0;
}

/* What was to be sent, as the site has kept it: no distribution point writes into histories of devices that it likes. */
static int read_targets(struct site *site, const struct job *job, json_t **ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    OWN(json_freep) json_t *args = NULL;
    int r = db_first(site->db, SQL_WAKE_JOB_ARGS, DB_ARGS(db_text(job->id)), &rows);

    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : ERR(-EIO);
    args = json_loads(db_get_text(&rows, 0), 0, NULL);
    *ret = json_incref(json_object_get(args, "targets"));
    return *ret ? 0 : ERR(-EUCLEAN);
}

/* A line of the device's history. Who asked is not in its text: not all who read it may know (docs/security-roles.md). */
static int note(struct site *site,
                const struct job *job,
                const json_t *target,
                const char *action,
                const char *text)
{
    OWN(buf_fini) struct buf detail = BUF_INIT(DETAIL_MAX_BYTES);
    const json_t *to = json_object_get(target, "to");
    char bounded[TEXT_MAX_BYTES];

    (void)snprintf(
        bounded, sizeof(bounded), "%s", text); /* a distribution point's words may be in it */
    text_make_utf8(bounded);
    buf_addf(&detail, "%s: %s for %s to", job->dp_id, bounded, field_text(target, "mac", ""));
    for (size_t i = 0; i < json_array_size(to); i++)
        buf_addf(&detail, " %s", json_string_value(json_array_get(to, i)));
    buf_addf(&detail, " (%s)", field_text(target, "why", ""));
    return TRACE(site_audit(site,
                            field_text(target, "who", "site"),
                            action,
                            field_text(target, "device_id", ""),
                            buf_str(&detail)));
}

static int note_failed(struct site *site,
                       const struct job *job,
                       const json_t *target,
                       const char *error_id,
                       const char *why)
{
    bool is_cancelled = error_id && strcmp(error_id, SITE_ERROR_CANCELLED) == 0;
    char text[TEXT_MAX_BYTES];

    (void)snprintf(text,
                   sizeof(text),
                   "%.15s: %.*s %s",
                   error_id ? error_id : "-",
                   WHY_MAX_BYTES,
                   is_cancelled ? "It was cancelled." : (why ? why : ""),
                   bytes_eq_nocase(bytes_of(job->state), "queued") ? "Nothing was sent"
                                                                   : "Packets may have been sent");
    return TRACE(note(site, job, target, NOT_SENT, text));
}

static int check_result(struct site *site, const json_t *result, size_t n_targets)
{
    static const struct field fields[] = {
        {"failed", FIELD_ARRAY, true, 0, WAKE_JOB_FAILED_MAX, NULL},
        {0},
    };
    const json_t *failed = json_object_get(result, "failed");
    int r = fields_check(site, result, fields, true, REFUSAL_INVALID);

    for (size_t i = 0; r == 0 && i < json_array_size(failed); i++) {
        const json_t *one = json_array_get(failed, i);
        const json_t *index = json_object_get(one, "target");

        if (!json_is_integer(index) || json_integer_value(index) < 0 ||
            (size_t)json_integer_value(index) >= n_targets ||
            !json_is_string(json_object_get(one, "why")) ||
            !json_is_string(json_object_get(one, "to")))
            r = refuse(site, REFUSAL_INVALID, "\"failed\": item %zu is malformed.", i);
    }
    return TRACE(r);
}

/* How many of its addresses could not be sent to, and why not the last one. */
static size_t count_failed(const json_t *failed, size_t target, const char **ret_why)
{
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(failed); i++)
        if ((size_t)field_number(json_array_get(failed, i), "target", 0) == target) {
            *ret_why = field_text(json_array_get(failed, i), "why", "");
            n = field_text(json_array_get(failed, i), "to", "")[0] ? n + 1 : SIZE_MAX / 2;
        }
    return n;
}

int wake_job_succeeded(struct site *site, const struct job *job, const json_t *result)
{
    OWN(json_freep) json_t *targets = NULL;
    const json_t *failed = json_object_get(result, "failed");
    int r = read_targets(site, job, &targets);

    if (r == 0)
        r = check_result(site, result, json_array_size(targets));
    for (size_t i = 0; r == 0 && i < json_array_size(targets); i++) {
        const json_t *target = json_array_get(targets, i);
        const char *why = "";
        size_t n = count_failed(failed, i, &why);

        if (n < json_array_size(json_object_get(target, "to")))
            r = note(site, job, target, SENT, "magic packets were sent");
        if (r == 0 && n > 0)
            r = note(site, job, target, NOT_SENT, why);
    }
    return TRACE(r);
}

int wake_job_failed(struct site *site, const struct job *job, const char *error_id, const char *why)
{
    OWN(json_freep) json_t *targets = NULL;
    int r = read_targets(site, job, &targets);

    for (size_t i = 0; r == 0 && i < json_array_size(targets); i++)
        r = note_failed(site, job, json_array_get(targets, i), error_id, why);
    return TRACE(r);
}

/* @ret: whether there was one */
static int expire_one(struct site *site, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char id[UUID_TEXT_MAX];
    int r = db_first(site->db,
                     SQL_WAKE_JOB_STALE,
                     DB_ARGS(db_u64(site->now_us - WAKE_JOB_TAKEN_WITHIN_US)),
                     &rows);

    *ret = r == DB_ROW;
    if (r != DB_ROW)
        return TRACE(r);
    (void)snprintf(id, sizeof(id), "%s", db_get_text(&rows, 0));
    db_rows_fini(&rows);
    return TRACE(job_give_up(site,
                             id,
                             SITE_ERROR_NOT_TAKEN,
                             "The distribution point did not take the job within ten minutes."));
}

int wake_job_expire(struct site *site)
{
    bool is_more = site->now_us > WAKE_JOB_TAKEN_WITHIN_US;
    int r = 0;

    while (r == 0 && is_more)
        r = expire_one(site, &is_more);
    return TRACE(r);
}
