/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/deployment_change.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/collection.h"
#include "site/deployment.h"
#include "site/deployment_terms.h"
#include "site/device.h"
#include "site/fields.h"
#include "site/wake_on_lan.h"
#include "site/zone.h"

#define DAY_US (UINT64_C(24) * 3600 * 1000000)

static uint64_t time_us(struct site *site, const struct deployment_time *time, uint64_t without)
{
    return time->is_set ? zone_utc_us(time->is_utc ? NULL : site->zone, time->at_s) : without;
}

/* Terms by which it never begins on any device. That it is over already is none: a site's documents may say so. */
static int check_order(struct site *site, const struct deployment_terms *terms)
{
    uint64_t from_us = time_us(site, &terms->available_from, 0);
    uint64_t end_us = time_us(site, &terms->expires, SCHEDULE_NEVER);

    if (end_us <= from_us)
        return refuse(site,
                      REFUSAL_INVALID,
                      "\"expires\" is not after \"available_from\", so it could never begin.");
    if (end_us != SCHEDULE_NEVER && terms->available_from.is_set &&
        end_us - from_us <= terms->available_over_days * DAY_US)
        return refuse(site,
                      REFUSAL_INVALID,
                      "\"expires\" is not after the %" PRIu64
                      " days over which devices get it (available_over_days), so that some of "
                      "them could never begin.",
                      terms->available_over_days);
    for (size_t i = 0; end_us != SCHEDULE_NEVER && i < terms->n_assignments; i++)
        if (schedule_next(&terms->assignments[i], site->zone, from_us) >= end_us)
            return refuse(site,
                          REFUSAL_INVALID,
                          "\"assignments\": number %zu is never due before the deployment expires.",
                          i + 1);
    return 0;
}

int deployment_keep_terms(struct site *site, const char *id, const json_t *body)
{
    OWN(json_freep) json_t *assignments = deployment_terms_assignments(body);
    OWN(freep) char *text = json_dumps(assignments, JSON_COMPACT);
    struct deployment_terms terms;
    int r = deployment_terms_parse(site, body, &terms);

    if (r == 0)
        r = check_order(site, &terms);
    if (r != 0)
        return TRACE(r);
    if (!text)
        return ERR(-ENOMEM);
    r = wake_on_lan_plan(site, id, terms.is_wake_on_lan);
    if (r < 0)
        return TRACE(r);
    return TRACE(
        db_must(site->db,
                SQL_DEPLOYMENT_SET_TERMS,
                DB_ARGS(db_text(id),
                        db_text(field_text(body, "comment", "")),
                        db_text(field_text(body, "make_available_to", "clients-media-and-pxe")),
                        db_text(field_text(body, "available_from", "")),
                        db_text(field_text(body, "expires", "")),
                        db_text(text),
                        db_text(field_text(body, "rerun", "always")),
                        db_text(field_text(body, "priority", "normal")),
                        db_u64(terms.is_disabled ? 1 : 0),
                        db_u64(field_number(body, "lost_contact_s", DEPLOYMENT_LOST_CONTACT_S)),
                        db_u64(field_number(body, "alert_success_percent", 0)),
                        db_u64(field_number(body, "alert_after_s", DEPLOYMENT_ALERT_AFTER_S)),
                        db_u64(terms.may_run_outside_windows ? 1 : 0),
                        db_u64(terms.may_restart_outside_windows ? 1 : 0),
                        db_u64(terms.max_run_min),
                        db_u64(terms.is_wake_on_lan ? 1 : 0),
                        db_u64(terms.is_progress_shown ? 1 : 0),
                        db_u64(terms.available_over_days),
                        db_u64(terms.may_use_neighbours ? 1 : 0),
                        db_u64(terms.may_use_default_group ? 1 : 0))));
}

/* It is enabled, or was stopped otherwise and is said to be enabled: what it wipes is asked as if it were made now. */
static int release(struct site *site, const char *id, const json_t *now, bool was_stopped)
{
    const char *sequence = field_text(now, "task_sequence_id", "");
    const char *collection = field_text(now, "collection_id", "");
    int r = 0;

    if (was_stopped)
        r = deployment_check_risk(site, sequence, collection, now);
    if (r == 0 && was_stopped)
        r = deployment_keep_reach(site, id, sequence, collection, now);
    return r == 0 ? TRACE(db_must(site->db, SQL_DEPLOYMENT_RELEASE, DB_ARGS(db_text(id))))
                  : TRACE(r);
}

