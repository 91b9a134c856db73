/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/unknown_rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/dp.h"
#include "site/fields.h"

/* Columns of unknown_rule_get. */
enum {
    IS_ALLOWED,
    PATTERN,
    NAME_MAX_COLUMN,
    IS_NAME_ASKED,
    NEEDS_APPROVAL,
    APPROVAL_HOURS,
};

static bool is_set(const struct db_rows *rows, size_t column)
{
    return db_column_type(rows, column) != DB_NULL;
}

/* What is set in the row of @id counts from now on. */
static int overlay(struct site *site, const char *id, struct unknown_rule *rule)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = id && id[0] ? db_first(site->db, SQL_UNKNOWN_RULE_GET, DB_ARGS(db_text(id)), &rows) : 0;

    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : 0;
    if (is_set(&rows, IS_ALLOWED))
        rule->is_allowed = db_get_bool(&rows, IS_ALLOWED);
    if (is_set(&rows, PATTERN))
        (void)snprintf(rule->pattern, sizeof(rule->pattern), "%s", db_get_text(&rows, PATTERN));
    if (is_set(&rows, NAME_MAX_COLUMN))
        rule->name_max = (unsigned)db_get_u64(&rows, NAME_MAX_COLUMN);
    if (is_set(&rows, IS_NAME_ASKED))
        rule->is_name_asked = db_get_bool(&rows, IS_NAME_ASKED);
    if (is_set(&rows, NEEDS_APPROVAL) && db_get_bool(&rows, NEEDS_APPROVAL))
        rule->is_approval_needed = true; /* nobody below takes it back */
    if (is_set(&rows, APPROVAL_HOURS))
        rule->approval_hours = (unsigned)db_get_u64(&rows, APPROVAL_HOURS);
    return 0;
}

int unknown_rule_find(struct site *site,
                      const char *dp_id,
                      const char *deployment_id,
                      struct unknown_rule *ret)
{
    int r;

    *ret = (struct unknown_rule){
        .is_allowed = site->settings.is_unknown_computers_on,
        .name_max = UNKNOWN_NAME_MAX,
        .approval_hours = UNKNOWN_APPROVAL_HOURS,
    };
    r = overlay(site, UNKNOWN_RULE_OF_SITE, ret);
    if (r == 0)
        r = overlay(site, dp_id, ret);
    if (r == 0)
        r = overlay(site, deployment_id, ret);
    return TRACE(r);
}

int unknown_rule_list(struct site *site, const struct page *page, json_t **ret)
{
    struct db_args args = DB_ARGS(page_after(page), page_limit(page));

    return TRACE(rows_page(site->db, SQL_UNKNOWN_RULE_LIST, args, page, ret));
}

/* The site, a distribution point or a deployment. */
static int check_owner(struct site *site, const char *id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = 0;

    if (strcmp(id, UNKNOWN_RULE_OF_SITE) == 0)
        return 0;
    r = db_first(site->db, SQL_UNKNOWN_RULE_OWNER, DB_ARGS(db_text(id)), &rows);
    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(site,
                      REFUSAL_MISSING,
                      "\"%.100s\" is neither \"site\" nor the id of a distribution point or a "
                      "deployment.",
                      id);
    return 0;
}

static bool is_deployment(const char *id)
{
    return strncmp(id, SITE_CODE, strlen(SITE_CODE)) == 0;
}

/* One that was never set: all is inherited. */
static int load(struct site *site, const char *id, json_t **ret)
{
    int r = rows_one(site->db, SQL_UNKNOWN_RULE_SHOW, DB_ARGS(db_text(id)), ret);

    if (r < 0 || *ret)
        return TRACE(r);
    *ret = json_pack("{s:s,s:n,s:n,s:n,s:n,s:n,s:n,s:n}",
                     "id",
                     id,
                     "is_allowed",
                     "name_pattern",
                     "name_max",
                     "is_name_asked",
                     "is_approval_needed",
                     "approval_hours",
                     "changed_at");
    return *ret ? 0 : ERR(-ENOMEM);
}

