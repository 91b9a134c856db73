/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/boot_rule.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/fields.h"

/* Columns of boot_rule_get. */
enum {
    IS_ASKED,
    HASH,
    MENU_S,
    CHOICE_S,
};

struct layer {
    bool is_asked;
    struct boot_rule rule;
};

static bool is_set(const struct db_rows *rows, size_t column)
{
    return db_column_type(rows, column) != DB_NULL;
}

/* What is set in the row of @id counts from now on. */
static int overlay(struct site *site, const char *id, struct layer *layer)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct boot_rule *rule = &layer->rule;
    int r = id && id[0] ? db_first(site->db, SQL_BOOT_RULE_GET, DB_ARGS(db_text(id)), &rows) : 0;

    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : 0;
    if (is_set(&rows, IS_ASKED))
        layer->is_asked = db_get_bool(&rows, IS_ASKED);
    if (db_get_text(&rows, HASH)[0]) {
        (void)snprintf(rule->hash, sizeof(rule->hash), "%s", db_get_text(&rows, HASH));
        (void)snprintf(rule->password_of, sizeof(rule->password_of), "%s", id);
    }
    if (is_set(&rows, MENU_S))
        rule->menu_s = (unsigned)db_get_u64(&rows, MENU_S);
    if (is_set(&rows, CHOICE_S))
        rule->choice_s = (unsigned)db_get_u64(&rows, CHOICE_S);
    return 0;
}

int boot_rule_find(struct site *site, const char *dp_id, struct boot_rule *ret)
{
    struct layer layer = {
        .is_asked = true,
        .rule = {.menu_s = BOOT_MENU_S, .choice_s = BOOT_CHOICE_S},
    };
    int r = overlay(site, BOOT_RULE_OF_SITE, &layer);

    if (r == 0)
        r = overlay(site, dp_id, &layer);
    *ret = layer.rule;
    if (!layer.is_asked) {
        ret->hash[0] = '\0';
        ret->password_of[0] = '\0';
    }
    return TRACE(r);
}

int boot_rule_list(struct site *site, const struct page *page, json_t **ret)
{
    struct db_args args = DB_ARGS(page_after(page), page_limit(page));

    return TRACE(rows_page(site->db, SQL_BOOT_RULE_LIST, args, page, ret));
}

static int check_owner(struct site *site, const char *id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = 0;

    if (strcmp(id, BOOT_RULE_OF_SITE) == 0)
        return 0;
    r = db_first(site->db, SQL_BOOT_RULE_OWNER, DB_ARGS(db_text(id)), &rows);
    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(site,
                      REFUSAL_MISSING,
                      "\"%.100s\" is neither \"site\" nor the id of a distribution point.",
                      id);
    return 0;
}

/* One that was never set: all is inherited. */
static int load(struct site *site, const char *id, json_t **ret)
{
    int r = rows_one(site->db, SQL_BOOT_RULE_SHOW, DB_ARGS(db_text(id)), ret);

    if (r < 0 || *ret)
        return TRACE(r);
    *ret = json_pack("{s:s,s:n,s:b,s:n,s:n,s:n}",
                     "id",
                     id,
                     "is_password_asked",
                     "is_password_set",
                     0,
                     "menu_s",
                     "choice_s",
                     "changed_at");
    return *ret ? 0 : ERR(-ENOMEM);
}

int boot_rule_get(struct site *site, const char *id, json_t **ret)
{
    OWN(json_freep) json_t *row = NULL;
    struct boot_rule rule;
    json_t *effective;
    int r = check_owner(site, id);

    if (r == 0)
        r = load(site, id, &row);
    if (r == 0)
        r = boot_rule_find(site, id, &rule);
    if (r != 0)
        return TRACE(r);
    effective = json_pack("{s:b,s:s,s:i,s:i}",
                          "is_password_needed",
                          rule.hash[0] != '\0',
                          "password_of",
                          rule.password_of,
                          "menu_s",
                          (int)rule.menu_s,
                          "choice_s",
                          (int)rule.choice_s);
    if (json_object_set_new(row, "effective", effective) < 0)
        return ERR(-ENOMEM);
    *ret = TAKE(row);
    return 0;
}

