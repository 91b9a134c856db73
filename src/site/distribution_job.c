/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/distribution_job.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/content_job.h"
#include "site/distribution.h"
#include "site/distribution_end.h"
#include "site/dp.h"
#include "site/dp_schedule.h"
#include "site/fields.h"
#include "site/job.h"

/* What a distribution point may do now. */
struct allowance {
    unsigned ranks;            /* of priority; dp_schedule.h */
    uint64_t rate_bytes_per_s; /* all its copying together; 0: no limit */
    uint64_t reserve_bytes;
};

static int load_allowance(struct site *site, const char *dp_id, struct allowance *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    OWN(json_freep) json_t *schedule = NULL;
    OWN(json_freep) json_t *rates = NULL;
    unsigned hour = dp_schedule_hour_of_week(site->now_us);
    int r = db_first(site->db, SQL_DP_RULES, DB_ARGS(db_text(dp_id)), &rows);

    *ret = (struct allowance){.ranks = DP_SCHEDULE_CLOSED};
    if (r != DB_ROW)
        return TRACE(r);
    schedule = json_loads(db_get_text(&rows, 0), 0, NULL);
    rates = json_loads(db_get_text(&rows, 1), 0, NULL);
    ret->ranks = dp_schedule_ranks(schedule, hour);
    ret->rate_bytes_per_s = dp_schedule_rate(rates, hour);
    ret->reserve_bytes = db_get_u64(&rows, 2);
    return 0;
}

int distribution_explain_waiting(struct site *site, json_t *row)
{
    static const char *const whys[] = {
        [DP_SCHEDULE_CLOSED] = "its schedule is closed at this hour",
        [1] = "its schedule lets only high priority pass at this hour",
        [2] = "its schedule lets only high and medium priority pass at this hour",
    };
    const char *work = field_text(row, "work", "");
    uint64_t rank = field_number(row, "rank", 0);
    struct allowance allowance;
    int r;

    (void)json_object_del(row, "rank");
    if (strcmp(field_text(row, "state", ""), "waiting") != 0 ||
        (strcmp(work, "replicate") != 0 && strcmp(work, "redistribute") != 0))
        return 0;
    r = load_allowance(site, field_text(row, "distribution_point_id", ""), &allowance);
    if (r < 0 || rank <= allowance.ranks)
        return TRACE(r);
    return json_object_set_new(row, "message", json_string(whys[allowance.ranks])) == 0
               ? 0
               : ERR(-ENOMEM);
}

struct n_jobs {
    uint64_t open;
    uint64_t running;
    uint64_t copying;
};

static int count_jobs(struct site *site, const char *dp_id, struct n_jobs *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args args = DB_ARGS(db_text(dp_id), db_u64(site->now_us));
    int r = db_first(site->db, SQL_DISTRIBUTION_N_JOBS, args, &rows);

    *ret = (struct n_jobs){0};
    if (r < 0)
        return TRACE(r);
    *ret = (struct n_jobs){db_get_u64(&rows, 0), db_get_u64(&rows, 1), db_get_u64(&rows, 2)};
    return 0;
}

/* The part of one of @n. */
static uint64_t share_of(uint64_t rate_bytes_per_s, uint64_t n)
{
    uint64_t share = n > 1 ? rate_bytes_per_s / n : rate_bytes_per_s;

    return share > 0 || rate_bytes_per_s == 0 ? share : 1;
}

/* One row of work. */
struct due {
    const char *dp_id;
    char package_id[SITE_ID_MAX];
    char work[16];
    char arch[16];
    uint64_t version;
    uint64_t n_tries;
    bool is_boot_image;
};

static int find_due(struct site *site, const char *dp_id, unsigned ranks, struct due *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args args = DB_ARGS(db_text(dp_id), db_u64(site->now_us), db_u64(ranks));
    int r = db_first(site->db, SQL_DISTRIBUTION_NEXT, args, &rows);

    *ret = (struct due){.dp_id = dp_id};
    if (r != DB_ROW)
        return TRACE(r);
    (void)snprintf(ret->package_id, sizeof(ret->package_id), "%s", db_get_text(&rows, 0));
    ret->version = db_get_u64(&rows, 1);
    (void)snprintf(ret->work, sizeof(ret->work), "%s", db_get_text(&rows, 2));
    ret->is_boot_image = strcmp(db_get_text(&rows, 3), "boot-image") == 0;
    (void)snprintf(ret->arch, sizeof(ret->arch), "%s", db_get_text(&rows, 4));
    ret->n_tries = db_get_u64(&rows, 7);
    return DB_ROW;
}

