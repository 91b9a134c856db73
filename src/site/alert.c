/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/alert.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/alert_message.h"
#include "site/event.h"
#include "site/fields.h"

#define DAY_US (UINT64_C(24) * 3600 * 1000000)

int alert_list(struct site *site, const char *state, const struct page *page, json_t **ret)
{
    if (state && strcmp(state, "active") != 0 && strcmp(state, "acknowledged") != 0 &&
        strcmp(state, "closed") != 0)
        return refuse(site, REFUSAL_INVALID, "\"state\": there is no such state of an alert.");
    return TRACE(rows_page(site->db,
                           SQL_ALERT_LIST,
                           DB_ARGS(page_after(page), page_limit(page), db_text(state)),
                           page,
                           ret));
}

static int get(struct site *site, uint64_t number, const char *which, json_t **ret)
{
    int r = rows_one(site->db, SQL_ALERT_GET, DB_ARGS(db_u64(number)), ret);

    if (r == 0 && !*ret)
        return refuse(site, REFUSAL_MISSING, "There is no alert \"%.100s\".", which);
    return TRACE(r);
}

static int set(struct site *site, const char *who, uint64_t number, const char *state)
{
    uint64_t n = 0;
    int r = db_run(site->db,
                   SQL_ALERT_SET,
                   DB_ARGS(db_u64(number), db_text(state), db_u64(site->now_us), db_text(who)),
                   &n);

    if (r != 0)
        return r > 0 ? ERR(-EIO) : TRACE(r);
    if (n == 0)
        return refuse(site, REFUSAL_IN_USE, "The alert is closed, or is not yours to change.");
    r = event_alerts(site);
    return r < 0 ? TRACE(r)
                 : TRACE(site_audit(site,
                                    who,
                                    strcmp(state, "closed") == 0 ? "alert.close"
                                                                 : "alert.acknowledge",
                                    "",
                                    state));
}

int alert_change(
    struct site *site, const char *who, const char *number, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"state", FIELD_CHOICE, true, 0, 0, "acknowledged|closed"},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *was = NULL;
    uint64_t n = 0;
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0 && !bytes_parse_u64(bytes_of(number), 0, INT64_MAX, &n))
        return refuse(site, REFUSAL_MISSING, "There is no alert \"%.100s\".", number);
    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = get(site, n, number, &was);
    if (r == 0)
        r = set(site, who, n, field_text(body, "state", ""));
    if (r == 0)
        r = db_commit(&tx);
    return r != 0 ? TRACE(r) : TRACE(get(site, n, number, ret));
}

static int judge(struct site *site)
{
    static const enum db_sql rules[] = {
        SQL_ALERT_END_SUCCESS,
        SQL_ALERT_RAISE_SUCCESS,
        SQL_ALERT_END_FAILED,
        SQL_ALERT_RAISE_FAILED,
        SQL_ALERT_END_LOST,
        SQL_ALERT_RAISE_LOST,
        SQL_ALERT_END_CONTENT,
        SQL_ALERT_RAISE_CONTENT,
        SQL_ALERT_END_PHASED,
        SQL_ALERT_RENEW_PHASED,
        SQL_ALERT_RAISE_PHASED,
        SQL_ALERT_END_HELD,
        SQL_ALERT_RAISE_HELD,
        SQL_ALERT_END_NOT_CONFIRMED,
        SQL_ALERT_RENEW_NOT_CONFIRMED,
        SQL_ALERT_RAISE_NOT_CONFIRMED,
    };
    struct db_value now = db_u64(site->now_us);
    struct db_value silent =
        db_u64(site->now_us > ALERT_DP_SILENT_US ? site->now_us - ALERT_DP_SILENT_US : 0);
    uint64_t kept_us = ALERT_KEPT_DAYS * DAY_US;
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(rules) / sizeof(rules[0]); i++)
        r = db_must(site->db, rules[i], DB_ARGS(now));
    if (r == 0)
        r = db_must(site->db, SQL_ALERT_END_SILENT, DB_ARGS(now, silent));
    if (r == 0)
        r = db_must(site->db, SQL_ALERT_RAISE_SILENT, DB_ARGS(now, silent));
    if (r == 0)
        r = db_must(site->db,
                    SQL_ALERT_EXPIRE,
                    DB_ARGS(db_u64(site->now_us > kept_us ? site->now_us - kept_us : 0)));
    return TRACE(r);
}

int alert_tick(struct site *site)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    int r;

    if (site->now_us < site->alerts_us + ALERT_EVERY_US && site->now_us >= site->alerts_us)
        return 0;
    site->alerts_us = site->now_us;
    r = db_begin(site->db, &tx);
    if (r == 0)
        r = judge(site);
    if (r == 0)
        r = alert_message_add(site);
    if (r == 0)
        r = event_alerts(site);
    return r < 0 ? TRACE(r) : TRACE(db_commit(&tx));
}
