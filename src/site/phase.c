/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/phase.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/deployment.h"
#include "site/deployment_change.h"
#include "site/deployment_terms.h"
#include "site/fields.h"
#include "site/rows.h"
#include "site/task_sequence_parts.h"
#include "site/zone.h"

#define DAY_US (UINT64_C(24) * 3600 * 1000000)
#define US     UINT64_C(1000000)

static bool is_expired(struct site *site, const json_t *row)
{
    const char *expires = field_text(row, "expires", "");
    int64_t at_s;
    bool is_utc;

    return schedule_parse_time(expires, &at_s, &is_utc) &&
           zone_utc_us(is_utc ? NULL : site->zone, at_s) <= site->now_us;
}

void phase_read_progress(struct site *site, const json_t *row, struct phase_progress *ret)
{
    *ret = (struct phase_progress){
        .is_alive = field_bool(row, "is_alive"),
        .is_closed = field_bool(row, "is_disabled") || is_expired(site, row),
        .n_devices = field_number(row, "n_waiting", 0) + field_number(row, "n_begun", 0),
        .n_succeeded = field_number(row, "n_succeeded", 0),
        .n_going = field_number(row, "n_in_progress", 0) + field_number(row, "n_restarting", 0) +
                   field_number(row, "n_paused", 0),
        .n_lost = field_number(row, "n_failed", 0) + field_number(row, "n_cancelled", 0) +
                  field_number(row, "n_requirements_not_met", 0),
    };
}

void phase_read_wish(const json_t *row, struct phase_wish *ret)
{
    *ret = (struct phase_wish){
        .goal = {.percent = field_number(row, "begin_after_percent", PHASE_PERCENT),
                 .n_devices = field_number(row, "begin_after_devices", 0)},
        .is_by_hand = strcmp(field_text(row, "begins", ""), "by-hand") == 0,
        .defer_us = field_number(row, "defer_days", PHASE_DEFER_DAYS) * DAY_US,
    };
}

/* Says which phase it is about. */
static int refuse_phase(struct site *site, size_t i)
{
    char why[sizeof(site->refusal.detail)];

    (void)snprintf(why, sizeof(why), "%s", site->refusal.detail);
    return refuse(site, REFUSAL_INVALID, "\"phases\", the %zu.: %.440s", i + 1, why);
}

/* As its deployment will have them, so that none is refused only when its time has come. */
static int check_terms(struct site *site, const json_t *phase)
{
    OWN(json_freep) json_t *terms = phase_terms(phase);
    struct deployment_terms read = {.is_required = false};
    int r = terms ? deployment_terms_parse(site, terms, &read) : ERR(-ENOMEM);

    return r == 0 ? TRACE(deployment_terms_check(site, phase, read.is_required)) : TRACE(r);
}

static int check_one(struct site *site, const json_t *phase)
{
    static const struct field fields[] = {
        {"name", FIELD_LINE, true, 1, 255, NULL},
        {"collection", FIELD_TEXT, true, 1, 255, NULL},
        {"purpose", FIELD_CHOICE, false, 0, 0, "required|available"},
        {"content_option", FIELD_CHOICE, false, 0, 0, DEPLOYMENT_CONTENT_OPTIONS},
        DEPLOYMENT_TERMS_LASTING,
        {"deadline_days", FIELD_NUMBER, false, 0, PHASE_DAYS_MAX, NULL},
        {"begins", FIELD_CHOICE, false, 0, 0, "automatically|by-hand"},
        {"begin_after_percent", FIELD_NUMBER, false, 1, 100, NULL},
        {"begin_after_devices", FIELD_NUMBER, false, 0, UINT32_MAX, NULL},
        {"defer_days", FIELD_NUMBER, false, 0, PHASE_DAYS_MAX, NULL},
        {0},
    };
    int r = fields_check(site, phase, fields, false, REFUSAL_INVALID);

    if (r == 0 && field_number(phase, "deadline_days", 0) > 0 &&
        strcmp(field_text(phase, "purpose", "required"), "required") != 0)
        return refuse(site,
                      REFUSAL_INVALID,
                      "\"deadline_days\": only a required deployment is due at some time.");
    /* the usual per cent may be there beside the number: so are they shown */
    if (r == 0 && field_number(phase, "begin_after_devices", 0) > 0 &&
        field_number(phase, "begin_after_percent", PHASE_PERCENT) != PHASE_PERCENT)
        return refuse(site,
                      REFUSAL_INVALID,
                      "\"begin_after_percent\" and \"begin_after_devices\" exclude one another: "
                      "either per cent or a number must have succeeded.");
    return r == 0 ? TRACE(check_terms(site, phase)) : TRACE(r);
}