static int check_values(struct site *site, const json_t *body)
{
    static const struct field fields[] = {
        {"is_password_asked", FIELD_BOOL, false, 0, 0, NULL},
        {"menu_s", FIELD_NUMBER, false, 1, BOOT_WAIT_MAX_S, NULL},
        {"choice_s", FIELD_NUMBER, false, 0, BOOT_WAIT_MAX_S, NULL},
        {0},
    };
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0 && json_object_size(body) == 0)
        return refuse(site, REFUSAL_INVALID, "Nothing is given that is to be changed.");
    return TRACE(r);
}

static int store(struct site *site, const char *id, const json_t *row)
{
    return TRACE(db_must(site->db,
                         SQL_BOOT_RULE_SET,
                         DB_ARGS(db_text(id),
                                 rows_bool_or_null(row, "is_password_asked"),
                                 rows_number_or_null(row, "menu_s"),
                                 rows_number_or_null(row, "choice_s"),
                                 db_u64(site->now_us))));
}

int boot_rule_change(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *row = NULL;
    OWN(freep) char *detail = NULL;
    int r = check_owner(site, id);

    if (r == 0)
        r = check_values(site, body);
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
    r = site_audit(site, who, "boot-rule.set", id, detail);
    if (r == 0)
        r = db_commit(&tx);
    return r == 0 ? TRACE(boot_rule_get(site, id, ret)) : TRACE(r);
}

int boot_rule_remove(struct site *site, const char *who, const char *id)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    uint64_t n = 0;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = db_run(site->db, SQL_BOOT_RULE_DROP, DB_ARGS(db_text(id)), &n);
    if (r == 0 && n == 0)
        return refuse(site, REFUSAL_MISSING, "There is no boot rule of \"%.100s\".", id);
    if (r == 0)
        r = site_audit(site, who, "boot-rule.remove", id, "");
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

/* What is typed loses blanks at both ends. */
static bool is_typeable(const char *password)
{
    size_t n = strlen(password);

    for (size_t i = 0; i < n; i++)
        if (password[i] < ' ' || password[i] > '~')
            return false;
    return n > 0 && password[0] != ' ' && password[n - 1] != ' ';
}

int boot_rule_begin_password(struct site *site, const json_t *body, struct password_work *ret)
{
    static const struct field fields[] = {
        {"password", FIELD_LINE, true, BOOT_PASSWORD_MIN, BOOT_PASSWORD_MAX, NULL},
        {0},
    };
    const char *password = field_text(body, "password", "");
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    if (!is_typeable(password))
        return refuse(
            site,
            REFUSAL_INVALID,
            "\"password\": letters without accents, digits and the signs of a US keyboard "
            "only, for that is what the boot image's screen has.");
    (void)snprintf(ret->wanted, sizeof(ret->wanted), "%s", password);
    return 0;
}

static int
set_password(struct site *site, const char *who, const char *id, const char *hash, const char *what)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    int r = check_owner(site, id);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = db_must(site->db,
                    SQL_BOOT_RULE_SET_PASSWORD,
                    DB_ARGS(db_text(id), db_text(hash), db_u64(site->now_us)));
    if (r == 0)
        r = site_audit(site, who, what, id, "");
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

int boot_rule_end_password(struct site *site,
                           const char *who,
                           const char *id,
                           const struct password_work *work)
{
    if (!work->made[0])
        return ERR(-ENOMEM);
    return TRACE(set_password(site, who, id, work->made, "boot-rule.set-password"));
}

int boot_rule_remove_password(struct site *site, const char *who, const char *id)
{
    return TRACE(set_password(site, who, id, NULL, "boot-rule.remove-password"));
}
