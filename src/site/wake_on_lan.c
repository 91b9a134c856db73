/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/wake_on_lan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/boot_target.h"
#include "site/deployment_rule.h"
#include "site/device.h"
#include "site/device_change.h"
#include "site/fields.h"
#include "site/rows.h"
#include "site/wake_job.h"
#include "site/wake_target.h"

enum {
    GATHER_MAX = 2000,     /* members of collections in one tick, */
    GATHER_TURN = 200,     /* of one deployment at a time, */
    GATHER_TURNS = 200,    /* of so many deployments */
    LOOK_BY_HAND_MAX = 50, /* of those looked at in one tick */
    LOOK_TURN = 20,        /* of one deployment at a time */
    WHY_MAX = 128,
    US_PER_S = 1000000,
};

#define AGAIN_BY_HAND_US   (UINT64_C(60) * US_PER_S)
#define AGAIN_BY_ITSELF_US (UINT64_C(600) * US_PER_S)
#define BUSY_US            (UINT64_C(5) * US_PER_S)    /* its distribution point has work */
#define FAILED_US          (UINT64_C(60) * US_PER_S)   /* it cannot be read */
#define TOO_LATE_US        (UINT64_C(3600) * US_PER_S) /* nobody expects it any more */
#define LOOK_AGAIN_US      (UINT64_C(3600) * US_PER_S) /* at least, at every deployment */

/* One that may have to be woken. */
struct sleeper {
    char device_id[ACCESS_DEVICE_ID_MAX];
    char deployment_id[SITE_ID_MAX]; /* "": somebody asks */
    char who[ACCESS_WHO_MAX];
    bool is_blocked;
    uint64_t woken_us;
    uint64_t since_us; /* when it was to be woken; 0: not known */
};

int wake_on_lan_plan(struct site *site, const char *deployment_id, bool is_on)
{
    struct db_args id = DB_ARGS(db_text(deployment_id));
    int r;

    if (is_on)
        return TRACE(db_must(
            site->db, SQL_WAKE_PLAN, DB_ARGS(db_text(deployment_id), db_u64(site->now_us))));
    r = db_must(site->db, SQL_WAKE_PLAN_DROP, id);
    return r < 0 ? TRACE(r) : TRACE(db_must(site->db, SQL_WAKE_UP_DROP_DEPLOYMENT, id));
}

static int
check_asked(struct site *site, const char *id, char ret_name[static DEVICE_NAME_MAX_BYTES + 1])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    uint64_t woken_us;
    int r = db_first(site->db, SQL_WAKE_DEVICE_STATE, DB_ARGS(db_text(id)), &rows);

    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : ERR(-EIO);
    woken_us = db_get_u64(&rows, 0);
    (void)snprintf(ret_name, DEVICE_NAME_MAX_BYTES + 1, "%s", db_get_text(&rows, 1));
    if (woken_us > 0 && site->now_us < woken_us + AGAIN_BY_HAND_US) {
        r = refuse(site,
                   REFUSAL_WOKEN,
                   "%s was sent magic packets less than a minute ago. Wait for it to start.",
                   ret_name);
        site->refusal.retry_after_s =
            (unsigned)((woken_us + AGAIN_BY_HAND_US - site->now_us) / US_PER_S + 1);
        return r;
    }
    return 0;
}

/* Somebody who wakes a thousand devices in a loop waits for them. */
static int check_waiting(struct site *site)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_WAKE_UP_ASKED, DB_NO_ARGS, &rows);

    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : ERR(-EIO);
    if (db_get_u64(&rows, 0) < WAKE_ASKED_MAX)
        return 0;
    r = refuse(site,
               REFUSAL_WOKEN,
               "%d devices wait already for magic packets. Try again when these are sent.",
               (int)WAKE_ASKED_MAX);
    site->refusal.retry_after_s = (unsigned)(AGAIN_BY_HAND_US / US_PER_S);
    return r;
}

static int put_answer(const char *id, const char *dp_id, const json_t *targets, json_t **ret)
{
    json_t *macs = json_array();

    for (size_t i = 0; i < json_array_size(targets); i++)
        (void)json_array_append(macs, json_object_get(json_array_get(targets, i), "mac"));
    *ret =
        json_pack("{s:s,s:s,s:o}", "device_id", id, "distribution_point_id", dp_id, "macs", macs);
    return *ret ? 0 : ERR(-ENOMEM);
}