int phase_check(struct site *site, const json_t *phases)
{
    size_t n = json_array_size(phases);

    if (n < PHASES_MIN)
        return refuse(site,
                      REFUSAL_INVALID,
                      "\"phases\": there must be %d at least; a single one is a deployment.",
                      (int)PHASES_MIN);
    for (size_t i = 0; i < n; i++) {
        const json_t *phase = json_array_get(phases, i);
        int r = json_is_object(phase) ? check_one(site, phase)
                                      : refuse(site, REFUSAL_INVALID, "It must be an object.");

        if (r == SITE_E_REFUSED)
            return refuse_phase(site, i);
        if (r != 0)
            return TRACE(r);
        for (size_t j = 0; j < i; j++)
            if (strcmp(field_text(phase, "name", ""),
                       field_text(json_array_get(phases, j), "name", "")) == 0) {
                (void)refuse(site, REFUSAL_INVALID, "Another phase has its name.");
                return refuse_phase(site, i);
            }
    }
    return 0;
}

static int count_devices(struct site *site, const char *collection_id, uint64_t *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_DEPLOYMENT_RISK, DB_ARGS(db_text(collection_id)), &rows);

    *ret = r == DB_ROW ? db_get_u64(&rows, 2) : 0;
    return r < 0 ? TRACE(r) : 0;
}

static const char *purpose_of(const json_t *phase)
{
    return field_text(phase, "purpose", "required");
}

/* As many disks as all phases wipe without asking; of those that wipe none, or ask, json_null(). */
static int count_wiped(struct site *site,
                       const char *task_sequence_id,
                       const json_t *ids,
                       const json_t *phases,
                       uint64_t *ret_sum,
                       json_t *ret)
{
    bool is_wiping = false;
    int r = task_sequence_wipes_by_id(site, task_sequence_id, &is_wiping);

    *ret_sum = 0;
    for (size_t i = 0; r == 0 && i < json_array_size(ids); i++) {
        bool asks = strcmp(purpose_of(json_array_get(phases, i)), "required") != 0;
        uint64_t n = 0;

        if (is_wiping && !asks)
            r = count_devices(site, json_string_value(json_array_get(ids, i)), &n);
        *ret_sum += n;
        if (r == 0 && json_array_append_new(
                          ret, is_wiping && !asks ? json_integer((json_int_t)n) : json_null()) < 0)
            return ERR(-ENOMEM);
    }
    return TRACE(r);
}

static int refuse_unconfirmed(struct site *site, uint64_t sum)
{
    return refuse(site,
                  REFUSAL_CONFIRM,
                  "The phases together wipe the disks of %" PRIu64
                  " device(s) without asking anybody; to go on, confirm it with that number "
                  "(confirm_devices).",
                  sum);
}

/* Each phase as if it were deployed now. @n: NULL: nobody has confirmed anything */
static int check_risk_of(struct site *site,
                         const char *task_sequence_id,
                         const char *collection_id,
                         const json_t *phase,
                         json_t *n)
{
    OWN(json_freep)
    json_t *body = json_pack("{s:s, s:O*}", "purpose", purpose_of(phase), "confirm_devices", n);

    return body ? TRACE(deployment_check_risk(site, task_sequence_id, collection_id, body))
                : ERR(-ENOMEM);
}

