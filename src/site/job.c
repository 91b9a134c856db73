/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/content.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/content_result.h"
#include "site/fields.h"

struct job {
    char id[64];
    char state[16];
    char kind[32];
    char package_id[SITE_ID_MAX];
};

static int load(struct site *site, const char *id, struct job *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_JOB_STATE, DB_ARGS(db_text(id)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(site, REFUSAL_MISSING, "There is no job \"%.100s\".", id);
    (void)snprintf(ret->id, sizeof(ret->id), "%s", id);
    (void)snprintf(ret->state, sizeof(ret->state), "%s", db_get_text(&rows, 0));
    (void)snprintf(ret->kind, sizeof(ret->kind), "%s", db_get_text(&rows, 1));
    (void)snprintf(ret->package_id, sizeof(ret->package_id), "%s", db_get_text(&rows, 2));
    return 0;
}

/* The job and its package in one: a package that is importing for ever could not even be imported anew. */
static int
end_failed(struct site *site, const struct job *job, const char *error_id, const char *why)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    int r = db_begin(site->db, &tx);

    if (r < 0)
        return TRACE(r);
    r = db_must(site->db,
                SQL_JOB_ENDED,
                DB_ARGS(db_text(job->id),
                        db_text("failed"),
                        db_u64(0),
                        db_text("failed"),
                        db_text(error_id),
                        db_text(why),
                        db_u64(site->now_us)));

    if (r < 0)
        return TRACE(r);
    r = db_must(site->db, SQL_PACKAGE_FAILED, DB_ARGS(db_text(job->package_id)));
    if (r < 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

static int save_result(struct site *site, const struct job *job, const json_t *result)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    int r = db_begin(site->db, &tx);

    if (r < 0)
        return TRACE(r);
    r = content_result_save(site, job->kind, job->package_id, result);
    if (r != 0)
        return TRACE(r);
    r = db_must(site->db,
                SQL_JOB_ENDED,
                DB_ARGS(db_text(job->id),
                        db_text("succeeded"),
                        db_u64(100),
                        db_text("done"),
                        db_null(),
                        db_null(),
                        db_u64(site->now_us)));
    if (r < 0)
        return TRACE(r);
    r = site_audit(site, "dp", "job.succeeded", job->package_id, job->kind);
    if (r < 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

static int end_succeeded(struct site *site, const struct job *job, const json_t *result)
{
    char why[sizeof(site->refusal.detail)];
    int r = save_result(site, job, result);

    if (r != SITE_E_REFUSED)
        return TRACE(r);
    (void)snprintf(why, sizeof(why), "%s", site->refusal.detail);
    return TRACE(end_failed(site, job, refusal_error_id(REFUSAL_INVALID), why));
}

int content_report_job(struct site *site, const char *id, const json_t *body)
{
    static const struct field fields[] = {
        {"state", FIELD_CHOICE, true, 0, 0, "running|succeeded|failed"},
        {"percent", FIELD_NUMBER, false, 0, 100, NULL},
        {"message", FIELD_TEXT, false, 0, 4096, NULL},
        {"error_id", FIELD_TEXT, false, 0, 16, NULL},
        {"result", FIELD_OBJECT, false, 0, 0, NULL},
        {0},
    };
    struct job job;
    const char *state = field_text(body, "state", "");
    const char *message = field_text(body, "message", "");
    int r = fields_check(site, body, fields, true, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    r = load(site, id, &job);
    if (r != 0)
        return TRACE(r);
    if (strcmp(job.state, "succeeded") == 0 || strcmp(job.state, "failed") == 0)
        return 0;
    if (strcmp(state, "succeeded") == 0)
        return TRACE(end_succeeded(site, &job, json_object_get(body, "result")));
    if (strcmp(state, "failed") == 0)
        return TRACE(end_failed(site, &job, field_text(body, "error_id", NULL), message));
    return TRACE(db_must(site->db,
                         SQL_JOB_RUNNING,
                         DB_ARGS(db_text(id),
                                 db_u64(field_number(body, "percent", 0)),
                                 db_text(message),
                                 db_u64(site->now_us))));
}

/* Fail one job that was lost too often. @ret: whether there was one. */
static int give_up_one(struct site *site, uint64_t silent_since_us, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args args = DB_ARGS(db_u64(silent_since_us), db_u64(CONTENT_JOB_CLAIMS_MAX));
    struct job job;
    int r = db_first(site->db, SQL_JOB_GIVEN_UP, args, &rows);

    *ret = r == DB_ROW;
    if (r != DB_ROW)
        return TRACE(r);
    r = load(site, db_get_text(&rows, 0), &job);
    if (r != 0)
        return TRACE(r);
    return TRACE(end_failed(site,
                            &job,
                            SITE_ERROR_JOB_LOST,
                            "The distribution point began three times and went silent each time."));
}

int content_expire_jobs(struct site *site)
{
    uint64_t silent_since_us =
        site->now_us > CONTENT_JOB_SILENCE_US ? site->now_us - CONTENT_JOB_SILENCE_US : 0;
    struct db_args args = DB_ARGS(db_u64(silent_since_us), db_u64(CONTENT_JOB_CLAIMS_MAX));
    bool is_more = true;
    int r = db_must(site->db, SQL_JOB_HAND_OUT_AGAIN, args);

    while (r == 0 && is_more)
        r = give_up_one(site, silent_since_us, &is_more);
    return TRACE(r);
}