int unknown_rule_get(struct site *site, const char *id, json_t **ret)
{
    OWN(json_freep) json_t *row = NULL;
    struct unknown_rule rule;
    json_t *effective;
    int r = check_owner(site, id);

    if (r == 0)
        r = load(site, id, &row);
    if (r == 0)
        r = unknown_rule_find(
            site, is_deployment(id) ? NULL : id, is_deployment(id) ? id : NULL, &rule);
    if (r != 0)
        return TRACE(r);
    effective = json_pack("{s:b,s:s,s:i,s:b,s:b,s:i}",
                          "is_allowed",
                          (int)rule.is_allowed,
                          "name_pattern",
                          rule.pattern,
                          "name_max",
                          (int)rule.name_max,
                          "is_name_asked",
                          (int)rule.is_name_asked,
                          "is_approval_needed",
                          (int)rule.is_approval_needed,
                          "approval_hours",
                          (int)rule.approval_hours);
    if (json_object_set_new(row, "effective", effective) < 0)
        return ERR(-ENOMEM);
    *ret = TAKE(row);
    return 0;
}

static int check_values(struct site *site, const char *id, const json_t *body)
{
    static const struct field fields[] = {
        {"is_allowed", FIELD_BOOL, false, 0, 0, NULL},
        {"name_pattern", FIELD_LINE, false, 0, NAME_PATTERN_MAX_BYTES, NULL},
        {"name_max", FIELD_NUMBER, false, 1, NAME_MAX_BYTES, NULL},
        {"is_name_asked", FIELD_BOOL, false, 0, 0, NULL},
        {"is_approval_needed", FIELD_BOOL, false, 0, 0, NULL},
        {"approval_hours", FIELD_NUMBER, false, 1, UNKNOWN_APPROVAL_HOURS_MAX, NULL},
        {0},
    };
    const char *pattern = field_text(body, "name_pattern", "");
    const char *why = NULL;
    bool has_counter;
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    if (json_object_size(body) == 0)
        return refuse(site, REFUSAL_INVALID, "Nothing is given that is to be changed.");
    if (is_deployment(id) && json_object_get(body, "is_allowed"))
        return refuse(site,
                      REFUSAL_INVALID,
                      "\"is_allowed\" is of the site and of distribution points; a deployment "
                      "reaches unknown computers by its collection.");
    if (pattern[0] && name_rule_check(pattern, &has_counter, &why) != 0)
        return refuse(site, REFUSAL_INVALID, "\"name_pattern\" is no pattern: %s.", why);
    return 0;
}

static int store(struct site *site, const char *id, const json_t *row)
{
    return TRACE(db_must(site->db,
                         SQL_UNKNOWN_RULE_SET,
                         DB_ARGS(db_text(id),
                                 rows_bool_or_null(row, "is_allowed"),
                                 db_text(field_text(row, "name_pattern", NULL)),
                                 rows_number_or_null(row, "name_max"),
                                 rows_bool_or_null(row, "is_name_asked"),
                                 rows_bool_or_null(row, "is_approval_needed"),
                                 rows_number_or_null(row, "approval_hours"),
                                 db_u64(site->now_us))));
}

int unknown_rule_change(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *row = NULL;
    OWN(freep) char *detail = NULL;
    int r = check_owner(site, id);

    if (r == 0)
        r = check_values(site, id, body);
    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = load(site, id, &row);
    if (r == 0)
        r = rows_overwrite(row, body);
    if (r == 0)
        r = store(site, id, row);
    if (r != 0)
        return TRACE(r);
    detail = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
    if (!detail)
        return ERR(-ENOMEM);
    r = site_audit(site, who, "unknown-rule.set", id, detail);
    if (r == 0)
        r = db_commit(&tx);
    return r == 0 ? TRACE(unknown_rule_get(site, id, ret)) : TRACE(r);
}

int unknown_rule_remove(struct site *site, const char *who, const char *id)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    uint64_t n = 0;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = db_run(site->db, SQL_UNKNOWN_RULE_DROP, DB_ARGS(db_text(id)), &n);
    if (r == 0 && n == 0)
        return refuse(site, REFUSAL_MISSING, "There is no rule of \"%.100s\".", id);
    if (r == 0)
        r = site_audit(site, who, "unknown-rule.remove", id, "");
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}