static int put_manifests(struct site *site, const struct due *due, json_t *args)
{
    OWN(json_freep) json_t *rows = NULL;
    json_t *names = json_array();
    const bool is_removal = strcmp(due->work, "remove") == 0;
    int r = is_removal
                ? rows_array(site->db,
                             SQL_DISTRIBUTION_ONLY_MANIFESTS,
                             DB_ARGS(db_text(due->dp_id), db_text(due->package_id), db_u64(0)),
                             &rows)
                : rows_array(site->db,
                             SQL_DISTRIBUTION_MANIFESTS,
                             DB_ARGS(db_text(due->package_id), db_u64(due->version)),
                             &rows);

    for (size_t i = 0; i < json_array_size(rows); i++)
        (void)json_array_append(names, json_object_get(json_array_get(rows, i), "manifest"));
    if (json_object_set_new(args, "manifests", names) < 0)
        return ERR(-ENOMEM);
    return TRACE(r);
}

/* Base URLs of those it may copy from, the best first. */
static int put_sources(
    struct site *site, const char *dp_id, const char *package_id, uint64_t version, json_t *args)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    OWN(json_freep) json_t *sources = json_array();
    int r = db_select(
        site->db,
        SQL_DISTRIBUTION_SOURCES,
        DB_ARGS(
            db_text(dp_id), db_text(package_id), db_u64(version), db_u64(dp_online_since(site))),
        &rows);

    if (r < 0)
        return TRACE(r);
    while ((r = db_next(&rows)) == DB_ROW) {
        if (db_get_bool(&rows, 1))
            r = dp_put_own_urls(site, NULL, sources);
        else
            r = json_array_append_new(sources, json_string(db_get_text(&rows, 0)));
        if (r < 0)
            return ERR(-ENOMEM);
    }
    if (json_object_set(args, "sources", sources) < 0)
        return ERR(-ENOMEM);
    return TRACE(r);
}

/* As far as it is the same whenever the job is handed out. */
static int make_args(struct site *site, const struct due *due, json_t **ret)
{
    OWN(json_freep)
    json_t *args =
        json_pack("{s:s,s:I}", "package_id", due->package_id, "version", (json_int_t)due->version);
    json_t *boot = due->is_boot_image ? json_pack("{s:s}", "arch", due->arch) : json_null();
    int r;

    if (strcmp(due->work, "validate") != 0)
        (void)json_object_set_new(args, "boot", boot);
    else
        json_decref(boot);
    if (strcmp(due->work, "replicate") == 0 || strcmp(due->work, "redistribute") == 0)
        (void)json_object_set_new(
            args, "is_again", json_boolean(strcmp(due->work, "redistribute") == 0));
    r = put_manifests(site, due, args);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(args);
    return 0;
}

static const char *kind_of(const char *work)
{
    return strcmp(work, "redistribute") == 0 ? "replicate" : work;
}

static int begin(struct site *site, const struct due *due, const json_t *args)
{
    char id[UUID_TEXT_MAX];
    int r = job_add(site,
                    &(struct job_order){
                        .kind = kind_of(due->work),
                        .dp_id = due->dp_id,
                        .package_id = due->package_id,
                        .version = due->version,
                        .args = args,
                    },
                    id);

    if (r < 0)
        return TRACE(r);
    return TRACE(db_must(site->db,
                         SQL_DISTRIBUTION_BEGUN,
                         DB_ARGS(db_text(due->dp_id),
                                 db_text(due->package_id),
                                 db_text(id),
                                 db_text(""),
                                 db_u64(site->now_us))));
}

static const char no_manifest[] =
    "This content version was made before there were manifests of such content: update it.";
static const char no_source[] = "No distribution point that is in use has this content version.";
static const char own_is_damaged[] =
    "The site's own copy is damaged and no other distribution point has it: import it again.";

