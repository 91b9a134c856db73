/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/dp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/dp_schedule.h"
#include "site/fields.h"

enum {
    COMMENT_MAX = 127,
    PRIORITY_MAX = 100,
    TEXT_MAX_BYTES = 255,
};

#define RESERVE_MAX_BYTES (UINT64_C(1) << 50)

/* Once in the hours of a rule, however many they are. */
#define VALIDATION_PAUSE_US (UINT64_C(12) * 3600 * 1000000)

uint64_t dp_online_since(const struct site *site)
{
    return site->now_us > DP_SILENCE_US ? site->now_us - DP_SILENCE_US : 0;
}

const struct named dp_named = {
    .noun = "distribution point",
    .action = "distribution-point",
    .prefix = "DP",
    .find = SQL_DP_FIND,
};

int dp_find(struct site *site, const char *which, char ret[static DP_ID_MAX])
{
    return TRACE(named_find(site, &dp_named, which, ret, NULL));
}

int dp_list(struct site *site, const struct page *page, json_t **ret)
{
    struct db_args args =
        DB_ARGS(page_after(page), page_limit(page), db_u64(dp_online_since(site)));

    return TRACE(rows_page(site->db, SQL_DP_LIST, args, page, ret));
}

int dp_get(struct site *site, const char *which, json_t **ret)
{
    OWN(json_freep) json_t *object = NULL;
    OWN(json_freep) json_t *sources = NULL;
    OWN(json_freep) json_t *content = NULL;
    char id[DP_ID_MAX];
    struct db_args args;
    int r = dp_find(site, which, id);

    if (r != 0)
        return TRACE(r);
    args = DB_ARGS(db_text(id), db_u64(dp_online_since(site)));
    r = rows_one(site->db, SQL_DP_GET, args, &object);
    if (r == 0)
        r = rows_array(site->db, SQL_DP_SOURCE_LIST, DB_ARGS(db_text(id)), &sources);
    if (r == 0)
        r = rows_array(site->db, SQL_DP_CONTENT, args, &content);
    if (r < 0)
        return TRACE(r);
    if (json_object_set(object, "sources", sources) < 0 ||
        json_object_set(object, "content", content) < 0)
        return ERR(-ENOMEM);
    *ret = TAKE(object);
    return 0;
}

static int set_sources(struct site *site, const char *dp_id, const json_t *list)
{
    static const struct field fields[] = {
        {"distribution_point", FIELD_TEXT, true, 1, TEXT_MAX_BYTES, NULL},
        {"priority", FIELD_NUMBER, false, 1, PRIORITY_MAX, NULL},
        {0},
    };
    int r = db_must(site->db, SQL_DP_SOURCE_DROP, DB_ARGS(db_text(dp_id)));

    for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
        const json_t *source = json_array_get(list, i);
        char id[DP_ID_MAX];

        r = json_is_object(source) ? fields_check(site, source, fields, false, REFUSAL_INVALID)
                                   : refuse(site, REFUSAL_INVALID, "A source must be an object.");
        if (r == 0)
            r = dp_find(site, field_text(source, "distribution_point", ""), id);
        if (r == 0 && strcmp(id, dp_id) == 0)
            return refuse(site, REFUSAL_INVALID, "%s cannot be a source of itself.", id);
        if (r == 0)
            r = db_run(site->db,
                       SQL_DP_SOURCE_ADD,
                       DB_ARGS(db_text(dp_id),
                               db_text(id),
                               db_u64(field_number(source, "priority", i + 1))),
                       NULL);
        if (r == DB_E_EXISTS)
            return refuse(site, REFUSAL_INVALID, "%s is given twice as a source.", id);
    }
    return TRACE(r);
}

/* A checked list as text; NULL if it is not in the body. */
static char *rules_text(const json_t *body, const char *name)
{
    const json_t *rules = json_object_get(body, name);

    return json_is_array(rules) ? json_dumps(rules, JSON_COMPACT) : NULL;
}

static int set_properties(struct site *site, const char *id, const json_t *body)
{
    OWN(freep) char *schedule = rules_text(body, "schedule");
    OWN(freep) char *rates = rules_text(body, "rate_limits");
    OWN(freep) char *validation = rules_text(body, "validation_schedule");
    const json_t *is_disabled = json_object_get(body, "is_disabled");
    const json_t *reserve = json_object_get(body, "reserve_bytes");
    struct db_args args = DB_ARGS(
        db_text(id),
        db_text(field_text(body, "name", NULL)),
        db_text(field_text(body, "comment", NULL)),
        json_is_boolean(is_disabled) ? db_u64(json_is_true(is_disabled) ? 1 : 0) : db_null(),
        json_is_integer(reserve) ? db_u64((uint64_t)json_integer_value(reserve)) : db_null(),
        db_text(schedule),
        db_text(rates),
        db_text(validation));
    int r = db_run(site->db, SQL_DP_SET, args, NULL);

    if (r == DB_E_EXISTS)
        return refuse(site,
                      REFUSAL_EXISTS,
                      "A distribution point named \"%.100s\" exists.",
                      field_text(body, "name", ""));
    return TRACE(r);
}

