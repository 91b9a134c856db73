/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/distribution_end.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/content_job.h"
#include "site/distribution.h"
#include "site/distribution_job.h"
#include "site/fields.h"
#include "site/job.h"

static uint64_t retry_after_us(uint64_t n_tries)
{
    uint64_t wait_us = DISTRIBUTION_RETRY_US;

    for (uint64_t i = 0; i < n_tries && wait_us < DISTRIBUTION_RETRY_MAX_US; i++)
        wait_us *= 2;
    return wait_us < DISTRIBUTION_RETRY_MAX_US ? wait_us : DISTRIBUTION_RETRY_MAX_US;
}

int distribution_note_failure(struct site *site, const struct distribution_failure *f)
{
    const bool is_cancelled = f->error_id && strcmp(f->error_id, SITE_ERROR_CANCELLED) == 0;
    const bool is_last = is_cancelled || f->n_tries + 1 >= DISTRIBUTION_TRIES_MAX;
    int r = db_must(site->db,
                    SQL_DISTRIBUTION_FAILED,
                    DB_ARGS(db_text(f->dp_id),
                            db_text(f->package_id),
                            db_text(is_last ? "" : f->work),
                            db_text(f->error_id),
                            db_text(f->why),
                            is_last ? db_null() : db_u64(site->now_us + retry_after_us(f->n_tries)),
                            db_u64(site->now_us)));

    if (r < 0)
        return TRACE(r);
    return TRACE(distribution_note(site,
                                   &(struct distribution_event){.dp_id = f->dp_id,
                                                                .package_id = f->package_id,
                                                                .version = f->version,
                                                                .event = "failed",
                                                                .error_id = f->error_id,
                                                                .message = f->why}));
}

int distribution_load_row(struct site *site, const struct job *job, struct distribution_row *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db,
                     SQL_DISTRIBUTION_BY_JOB,
                     DB_ARGS(db_text(job->dp_id), db_text(job->package_id), db_text(job->id)),
                     &rows);

    *ret = (struct distribution_row){0};
    if (r != DB_ROW)
        return TRACE(r);
    (void)snprintf(ret->work, sizeof(ret->work), "%s", db_get_text(&rows, 0));
    ret->n_tries = db_get_u64(&rows, 1);
    return DB_ROW;
}

static int note_done(struct site *site, const struct job *job, const char *event, const char *text)
{
    int r = db_must(
        site->db,
        SQL_DISTRIBUTION_DONE,
        DB_ARGS(
            db_text(job->dp_id), db_text(job->package_id), db_text(text), db_u64(site->now_us)));

    if (r < 0)
        return TRACE(r);
    return TRACE(distribution_note(site,
                                   &(struct distribution_event){.dp_id = job->dp_id,
                                                                .package_id = job->package_id,
                                                                .version = job->version,
                                                                .event = event,
                                                                .message = text}));
}