static int fail(struct site *site, const struct due *due, const char *error_id, const char *why)
{
    return TRACE(distribution_note_failure(site,
                                           &(struct distribution_failure){
                                               .dp_id = due->dp_id,
                                               .package_id = due->package_id,
                                               .version = due->version,
                                               .work = due->work,
                                               .n_tries = due->n_tries,
                                               .error_id = error_id,
                                               .why = why,
                                           }));
}

static bool is_copy(const struct due *due)
{
    return strcmp(kind_of(due->work), "replicate") == 0;
}

/* @ret: whether there is a job now; otherwise the work has failed */
static int make_job(struct site *site, const struct due *due, bool *ret)
{
    OWN(json_freep) json_t *args = NULL;
    int r = make_args(site, due, &args);

    *ret = false;
    if (r == 0 && is_copy(due))
        r = put_sources(site, due->dp_id, due->package_id, due->version, args);
    if (r < 0)
        return TRACE(r);
    if (is_copy(due) && json_array_size(json_object_get(args, "manifests")) == 0)
        return TRACE(fail(site, due, SITE_ERROR_NO_SOURCE, no_manifest));
    if (is_copy(due) && json_array_size(json_object_get(args, "sources")) == 0)
        return TRACE(strcmp(due->dp_id, DP_OWN_ID) == 0
                         ? fail(site, due, SITE_ERROR_DAMAGED, own_is_damaged)
                         : fail(site, due, SITE_ERROR_NO_SOURCE, no_source));
    *ret = true;
    return TRACE(begin(site, due, args));
}

int distribution_make_jobs(struct site *site, const char *dp_id)
{
    struct allowance allowance;
    struct n_jobs n = {0};
    bool is_made = false;
    int r = count_jobs(site, dp_id, &n);

    if (r < 0 || n.open >= DISTRIBUTION_JOBS_MAX)
        return TRACE(r);
    r = load_allowance(site, dp_id, &allowance);
    while (r == 0 && !is_made) {
        struct due due;

        r = find_due(site, dp_id, allowance.ranks, &due);
        if (r != DB_ROW)
            return TRACE(r);
        r = make_job(site, &due, &is_made);
    }
    return TRACE(r);
}

static int check_room(struct site *site, const struct job *job, struct n_jobs *ret)
{
    int r = count_jobs(site, job->dp_id, ret);

    if (r < 0)
        return TRACE(r);
    return ret->running >= DISTRIBUTION_JOBS_MAX ? JOB_E_LATER : 0;
}

int distribution_prepare_copy(struct site *site, const struct job *job, json_t *args)
{
    struct allowance allowance;
    struct n_jobs n;
    uint64_t share;
    int r = check_room(site, job, &n);

    if (r == 0)
        r = load_allowance(site, job->dp_id, &allowance);
    if (r != 0)
        return r == JOB_E_LATER ? r : TRACE(r);
    share = share_of(allowance.rate_bytes_per_s, n.copying + 1);
    if (json_object_set_new(
            args, "reserve_bytes", json_integer((json_int_t)allowance.reserve_bytes)) < 0 ||
        json_object_set_new(args, "rate_limit_bytes_per_s", json_integer((json_int_t)share)) < 0)
        return ERR(-ENOMEM);
    r = put_sources(site, job->dp_id, job->package_id, job->version, args);
    /* a boot image that the site goes back to is there, and is only laid out again */
    if (r == 0 && strcmp(job->dp_id, DP_OWN_ID) == 0 &&
        json_array_size(json_object_get(args, "sources")) == 0)
        r = dp_put_own_urls(site, NULL, json_object_get(args, "sources"));
    return TRACE(r);
}

int distribution_prepare_validation(struct site *site, const struct job *job, json_t *args)
{
    struct n_jobs n;

    (void)args;
    return check_room(site, job, &n);
}

static int is_needed(
    struct site *site, const struct job *job, uint64_t version, const char *manifest, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args args =
        DB_ARGS(db_text(job->dp_id), db_text(manifest), db_text(job->package_id), db_u64(version));
    int r = db_first(site->db, SQL_DISTRIBUTION_NEEDS_MANIFEST, args, &rows);

    *ret = r == DB_ROW;
    return r == DB_ROW ? 0 : TRACE(r);
}