static int note_woken(struct site *site, const char *id)
{
    return TRACE(
        db_must(site->db, SQL_WAKE_DEVICE_WOKEN, DB_ARGS(db_text(id), db_u64(site->now_us))));
}

static int keep_asked(struct site *site, const char *who, const char *id)
{
    int r = db_must(
        site->db, SQL_WAKE_UP_ASK, DB_ARGS(db_text(id), db_u64(site->now_us), db_text(who)));

    if (r == 0)
        r = note_woken(site, id);
    return r < 0 ? TRACE(r) : TRACE(site_audit(site, who, "device.wake", id, ""));
}

int wake_on_lan_ask(struct site *site, const char *who, const char *which, json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *targets = NULL;
    char id[ACCESS_DEVICE_ID_MAX];
    char dp_id[DP_ID_MAX];
    char name[DEVICE_NAME_MAX_BYTES + 1];
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = device_find(site, which, id);
    if (r == 0)
        r = device_check_open(site, id);
    if (r == 0)
        r = check_asked(site, id, name);
    if (r == 0)
        r = check_waiting(site);
    if (r == 0)
        r = wake_target_find(site, id, &targets, dp_id);
    if (r == 0 && json_array_size(targets) == 0)
        r = refuse(site,
                   REFUSAL_NO_MAC,
                   "The site knows no MAC address that is %s's own, so nothing can be sent to it.",
                   name);
    if (r == 0)
        r = keep_asked(site, who, id);
    if (r == 0)
        r = db_commit(&tx);
    return r != 0 ? TRACE(r) : TRACE(put_answer(id, dp_id, targets, ret));
}

/* Whether a deadline of it has come that was not seen to. */
static int look_at_deployment(struct site *site, const json_t *row)
{
    struct deployment_candidate c = {.created_us = field_number(row, "created_us", 0)};
    const char *id = field_text(row, "id", "");
    uint64_t look_us = site->now_us + LOOK_AGAIN_US;
    uint64_t due_us;
    uint64_t next_us;
    int r = deployment_terms_parse(site, row, &c.terms);

    if (r != 0) /* it was checked when it was kept */
        return r > 0 ? ERR(-EUCLEAN) : TRACE(r);
    due_us = deployment_last_due(&c, site->zone, site->now_us);
    next_us = deployment_next_due(&c, site->zone, site->now_us);
    if (next_us < look_us)
        look_us = next_us;
    if (due_us <= field_number(row, "seen_us", 0))
        return TRACE(db_must(site->db, SQL_WAKE_LOOKED, DB_ARGS(db_text(id), db_u64(look_us))));
    return TRACE(
        db_must(site->db, SQL_WAKE_DUE, DB_ARGS(db_text(id), db_u64(look_us), db_u64(due_us))));
}

/* In a part of its own: what is done for one stays or goes together, without the others. */
static int read_deployment(struct site *site, const char *id)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *row = NULL;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = rows_one(site->db, SQL_WAKE_DEPLOYMENT, DB_ARGS(db_text(id)), &row);
    if (r == 0)
        r = row ? look_at_deployment(site, row) : ERR(-EIO);
    return r < 0 ? TRACE(r) : TRACE(db_commit(&tx));
}

static int look_at_deployments(struct site *site)
{
    OWN(json_freep) json_t *rows = NULL;
    int r = rows_array(site->db, SQL_WAKE_DEPLOYMENTS, DB_ARGS(db_u64(site->now_us)), &rows);

    for (size_t i = 0; r == 0 && i < json_array_size(rows); i++) {
        const char *id = field_text(json_array_get(rows, i), "id", "");

        if (read_deployment(site, id) == 0)
            continue;
        site_passed_over(site, "the deadlines of the deployment", id);
        r = db_must(
            site->db, SQL_WAKE_LOOKED, DB_ARGS(db_text(id), db_u64(site->now_us + FAILED_US)));
    }
    return TRACE(r);
}

