/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/named.h"

#include <stdio.h>

#include "base/err.h"
#include "base/own.h"
#include "site/fields.h"

enum {
    ACTION_MAX_BYTES = 64,
};

int named_take_id(struct site *site, const struct named *kind, char ret[static NAMED_ID_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(
        site->db, SQL_COUNTER_TAKE, DB_ARGS(db_text(kind->action), db_u64(NAMED_IDS_MAX)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(site, REFUSAL_NO_IDS, "There is no id for a %s left.", kind->noun);
    (void)snprintf(
        ret, NAMED_ID_MAX, "%.2s%05u", kind->prefix, (unsigned)db_get_u64(&rows, 0) % 100000000);
    db_rows_fini(&rows);
    return TRACE(principal_made(site, ret));
}

int named_find(struct site *site,
               const struct named *kind,
               const char *which,
               char ret[static NAMED_ID_MAX],
               bool *ret_is_lasting)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, kind->find, DB_ARGS(db_text(which)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(site,
                      REFUSAL_MISSING,
                      "There is no %s with the id or name \"%.100s\".",
                      kind->noun,
                      which);
    (void)snprintf(ret, NAMED_ID_MAX, "%s", db_get_text(&rows, 0));
    if (ret_is_lasting)
        *ret_is_lasting = db_get_bool(&rows, 1);
    return 0;
}

int named_refuse_same(struct site *site, const struct named *kind, const char *name)
{
    return refuse(site, REFUSAL_EXISTS, "A %s named \"%.100s\" exists.", kind->noun, name);
}

static int audit(struct site *site,
                 const struct named *kind,
                 const char *who,
                 const char *verb,
                 const char *id,
                 const char *name)
{
    char action[ACTION_MAX_BYTES];

    (void)snprintf(action, sizeof(action), "%s.%s", kind->action, verb);
    return TRACE(site_audit(site, who, action, id, name));
}

static int add(struct site *site, const struct named *kind, const char *id, const json_t *body)
{
    const char *name = field_text(body, "name", "");
    int r = db_run(site->db,
                   kind->add,
                   DB_ARGS(db_text(id),
                           db_text(name),
                           db_text(field_text(body, "comment", "")),
                           db_u64(site->now_us)),
                   NULL);

    return r == DB_E_EXISTS ? named_refuse_same(site, kind, name) : TRACE(r);
}

int named_create(struct site *site,
                 const struct named *kind,
                 const char *who,
                 const json_t *body,
                 char ret[static NAMED_ID_MAX])
{
    static const struct field fields[] = {
        {"name", FIELD_NAME, true, 1, NAMED_NAME_MAX, NULL},
        {"comment", FIELD_LINE, false, 0, NAMED_COMMENT_MAX, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = named_take_id(site, kind, ret);
    if (r == 0)
        r = add(site, kind, ret, body);
    if (r == 0)
        r = audit(site, kind, who, "create", ret, field_text(body, "name", ""));
    if (r != 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

int named_delete(struct site *site, const struct named *kind, const char *who, const char *which)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[NAMED_ID_MAX];
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = named_find(site, kind, which, id, NULL);
    if (r == 0)
        r = db_must(site->db, kind->drop, DB_ARGS(db_text(id)));
    if (r == 0)
        r = audit(site, kind, who, "delete", id, "");
    if (r != 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}
