/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/job.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/random.h"
#include "site/distribution_job.h"
#include "site/event.h"
#include "site/fields.h"

#define KEEP_US (UINT64_C(90) * 24 * 3600 * 1000000) /* what is over is shown for so long */

static const struct job_kind *find_kind(const char *name)
{
    static const struct job_kind plain = {0};

    for (const struct job_kind *kind = job_kinds; kind->name; kind++)
        if (strcmp(kind->name, name) == 0)
            return kind;
    return &plain;
}

/* Columns 0 to 5 of job_get and job_queued. */
static void read_job(const struct db_rows *rows, struct job *ret)
{
    (void)snprintf(ret->id, sizeof(ret->id), "%s", db_get_text(rows, 0));
    (void)snprintf(ret->kind, sizeof(ret->kind), "%s", db_get_text(rows, 1));
    (void)snprintf(ret->dp_id, sizeof(ret->dp_id), "%s", db_get_text(rows, 2));
    (void)snprintf(ret->package_id, sizeof(ret->package_id), "%s", db_get_text(rows, 3));
    ret->version = db_get_u64(rows, 4);
    (void)snprintf(ret->state, sizeof(ret->state), "%s", db_get_text(rows, 5));
}

static bool is_over(const struct job *job)
{
    return strcmp(job->state, "queued") != 0 && strcmp(job->state, "running") != 0;
}