/* The next one behind the last that had its turn. @ret_id: "": none */
static int find_gathering(struct site *site,
                          char ret_id[static SITE_ID_MAX],
                          char ret_after[static ACCESS_DEVICE_ID_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_WAKE_GATHERING, DB_ARGS(db_text(site->gather_turn)), &rows);

    if (r == 0 && site->gather_turn[0]) {
        db_rows_fini(&rows);
        r = db_first(site->db, SQL_WAKE_GATHERING, DB_ARGS(db_text("")), &rows);
    }
    ret_id[0] = '\0';
    if (r != DB_ROW)
        return TRACE(r);
    (void)snprintf(ret_id, SITE_ID_MAX, "%s", db_get_text(&rows, 0));
    (void)snprintf(ret_after, ACCESS_DEVICE_ID_MAX, "%s", db_get_text(&rows, 1));
    (void)snprintf(site->gather_turn, sizeof(site->gather_turn), "%s", ret_id);
    return 0;
}

/* The next members of the collection of a deployment whose deadline has come. @ret_n: how many */
static int gather_some(struct site *site, const char *id, const char *after, uint64_t *ret_n)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char last[ACCESS_DEVICE_ID_MAX];
    struct db_args next = DB_ARGS(db_text(id), db_text(after), db_u64(GATHER_TURN));
    int r = db_first(site->db, SQL_WAKE_GATHER_LAST, next, &rows);

    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : ERR(-EIO);
    (void)snprintf(last, sizeof(last), "%s", db_get_text(&rows, 0));
    *ret_n = db_get_u64(&rows, 1);
    db_rows_fini(&rows);
    r = db_must(site->db,
                SQL_WAKE_UP_GATHER,
                DB_ARGS(db_text(id), db_text(after), db_text(last), db_u64(site->now_us)));
    if (r < 0)
        return TRACE(r);
    return TRACE(db_must(site->db,
                         SQL_WAKE_GATHERED,
                         DB_ARGS(db_text(id), db_text(*ret_n < GATHER_TURN ? "" : last))));
}

/* By turns, so that one with many devices keeps no other waiting. */
static int gather(struct site *site)
{
    uint64_t n_all = 0;

    for (size_t turn = 0; turn < GATHER_TURNS && n_all < GATHER_MAX; turn++) {
        char id[SITE_ID_MAX];
        char after[ACCESS_DEVICE_ID_MAX];
        uint64_t n = 0;
        int r = find_gathering(site, id, after);

        if (r == 0 && id[0])
            r = gather_some(site, id, after, &n);
        if (r < 0 || !id[0])
            return TRACE(r);
        n_all += n;
    }
    return 0;
}

static int drop(struct site *site, const struct sleeper *s)
{
    return TRACE(db_must(
        site->db, SQL_WAKE_UP_DROP, DB_ARGS(db_text(s->device_id), db_text(s->deployment_id))));
}

/* @since_us: when it is to be woken, from then on */
static int later(struct site *site, const struct sleeper *s, uint64_t look_us, uint64_t since_us)
{
    return TRACE(db_must(
        site->db,
        SQL_WAKE_UP_LATER,
        DB_ARGS(
            db_text(s->device_id), db_text(s->deployment_id), db_u64(look_us), db_u64(since_us))));
}

/* @ret: whether it is to be woken now; otherwise it is dropped or put off. */
static int judge(struct site *site, const struct sleeper *s, bool *ret)
{
    enum deployment_verdict verdict = DEPLOYMENT_OPEN;
    uint64_t changes_us = SCHEDULE_NEVER;
    uint64_t again_us = s->woken_us + AGAIN_BY_ITSELF_US;
    int r = 0;

    *ret = false;
    if (s->deployment_id[0])
        r = boot_target_judge(site, s->device_id, s->deployment_id, &verdict, &changes_us);
    if (r < 0)
        return TRACE(r);
    if ((verdict == DEPLOYMENT_OUTSIDE_WINDOW || verdict == DEPLOYMENT_NOT_YET) &&
        changes_us != SCHEDULE_NEVER)
        return TRACE(later(site, s, changes_us, changes_us));
    if (verdict != DEPLOYMENT_OPEN || s->is_blocked)
        return TRACE(drop(site, s));
    if (s->deployment_id[0] && s->woken_us > 0 && site->now_us < again_us)
        return TRACE(later(site, s, again_us, again_us));
    *ret = true;
    return 0;
}