int phase_check_risk(struct site *site,
                     const char *task_sequence_id,
                     const json_t *ids,
                     const json_t *body,
                     json_t **ret_confirmed)
{
    OWN(json_freep) json_t *counts = json_array();
    const json_t *phases = json_object_get(body, "phases");
    bool is_confirmed = json_is_integer(json_object_get(body, "confirm_devices"));
    uint64_t sum = 0;
    int r = counts ? count_wiped(site, task_sequence_id, ids, phases, &sum, counts) : ERR(-ENOMEM);

    for (size_t i = 0; r == 0 && i < json_array_size(ids); i++) {
        json_t *n = json_array_get(counts, i);

        r = check_risk_of(site,
                          task_sequence_id,
                          json_string_value(json_array_get(ids, i)),
                          json_array_get(phases, i),
                          is_confirmed && json_is_integer(n) ? n : NULL);
        if (r == SITE_E_REFUSED && site->refusal.id == REFUSAL_CONFIRM)
            return refuse_unconfirmed(site, sum);
    }
    if (r == 0 && is_confirmed && sum > 0 && field_number(body, "confirm_devices", 0) != sum)
        return refuse_unconfirmed(site, sum);
    for (size_t i = 0; r == 0 && !is_confirmed && i < json_array_size(counts); i++)
        (void)json_array_set_new(counts, i, json_null());
    if (r == 0)
        *ret_confirmed = TAKE(counts);
    return TRACE(r);
}

json_t *phase_terms(const json_t *phase)
{
    static const char *const others[] = {
        "name", "collection", "begins", "begin_after_percent", "begin_after_devices", "defer_days"};
    json_t *terms = json_deep_copy(phase);

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        (void)json_object_del(terms, others[i]);
    if (terms && !json_is_string(json_object_get(terms, "purpose")))
        (void)json_object_set_new(terms, "purpose", json_string("required"));
    return terms;
}

/* A deadline of some days begins when the phase does. */
static int put_deadline(const struct site *site, json_t *body)
{
    uint64_t days = field_number(body, "deadline_days", 0);
    char start[CIVIL_TEXT_MAX + 1];

    (void)json_object_del(body, "deadline_days");
    if (days == 0)
        return 0;
    civil_put(start, (int64_t)((site->now_us + days * DAY_US) / US));
    (void)snprintf(start + strlen(start), 2, "Z");
    return json_object_set_new(body, "assignments", json_pack("[{s:s}]", "start", start)) < 0
               ? ERR(-ENOMEM)
               : 0;
}

static int put_confirmation(struct site *site,
                            const char *collection_id,
                            const json_t *confirmed,
                            bool is_exact,
                            json_t *body)
{
    uint64_t n = 0;
    int r = 0;

    if (!json_is_integer(confirmed))
        return 0;
    if (!is_exact)
        r = count_devices(site, collection_id, &n);
    if (r != 0 || (!is_exact && n > (uint64_t)json_integer_value(confirmed)))
        return TRACE(r);
    return json_object_set_new(
               body,
               "confirm_devices",
               json_integer(is_exact ? json_integer_value(confirmed) : (json_int_t)n)) < 0
               ? ERR(-ENOMEM)
               : 0;
}

int phase_deploy(struct site *site,
                 const char *who,
                 const json_t *row,
                 const json_t *confirmed,
                 bool is_exact,
                 char ret[static SITE_ID_MAX])
{
    const char *collection_id = field_text(row, "collection_id", "");
    OWN(json_freep) json_t *body = json_deep_copy(json_object_get(row, "terms"));
    OWN(json_freep) json_t *made = NULL;
    int r = body ? put_deadline(site, body) : ERR(-ENOMEM);

    if (r == 0)
        r = put_confirmation(site, collection_id, confirmed, is_exact, body);
    if (r != 0)
        return TRACE(r);
    if (json_object_set(body, "task_sequence_id", json_object_get(row, "task_sequence_id")) < 0 ||
        json_object_set(body, "collection", json_object_get(row, "collection_id")) < 0)
        return ERR(-ENOMEM);
    r = deployment_create(site, who, body, &made);
    if (r == 0)
        (void)snprintf(ret, SITE_ID_MAX, "%s", field_text(made, "id", ""));
    return TRACE(r);
}