int deployment_change(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        DEPLOYMENT_TERMS_CHANGES,
        {"confirm_devices", FIELD_NUMBER, false, 0, UINT32_MAX, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *now = NULL;
    OWN(json_freep) json_t *changes = json_deep_copy(body);
    OWN(freep) char *detail = NULL;
    bool was_stopped;
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = rows_one(site->db, SQL_DEPLOYMENT_GET, DB_ARGS(db_text(id)), &now);
    if (r == 0 && !now)
        r = refuse(site, REFUSAL_MISSING, "There is no deployment \"%.100s\".", id);
    if (r != 0)
        return TRACE(r);
    was_stopped = field_bool(now, "is_disabled") || field_bool(now, "is_held") ||
                  field_bool(now, "is_not_confirmed");
    detail = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
    if (!detail || json_object_update(now, changes) < 0)
        return ERR(-ENOMEM);
    r = deployment_keep_terms(site, id, now);
    if (r == 0)
        r = deployment_terms_check(
            site, body, strcmp(field_text(now, "purpose", ""), "required") == 0);
    if (r == 0 && json_is_false(json_object_get(body, "is_disabled")))
        r = release(site, id, now, was_stopped);
    if (r == 0)
        r = site_audit(site, who, "deployment.change", id, detail);
    if (r == 0)
        r = db_commit(&tx);
    return r != 0 ? TRACE(r) : TRACE(deployment_get(site, id, ret));
}

static int count_running(struct site *site, const char *id, uint64_t *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_DEPLOYMENT_N_RUNNING, DB_ARGS(db_text(id)), &rows);

    *ret = r == DB_ROW ? db_get_u64(&rows, 0) : 0;
    return r < 0 ? TRACE(r) : 0;
}

int deployment_delete(struct site *site, const char *who, const char *id)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *now = NULL;
    uint64_t n_running = 0;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = deployment_get(site, id, &now);
    if (r == 0)
        r = count_running(site, id, &n_running);
    if (r != 0)
        return TRACE(r);
    if (n_running > 0)
        return refuse(site,
                      REFUSAL_IN_USE,
                      "The deployment %s is running on %" PRIu64 " device(s); cancel it first.",
                      id,
                      n_running);
    r = db_must(site->db, SQL_DEPLOYMENT_DELETE, DB_ARGS(db_text(id), db_u64(site->now_us)));
    if (r == 0)
        r = site_audit(site, who, "deployment.delete", id, "");
    return r < 0 ? TRACE(r) : TRACE(db_commit(&tx));
}

static int clear(struct site *site, const char *who, enum db_sql sql, const char *id, json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    uint64_t n = 0;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = db_run(site->db, sql, DB_ARGS(db_text(id)), &n);
    if (r == 0)
        r = site_audit(site, who, "deployment.clear", id, "");
    if (r == 0)
        r = db_commit(&tx);
    if (r != 0)
        return r > 0 ? ERR(-EIO) : TRACE(r);
    *ret = json_pack("{s:I}", "cleared", (json_int_t)n);
    return *ret ? 0 : ERR(-ENOMEM);
}

int deployment_clear_device(struct site *site, const char *who, const char *which, json_t **ret)
{
    char id[ACCESS_DEVICE_ID_MAX];
    int r = device_find(site, which, id);

    return r != 0 ? TRACE(r) : TRACE(clear(site, who, SQL_DEPLOYMENT_CLEAR_DEVICE, id, ret));
}

int deployment_clear_collection(struct site *site, const char *who, const char *which, json_t **ret)
{
    char id[SITE_ID_MAX];
    int r = collection_find(site, which, id);

    return r != 0 ? TRACE(r) : TRACE(clear(site, who, SQL_DEPLOYMENT_CLEAR_COLLECTION, id, ret));
}