static int leave_needed(struct site *site, const struct job *job, json_t *args)
{
    json_t *manifests = json_object_get(args, "manifests");
    struct distribution_row row;
    int r = distribution_load_row(site, job, &row);
    uint64_t version = r == DB_ROW ? 0 : job->version;

    if (r == DB_ROW)
        r = 0;
    for (size_t i = json_array_size(manifests); r == 0 && i > 0; i--) {
        const char *name = json_string_value(json_array_get(manifests, i - 1));
        bool is_kept = false;

        r = is_needed(site, job, version, name ? name : "", &is_kept);
        if (r == 0 && is_kept)
            (void)json_array_remove(manifests, i - 1);
    }
    return TRACE(r);
}

/* The site's own library is emptied by the rules of content: there, another content version may need it too. */
int distribution_prepare_removal(struct site *site, const struct job *job, json_t *args)
{
    return strcmp(job->dp_id, DP_OWN_ID) == 0 ? TRACE(content_job_prepare_removal(site, job, args))
                                              : TRACE(leave_needed(site, job, args));
}

/* Of what is copied at the same time each gets its part. */
static int put_rate(struct site *site, const char *dp_id, json_t *answer)
{
    struct allowance allowance;
    struct n_jobs n;
    uint64_t share;
    int r = load_allowance(site, dp_id, &allowance);

    if (r < 0)
        return TRACE(r);
    r = count_jobs(site, dp_id, &n);
    if (r < 0)
        return TRACE(r);
    share = share_of(allowance.rate_bytes_per_s, n.copying);
    return json_object_set_new(answer, "rate_limit_bytes_per_s", json_integer((json_int_t)share)) <
                   0
               ? ERR(-ENOMEM)
               : 0;
}

int distribution_progress(struct site *site,
                          const struct job *job,
                          const struct job_progress *progress,
                          json_t *answer)
{
    const bool is_copying = strcmp(job->kind, "replicate") == 0;
    int r = db_must(site->db,
                    SQL_DISTRIBUTION_PROGRESS,
                    DB_ARGS(db_text(job->id),
                            db_u64(progress->percent),
                            db_u64(progress->rate_bytes_per_s),
                            db_text(progress->message),
                            db_u64(site->now_us)));

    if (r < 0 || !is_copying)
        return TRACE(r);
    return TRACE(put_rate(site, job->dp_id, answer));
}

static int stop_closed(struct site *site, const char *dp_id, const char *package_id)
{
    static const char why[] = "stopped where the schedule closed; it goes on when it opens";
    struct db_args args =
        DB_ARGS(db_text(dp_id), db_text(package_id), db_text(why), db_u64(site->now_us));
    int r = db_must(site->db, SQL_DISTRIBUTION_JOB_STOP, args);

    if (r < 0)
        return TRACE(r);
    return TRACE(db_must(site->db, SQL_DISTRIBUTION_WAIT, args));
}

static int stop_where_closed(struct site *site, const char *dp_id)
{
    OWN(json_freep) json_t *packages = NULL;
    struct allowance allowance;
    int r = load_allowance(site, dp_id, &allowance);

    if (r < 0 || allowance.ranks == DP_SCHEDULE_OPEN)
        return TRACE(r);
    r = rows_array(site->db,
                   SQL_DISTRIBUTION_CLOSED,
                   DB_ARGS(db_text(dp_id), db_u64(allowance.ranks)),
                   &packages);
    for (size_t i = 0; r == 0 && i < json_array_size(packages); i++)
        r = stop_closed(site, dp_id, field_text(json_array_get(packages, i), "package_id", ""));
    return TRACE(r);
}

int distribution_tick(struct site *site)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *dps = NULL;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = rows_array(site->db, SQL_DP_SCHEDULE_LIST, DB_NO_ARGS, &dps);
    for (size_t i = 0; r == 0 && i < json_array_size(dps); i++)
        r = stop_where_closed(site, field_text(json_array_get(dps, i), "id", ""));
    if (r < 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}