int distribution_copied(struct site *site, const struct job *job, const json_t *result)
{
    static const struct field fields[] = {
        {"fetched_bytes", FIELD_NUMBER, false, 0, INT64_MAX, NULL},
        {"present_bytes", FIELD_NUMBER, false, 0, INT64_MAX, NULL},
        {0},
    };
    struct distribution_row row;
    char text[96];
    int r = fields_check(site, result, fields, true, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    r = distribution_load_row(site, job, &row);
    if (r != DB_ROW)
        return TRACE(r);
    (void)snprintf(text,
                   sizeof(text),
                   "%llu bytes fetched, %llu were there",
                   (unsigned long long)field_number(result, "fetched_bytes", 0),
                   (unsigned long long)field_number(result, "present_bytes", 0));
    r = db_must(site->db,
                SQL_DISTRIBUTION_VERSION_ADD,
                DB_ARGS(db_text(job->dp_id),
                        db_text(job->package_id),
                        db_u64(job->version),
                        db_u64(site->now_us)));
    if (r < 0)
        return TRACE(r);
    return TRACE(note_done(site, job, "success", text));
}

/* It is not offered to clients until it is whole again. */
static int heal(struct site *site, const struct job *job, size_t n_bad)
{
    char text[96];
    int r;

    (void)snprintf(
        text, sizeof(text), "validation found %zu damaged packs; they are fetched anew", n_bad);
    r = db_must(site->db,
                SQL_DISTRIBUTION_VERSION_DROP,
                DB_ARGS(db_text(job->dp_id), db_text(job->package_id), db_u64(job->version)));
    if (r == 0)
        r = db_must(site->db,
                    SQL_DISTRIBUTION_WORK,
                    DB_ARGS(db_text(job->dp_id),
                            db_text(job->package_id),
                            db_text("replicate"),
                            db_text(text),
                            db_u64(site->now_us)));
    if (r < 0)
        return TRACE(r);
    return TRACE(distribution_note(site,
                                   &(struct distribution_event){.dp_id = job->dp_id,
                                                                .package_id = job->package_id,
                                                                .version = job->version,
                                                                .event = "damaged",
                                                                .error_id = SITE_ERROR_DAMAGED,
                                                                .message = text}));
}

int distribution_validated(struct site *site, const struct job *job, const json_t *result)
{
    static const struct field fields[] = {
        {"bad", FIELD_ARRAY, true, 0, UINT32_MAX, NULL},
        {0},
    };
    size_t n_bad = json_array_size(json_object_get(result, "bad"));
    struct distribution_row row;
    int r = fields_check(site, result, fields, true, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    r = distribution_load_row(site, job, &row);
    if (r != DB_ROW)
        return TRACE(r);
    return n_bad > 0 ? TRACE(heal(site, job, n_bad))
                     : TRACE(note_done(site, job, "validated", "every byte is as it should be"));
}

int distribution_removed(struct site *site, const struct job *job, const json_t *result)
{
    struct distribution_row row;
    struct db_args args = DB_ARGS(db_text(job->dp_id), db_text(job->package_id), db_u64(0));
    int r = distribution_load_row(site, job, &row);

    (void)result;
    if (r != DB_ROW)
        return TRACE(r);
    r = db_must(site->db, SQL_DISTRIBUTION_VERSION_DROP, args);
    if (r == 0)
        r = db_must(site->db,
                    SQL_DISTRIBUTION_DROP,
                    DB_ARGS(db_text(job->dp_id), db_text(job->package_id)));
    if (r < 0)
        return TRACE(r);
    return TRACE(distribution_note(site,
                                   &(struct distribution_event){.dp_id = job->dp_id,
                                                                .package_id = job->package_id,
                                                                .version = job->version,
                                                                .event = "removed",
                                                                .message = ""}));
}

int distribution_failed(struct site *site,
                        const struct job *job,
                        const char *error_id,
                        const char *why)
{
    struct distribution_row row;
    int r = distribution_load_row(site, job, &row);

    if (r != DB_ROW)
        return TRACE(r);
    if (strcmp(row.work, "validate") == 0 && error_id &&
        strcmp(error_id, SITE_ERROR_CANCELLED) == 0)
        return TRACE(note_done(site, job, "cancel", why ? why : ""));
    return TRACE(distribution_note_failure(site,
                                           &(struct distribution_failure){
                                               .dp_id = job->dp_id,
                                               .package_id = job->package_id,
                                               .version = job->version,
                                               .work = row.work,
                                               .n_tries = row.n_tries,
                                               .error_id = error_id,
                                               .why = why ? why : "",
                                           }));
}

/* Of a version that is gone there is no row: then the job itself is repeated. */
int distribution_removal_failed(struct site *site,
                                const struct job *job,
                                const char *error_id,
                                const char *why)
{
    struct distribution_row row;
    int r = distribution_load_row(site, job, &row);

    if (r < 0)
        return TRACE(r);
    return r == DB_ROW ? TRACE(distribution_failed(site, job, error_id, why))
                       : TRACE(content_job_removal_failed(site, job, error_id, why));
}