/* @jobs: {dp: targets} of this round */
static int add_to_job(
    struct site *site, const struct sleeper *s, const char *dp_id, json_t *targets, json_t *jobs)
{
    json_t *list = json_object_get(jobs, dp_id);
    char why[WHY_MAX];
    int r;

    if (!list && json_object_set_new(jobs, dp_id, list = json_array()) < 0)
        return ERR(-ENOMEM);
    (void)snprintf(why,
                   sizeof(why),
                   "%s%s",
                   s->deployment_id[0] ? "deployment " : "by hand",
                   s->deployment_id);
    for (size_t i = 0; i < json_array_size(targets); i++) {
        json_t *target = json_array_get(targets, i);

        if (json_object_set_new(target, "why", json_string(why)) < 0 ||
            json_object_set_new(target, "who", json_string(s->who[0] ? s->who : "site")) < 0)
            return ERR(-ENOMEM);
    }
    r = s->deployment_id[0] ? note_woken(site, s->device_id)
                            : 0; /* else it was when somebody asked */
    if (r == 0)
        r = drop(site, s);
    if (r < 0)
        return TRACE(r);
    return json_array_extend(list, targets) < 0 ? ERR(-ENOMEM) : 0;
}

static int drop_unreachable(struct site *site, const struct sleeper *s, const char *why)
{
    int r = site_audit(site, "site", "device.wake-up-failed", s->device_id, why);

    return r < 0 ? TRACE(r) : TRACE(drop(site, s));
}

/* Its distribution point has other work. */
static int wait_for_dp(struct site *site, const struct sleeper *s)
{
    if (s->since_us > 0 && site->now_us >= s->since_us + TOO_LATE_US)
        return TRACE(drop_unreachable(site,
                                      s,
                                      "SLW-0266: its distribution point had others to wake for "
                                      "an hour. Nothing was sent."));
    return TRACE(later(site, s, site->now_us + BUSY_US, s->since_us));
}

static int find_and_add(struct site *site, const struct sleeper *s, json_t *jobs)
{
    OWN(json_freep) json_t *targets = NULL;
    char dp_id[DP_ID_MAX];
    bool is_to_wake;
    bool is_busy;
    int r = judge(site, s, &is_to_wake);

    if (r < 0 || !is_to_wake)
        return TRACE(r);
    r = wake_target_find(site, s->device_id, &targets, dp_id);
    if (r < 0)
        return TRACE(r);
    if (json_array_size(targets) == 0)
        return TRACE(drop_unreachable(
            site, s, "SLW-0264: the site knows no MAC address that is its own. Nothing was sent."));
    r = wake_job_is_open(site, dp_id, &is_busy);
    if (r < 0)
        return TRACE(r);
    return is_busy ? TRACE(wait_for_dp(site, s)) : TRACE(add_to_job(site, s, dp_id, targets, jobs));
}

/* In a part of its own, as deployments are looked at. */
static int try_one(struct site *site, const struct sleeper *s, json_t *jobs)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = find_and_add(site, s, jobs);
    return r < 0 ? TRACE(r) : TRACE(db_commit(&tx));
}

static int see_to(struct site *site, const struct sleeper *s, json_t *jobs)
{
    if (try_one(site, s, jobs) == 0)
        return 0;
    site_passed_over(site, "the waking of the device", s->device_id);
    return TRACE(later(site, s, site->now_us + FAILED_US, s->since_us));
}

static void read_sleeper(const struct db_rows *rows, struct sleeper *ret)
{
    (void)snprintf(ret->device_id, sizeof(ret->device_id), "%s", db_get_text(rows, 0));
    (void)snprintf(ret->deployment_id, sizeof(ret->deployment_id), "%s", db_get_text(rows, 1));
    (void)snprintf(ret->who, sizeof(ret->who), "%s", db_get_text(rows, 2));
    ret->is_blocked = db_get_bool(rows, 3);
    ret->woken_us = db_get_u64(rows, 4);
    ret->since_us = db_get_u64(rows, 5);
}