static int check_rules(struct site *site, const json_t *body)
{
    static const struct {
        const char *name;
        enum dp_schedule_kind kind;
    } lists[] = {
        {"schedule", DP_SCHEDULE_ALLOW},
        {"rate_limits", DP_SCHEDULE_RATE},
        {"validation_schedule", DP_SCHEDULE_VALIDATION},
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(lists) / sizeof(lists[0]); i++) {
        const json_t *rules = json_object_get(body, lists[i].name);

        if (rules && !json_is_null(rules))
            r = dp_schedule_check(site, rules, lists[i].name, lists[i].kind);
    }
    return r;
}

int dp_set(struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"name", FIELD_NAME, false, 1, DP_NAME_MAX, NULL},
        {"comment", FIELD_LINE, false, 0, COMMENT_MAX, NULL},
        {"is_disabled", FIELD_BOOL, false, 0, 0, NULL},
        {"reserve_bytes", FIELD_NUMBER, false, 0, RESERVE_MAX_BYTES, NULL},
        {"schedule", FIELD_ARRAY, false, 0, DP_SCHEDULE_RULES_MAX, NULL},
        {"rate_limits", FIELD_ARRAY, false, 0, DP_SCHEDULE_RULES_MAX, NULL},
        {"validation_schedule", FIELD_ARRAY, false, 0, DP_SCHEDULE_RULES_MAX, NULL},
        {"sources", FIELD_ARRAY, false, 0, DP_SOURCES_MAX, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[DP_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = check_rules(site, body);
    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = dp_find(site, which, id);
    if (r == 0)
        r = set_properties(site, id, body);
    if (r == 0 && json_is_array(json_object_get(body, "sources")))
        r = set_sources(site, id, json_object_get(body, "sources"));
    if (r == 0)
        r = site_audit(site, who, "distribution-point.set", id, "");
    if (r != 0)
        return TRACE(r);
    r = db_commit(&tx);
    if (r < 0)
        return TRACE(r);
    return TRACE(dp_get(site, id, ret));
}

static int check_is_empty(struct site *site, const char *id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_DP_N_CONTENT, DB_ARGS(db_text(id)), &rows);

    if (r < 0)
        return TRACE(r);
    if (db_get_u64(&rows, 0) > 0)
        return refuse(
            site,
            REFUSAL_DP_HAS_CONTENT,
            "%s has content that clients may be using, of %llu package(s). Remove it from there first, or remove it "
            "by force: then the files stay on its host.",
            id,
            (unsigned long long)db_get_u64(&rows, 0));
    return 0;
}

int dp_remove(struct site *site, const char *who, const char *which, bool is_forced)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[DP_ID_MAX];
    bool is_own = false;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = named_find(site, &dp_named, which, id, &is_own);
    if (r == 0 && is_own)
        return refuse(
            site,
            REFUSAL_OWN_DP,
            "%s is the library that the site imports into and cannot be removed. Disable it if clients "
            "are not to use it.",
            id);
    if (r == 0 && !is_forced)
        r = check_is_empty(site, id);
    if (r == 0)
        r = db_must(
            site->db, SQL_DISTRIBUTION_JOB_STOP_DP, DB_ARGS(db_text(id), db_u64(site->now_us)));
    if (r == 0)
        r = db_must(site->db, SQL_DP_REMOVE, DB_ARGS(db_text(id)));
    if (r == 0)
        r = site_audit(site, who, "distribution-point.remove", id, is_forced ? "forced" : "");
    if (r != 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

static int validate_if_due(struct site *site, const struct db_rows *row, unsigned hour)
{
    OWN(json_freep) json_t *rules = json_loads(db_get_text(row, 1), 0, NULL);
    const char *id = db_get_text(row, 0);
    int r;

    if (!dp_schedule_fits(rules, hour) || db_get_u64(row, 2) + VALIDATION_PAUSE_US > site->now_us)
        return 0;
    r = db_must(site->db, SQL_DP_VALIDATED, DB_ARGS(db_text(id), db_u64(site->now_us)));
    if (r < 0)
        return TRACE(r);
    return TRACE(db_must(
        site->db, SQL_DISTRIBUTION_VALIDATE_DP, DB_ARGS(db_text(id), db_u64(site->now_us))));
}

int dp_tick(struct site *site)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    unsigned hour = dp_schedule_hour_of_week(site->now_us);
    int r = db_must(site->db, SQL_DP_TOKEN_EXPIRE, DB_ARGS(db_u64(site->now_us)));

    if (r < 0)
        return TRACE(r);
    r = db_select(site->db, SQL_DP_VALIDATION_LIST, DB_NO_ARGS, &rows);
    if (r < 0)
        return TRACE(r);
    while ((r = db_next(&rows)) == DB_ROW) {
        r = validate_if_due(site, &rows, hour);
        if (r < 0)
            return TRACE(r);
    }
    return TRACE(r);
}