static int load(struct site *site, const char *id, struct job *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_JOB_GET, DB_ARGS(db_text(id)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(site, REFUSAL_MISSING, "There is no operation \"%.100s\".", id);
    read_job(&rows, ret);
    return 0;
}

int job_add(struct site *site, const struct job_order *order, char ret_id[static UUID_TEXT_MAX])
{
    OWN(freep) char *text = json_dumps(order->args, JSON_COMPACT);
    int r;

    if (!text)
        return ERR(-ENOMEM);
    random_uuid(ret_id, site->now_us);
    r = db_must(site->db,
                SQL_JOB_TRIM,
                DB_ARGS(db_u64(site->now_us > KEEP_US ? site->now_us - KEEP_US : 0)));
    if (r < 0)
        return TRACE(r);
    r = db_must(site->db,
                SQL_JOB_ADD,
                DB_ARGS(db_text(ret_id),
                        db_text(order->kind),
                        db_text(order->dp_id ? order->dp_id : JOB_OWN_DP),
                        db_text(order->package_id),
                        db_u64(order->version),
                        db_text(text),
                        db_u64(order->due_us),
                        db_u64(site->now_us)));
    return r < 0 ? TRACE(r) : TRACE(event_progress(site, "operation", ret_id, "operation.create"));
}

struct claim {
    struct job job;
    json_t *args; /* owned */
};

static void claim_fini(struct claim *claim)
{
    json_decref(claim->args);
}

static bool is_in(const json_t *kinds, const char *kind)
{
    for (size_t i = 0; i < json_array_size(kinds); i++)
        if (json_is_string(json_array_get(kinds, i)) &&
            strcmp(json_string_value(json_array_get(kinds, i)), kind) == 0)
            return true;
    return !kinds;
}

/* The first that may go now. Return: 0, also if there is none: then ret->args is NULL. */
static int find_due(struct site *site, const char *dp_id, const json_t *kinds, struct claim *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r =
        db_select(site->db, SQL_JOB_QUEUED, DB_ARGS(db_text(dp_id), db_u64(site->now_us)), &rows);

    if (r < 0)
        return TRACE(r);
    while ((r = db_next(&rows)) == DB_ROW) {
        OWN(json_freep)
        json_t *args = json_loads(db_get_text(&rows, 6), JSON_REJECT_DUPLICATES, NULL);
        const struct job_kind *kind;

        read_job(&rows, &ret->job);
        if (!is_in(kinds, ret->job.kind))
            continue;
        kind = find_kind(ret->job.kind);
        r = kind->prepare ? kind->prepare(site, &ret->job, args) : 0;
        if (r < 0)
            return TRACE(r);
        if (r == JOB_E_LATER)
            continue;
        ret->args = TAKE(args);
        return 0;
    }
    return TRACE(r);
}

static int take(struct site *site, const char *dp_id, const json_t *kinds, json_t **ret)
{
    OWN(claim_fini) struct claim claim = {0};
    OWN(freep) char *text = NULL;
    int r = find_due(site, dp_id, kinds, &claim);

    if (r < 0 || !claim.args)
        return TRACE(r);
    text = json_dumps(claim.args, JSON_COMPACT);
    if (!text)
        return ERR(-ENOMEM);
    r = db_must(site->db,
                SQL_JOB_CLAIM,
                DB_ARGS(db_text(claim.job.id), db_text(text), db_u64(site->now_us)));
    if (r == 0)
        r = event_progress(site, "operation", claim.job.id, "operation.run");
    if (r < 0)
        return TRACE(r);
    *ret =
        json_pack("{s:s,s:s,s:O}", "id", claim.job.id, "kind", claim.job.kind, "args", claim.args);
    return *ret ? 0 : ERR(-ENOMEM);
}

/* In a transaction, because a claim that could not be written (disk full) must not be handed out. */
int job_claim(struct site *site, const char *dp_id, const json_t *kinds, json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *job = NULL;
    int r = db_begin(site->db, &tx);

    *ret = NULL;
    if (r == 0)
        r = distribution_make_jobs(site, dp_id);
    if (r == 0)
        r = take(site, dp_id, kinds, &job);
    if (r == 0)
        r = db_commit(&tx);
    if (r == 0)
        *ret = TAKE(job);
    return TRACE(r);
}

static int tell(struct site *site, const struct job *job, const char *action)
{
    int r = event_progress(site, "operation", job->id, action);

    if (r == 0 && job->package_id[0] != '\0')
        r = event_progress(site, "content", job->package_id, action);
    return TRACE(r);
}

/* How a job ends. */
struct end {
    const char *state;
    const char *message;
    const char *error_id; /* NULL: none, as the next two */
    const char *why;
    const json_t *result;
};

static int save_end(struct site *site, const struct job *job, const struct end *end)
{
    OWN(freep) char *result = end->result ? json_dumps(end->result, JSON_COMPACT) : NULL;
    int r = db_must(site->db,
                    SQL_JOB_ENDED,
                    DB_ARGS(db_text(job->id),
                            db_text(end->state),
                            db_u64(strcmp(end->state, "succeeded") == 0 ? 100 : 0),
                            db_text(end->message),
                            db_text(end->error_id),
                            db_text(end->why),
                            db_text(result),
                            db_u64(site->now_us)));

    return r < 0 ? TRACE(r) : TRACE(tell(site, job, "operation.end"));
}

/* The job and what it was for in one: a package that is importing for ever could not even be imported anew. */
static int end_failed(struct site *site, const struct job *job, const struct end *end)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    const struct job_kind *kind = find_kind(job->kind);
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = save_end(site, job, end);
    if (r == 0 && kind->failed)
        r = kind->failed(site, job, end->error_id, end->why);
    if (r != 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

static int save_success(struct site *site, const struct job *job, const json_t *result)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    const struct job_kind *kind = find_kind(job->kind);
    struct end end = {
        .state = "succeeded",
        .message = "done",
        .result = kind->keeps_result ? result : NULL,
    };
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = save_end(site, job, &end);
    if (r == 0 && kind->succeeded)
        r = kind->succeeded(site, job, result);
    if (r == 0)
        r = site_audit(site, "dp", "job.succeeded", job->package_id, job->kind);
    if (r != 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

static int end_succeeded(struct site *site, const struct job *job, const json_t *result)
{
    char why[sizeof(site->refusal.detail)];
    struct end end = {
        .state = "failed",
        .message = "failed",
        .error_id = refusal_error_id(REFUSAL_INVALID),
        .why = why,
    };
    int r = save_success(site, job, result);

    if (r != SITE_E_REFUSED)
        return TRACE(r);
    (void)snprintf(why, sizeof(why), "%s", site->refusal.detail);
    return TRACE(end_failed(site, job, &end));
}

static int take_progress(struct site *site, const struct job *job, const json_t *body, json_t **ret)
{
    OWN(json_freep) json_t *answer = json_object();
    struct job_progress progress = {
        .percent = (unsigned)field_number(body, "percent", 0),
        .rate_bytes_per_s = field_number(body, "rate_bytes_per_s", 0),
        .message = field_text(body, "message", ""),
    };
    const struct job_kind *kind = find_kind(job->kind);
    OWN(db_rollbackp) struct db *tx = NULL;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = db_must(site->db,
                    SQL_JOB_RUNNING,
                    DB_ARGS(db_text(job->id),
                            db_u64(progress.percent),
                            db_text(progress.message),
                            db_u64(progress.rate_bytes_per_s),
                            db_u64(site->now_us)));
    if (r == 0 && kind->progress)
        r = kind->progress(site, job, &progress, answer);
    if (r == 0)
        r = tell(site, job, "operation.run");
    if (r == 0)
        r = db_commit(&tx);
    if (r == 0 && json_object_size(answer) > 0)
        *ret = TAKE(answer);
    return TRACE(r);
}

/* An end after the end. */
static int take_late(struct site *site, const struct job *job, const json_t *body)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    const struct job_kind *kind = find_kind(job->kind);
    int r;

    if (!kind->too_late || strcmp(job->state, "succeeded") == 0 ||
        strcmp(field_text(body, "state", ""), "succeeded") != 0)
        return 0;
    r = db_begin(site->db, &tx);
    if (r == 0)
        r = kind->too_late(site, job, json_object_get(body, "result"));
    if (r != 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

static int take_report(struct site *site, const struct job *job, const json_t *body, json_t **ret)
{
    const char *state = field_text(body, "state", "");

    if (strcmp(state, "running") == 0 && is_over(job))
        return refuse(site, REFUSAL_JOB_OVER, "The operation is over: %s.", job->state);
    if (strcmp(state, "running") == 0)
        return TRACE(take_progress(site, job, body, ret));
    if (is_over(job))
        return TRACE(take_late(site, job, body));
    if (strcmp(state, "succeeded") == 0)
        return TRACE(end_succeeded(site, job, json_object_get(body, "result")));
    return TRACE(end_failed(site,
                            job,
                            &(struct end){
                                .state = "failed",
                                .message = "failed",
                                .error_id = field_text(body, "error_id", NULL),
                                .why = field_text(body, "message", ""),
                            }));
}

int job_report(
    struct site *site, const char *dp_id, const char *id, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"state", FIELD_CHOICE, true, 0, 0, "running|succeeded|failed"},
        {"percent", FIELD_NUMBER, false, 0, 100, NULL},
        {"message", FIELD_TEXT, false, 0, 4096, NULL},
        {"rate_bytes_per_s", FIELD_NUMBER, false, 0, UINT64_C(1) << 53, NULL},
        {"error_id", FIELD_TEXT, false, 0, 16, NULL},
        {"result", FIELD_OBJECT, false, 0, 0, NULL},
        {0},
    };
    struct job job = {0};
    int r = fields_check(site, body, fields, true, REFUSAL_INVALID);

    *ret = NULL;
    if (r != 0)
        return TRACE(r);
    r = load(site, id, &job);
    if (r != 0)
        return TRACE(r);
    if (strcmp(job.dp_id, dp_id) != 0)
        return refuse(site,
                      REFUSAL_MISSING,
                      "The distribution point %.15s has no job \"%.100s\".",
                      dp_id,
                      id);
    return TRACE(take_report(site, &job, body, ret));
}

static int cancel(struct site *site, const char *who, const struct job *job)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char why[128];
    struct end end = {
        .state = "cancelled",
        .message = "cancelled",
        .error_id = SITE_ERROR_CANCELLED,
        .why = why,
    };
    int r = db_begin(site->db, &tx);

    (void)snprintf(why, sizeof(why), "It was cancelled by %.64s.", who);
    if (r == 0)
        r = site_audit(site, who, "operation.cancel", job->id, job->kind);
    if (r == 0)
        r = end_failed(site, job, &end);
    if (r != 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

int job_cancel(struct site *site, const char *who, const char *id, json_t **ret)
{
    struct job job = {0};
    int r = load(site, id, &job);

    if (r != 0)
        return TRACE(r);
    if (is_over(&job))
        return refuse(
            site, REFUSAL_JOB_OVER, "The operation %s is over already: %s.", job.id, job.state);
    r = cancel(site, who, &job);
    if (r != 0)
        return TRACE(r);
    return TRACE(operation_get(site, id, ret));
}

/* Fail one job that was lost too often. @ret: whether there was one. */
static int give_up_one(struct site *site, uint64_t silent_since_us, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args args = DB_ARGS(db_u64(silent_since_us), db_u64(JOB_CLAIMS_MAX));
    struct job job = {0};
    int r = db_first(site->db, SQL_JOB_GIVEN_UP, args, &rows);

    *ret = r == DB_ROW;
    if (r != DB_ROW)
        return TRACE(r);
    r = load(site, db_get_text(&rows, 0), &job);
    if (r != 0)
        return TRACE(r);
    return TRACE(
        end_failed(site,
                   &job,
                   &(struct end){
                       .state = "failed",
                       .message = "failed",
                       .error_id = SITE_ERROR_JOB_LOST,
                       .why = "The distribution point began three times and went silent each time.",
                   }));
}

int job_give_up(struct site *site, const char *id, const char *error_id, const char *why)
{
    struct job job = {0};
    const struct end end = {
        .state = "failed", .message = "failed", .error_id = error_id, .why = why};
    int r = load(site, id, &job);

    return r != 0 ? TRACE(r) : TRACE(end_failed(site, &job, &end));
}

int job_keep_running(struct site *site, const char *dp_id, const json_t *running)
{
    OWN(freep) char *list = json_is_array(running) ? json_dumps(running, JSON_COMPACT) : NULL;

    if (!list)
        return json_is_array(running) ? ERR(-ENOMEM) : 0;
    return TRACE(db_must(
        site->db, SQL_JOB_LOST, DB_ARGS(db_text(dp_id), db_text(list), db_u64(JOB_CLAIMS_MAX))));
}

int job_expire(struct site *site)
{
    uint64_t silent_since_us = site->now_us > JOB_SILENCE_US ? site->now_us - JOB_SILENCE_US : 0;
    struct db_args args = DB_ARGS(db_u64(silent_since_us), db_u64(JOB_CLAIMS_MAX));
    bool is_more = true;
    int r = db_must(site->db, SQL_JOB_HAND_OUT_AGAIN, args);

    while (r == 0 && is_more)
        r = give_up_one(site, silent_since_us, &is_more);
    return TRACE(r);
}

int operation_get(struct site *site, const char *id, json_t **ret)
{
    int r = rows_one(site->db, SQL_OPERATION_GET, DB_ARGS(db_text(id)), ret);

    if (r < 0)
        return TRACE(r);
    if (!*ret)
        return refuse(site, REFUSAL_MISSING, "There is no operation \"%.100s\".", id);
    return 0;
}

int operation_list(struct site *site, const struct page *page, bool is_open, json_t **ret)
{
    struct db_args args = DB_ARGS(page_after(page), page_limit(page), db_u64(is_open ? 1 : 0));

    return TRACE(rows_page(site->db, SQL_OPERATION_LIST, args, page, ret));
}