/* Of one deployment, at most @max. @ret: room for so many */
static int read_due(
    struct site *site, const char *deployment_id, size_t max, struct sleeper *ret, size_t *ret_n)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args args = DB_ARGS(db_text(deployment_id), db_u64(site->now_us), db_u64(max));
    int r = db_select(site->db, SQL_WAKE_UP_DUE, args, &rows);

    *ret_n = 0;
    if (r < 0)
        return TRACE(r);
    while ((r = db_next(&rows)) == DB_ROW && *ret_n < max)
        read_sleeper(&rows, &ret[(*ret_n)++]);
    return r < 0 ? TRACE(r) : 0;
}

/* @ret_n: how many were looked at */
static int
see_to_some(struct site *site, const char *deployment_id, size_t max, json_t *jobs, size_t *ret_n)
{
    struct sleeper due[LOOK_BY_HAND_MAX];
    size_t n = 0;
    int r = read_due(site, deployment_id, max < LOOK_BY_HAND_MAX ? max : LOOK_BY_HAND_MAX, due, &n);

    for (size_t i = 0; r == 0 && i < n; i++)
        r = see_to(site, &due[i], jobs);
    *ret_n = n;
    return TRACE(r);
}

/* The next one behind the last that had its turn; site->wake_turn: "": there is none behind it */
static int take_turn(struct site *site)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args args = DB_ARGS(db_text(site->wake_turn), db_u64(site->now_us));
    int r = db_first(site->db, SQL_WAKE_UP_NEXT, args, &rows);

    if (r < 0)
        return TRACE(r);
    (void)snprintf(
        site->wake_turn, sizeof(site->wake_turn), "%s", r == DB_ROW ? db_get_text(&rows, 0) : "");
    return 0;
}

/* Deployments by turns, so that one with many devices, or with a busy distribution point, keeps no other waiting. */
static int see_to_deployments(struct site *site, size_t max, json_t *jobs)
{
    size_t n_in_round = 1; /* the first round may begin in the middle */
    size_t n_all = 0;
    int r = 0;

    while (r == 0 && n_all < max) {
        size_t n_left = max - n_all;
        size_t n = 0;

        r = take_turn(site);
        if (r == 0 && site->wake_turn[0])
            r = see_to_some(
                site, site->wake_turn, n_left < LOOK_TURN ? n_left : LOOK_TURN, jobs, &n);
        else if (r == 0 && n_in_round == 0)
            return 0;
        n_all += n;
        n_in_round = site->wake_turn[0] ? n_in_round + n : 0;
    }
    return TRACE(r);
}

static int wake(struct site *site)
{
    OWN(json_freep) json_t *jobs = json_object();
    const char *dp_id;
    json_t *targets;
    size_t n = 0;
    int r = jobs ? see_to_some(site, "", LOOK_BY_HAND_MAX, jobs, &n) : ERR(-ENOMEM);

    if (r == 0)
        r = see_to_deployments(site, WAKE_JOB_DEVICES_MAX - n, jobs);
    json_object_foreach(jobs, dp_id, targets)
    {
        if (r == 0)
            r = wake_job_add(site, dp_id, targets);
    }
    return TRACE(r);
}

/* Without the lock that changes take, for this is asked each second. */
static int has_work(struct site *site, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    uint64_t stale_us =
        site->now_us > WAKE_JOB_TAKEN_WITHIN_US ? site->now_us - WAKE_JOB_TAKEN_WITHIN_US : 0;
    int r = db_first(
        site->db, SQL_WAKE_HAS_WORK, DB_ARGS(db_u64(site->now_us), db_u64(stale_us)), &rows);

    *ret = r == DB_ROW;
    return r < 0 ? TRACE(r) : 0;
}

int wake_on_lan_tick(struct site *site)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    bool is_any = false;
    int r = has_work(site, &is_any);

    if (r < 0 || !is_any)
        return TRACE(r);
    r = db_begin(site->db, &tx);
    if (r == 0)
        r = wake_job_expire(site);
    if (r == 0)
        r = look_at_deployments(site);
    if (r == 0)
        r = gather(site);
    if (r == 0)
        r = wake(site);
    return r < 0 ? TRACE(r) : TRACE(db_commit(&tx));
}
