/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "site/fields.h"
#include "site/task_sequence_parts.h"
#include "ts/edit.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);

enum {
    USERS_MAX_BYTES = 400, /* that are told; a refusal has room for a sentence */
};

/* Who keeps it from being deleted. */
struct users {
    struct buf text; /* for people */
    json_t *list;    /* owned */
};

static void users_fini(struct users *users)
{
    buf_fini(&users->text);
    json_decref(users->list);
}

static int add_user(struct users *users, const char *kind, const char *id, const char *name)
{
    json_t *item = json_pack("{s:s,s:s,s:s}", "kind", kind, "id", id, "name", name);

    buf_addf(&users->text, "%s%s %s", users->text.len > 0 ? ", " : "", kind, id);
    if (name[0])
        buf_addf(&users->text, " (%.60s)", name);
    return json_array_append_new(users->list, item) == 0 ? 0 : ERR(-ENOMEM);
}

static int add_deployments(struct site *site, const char *id, struct users *users)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_select(site->db, SQL_TASK_SEQUENCE_DEPLOYMENTS, DB_ARGS(db_text(id)), &rows);

    while (r >= 0 && (r = db_next(&rows)) == DB_ROW)
        r = add_user(users, "deployment", db_get_text(&rows, 0), db_get_text(&rows, 1));
    return r < 0 ? TRACE(r) : 0;
}

static int add_phased(struct site *site, const char *id, struct users *users)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_select(site->db, SQL_TASK_SEQUENCE_PHASED, DB_ARGS(db_text(id)), &rows);

    while (r >= 0 && (r = db_next(&rows)) == DB_ROW)
        r = add_user(users, "phased-deployment", db_get_text(&rows, 0), db_get_text(&rows, 1));
    return r < 0 ? TRACE(r) : 0;
}

/* Devices that run it now, as a nested one. */
static int add_devices(struct site *site, const char *id, struct users *users)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_select(site->db, SQL_TASK_SEQUENCE_IN_ORDER, DB_ARGS(db_text(id)), &rows);

    while (r >= 0 && (r = db_next(&rows)) == DB_ROW)
        r = add_user(users, "device", db_get_text(&rows, 0), "");
    return r < 0 ? TRACE(r) : 0;
}

/* Those that run it, also in a step that is disabled. */
static int add_parents(struct site *site, const char *id, struct users *users)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_select(site->db, SQL_TASK_SEQUENCE_MENTIONING, DB_ARGS(db_text(id)), &rows);

    while (r >= 0 && (r = db_next(&rows)) == DB_ROW) {
        OWN(ts_document_freep) struct ts_document *doc = NULL;
        OWN(ts_diags_fini) struct ts_diags ignored = {0};

        r = ts_document_parse(bytes_of(db_get_text(&rows, 2)), &doc, &ignored);
        if (r == 0 && ts_refers_to(doc, id))
            r = add_user(users, "task-sequence", db_get_text(&rows, 0), db_get_text(&rows, 1));
    }
    return r < 0 ? TRACE(r) : 0;
}

static int check_unused(struct site *site, const char *id)
{
    OWN(users_fini)
    struct users users = {.text = BUF_INIT(USERS_MAX_BYTES), .list = json_array()};
    int r = users.list ? add_deployments(site, id, &users) : ERR(-ENOMEM);

    if (r == 0)
        r = add_phased(site, id, &users);
    if (r == 0)
        r = add_devices(site, id, &users);
    if (r == 0)
        r = add_parents(site, id, &users);
    if (r != 0 || json_array_size(users.list) == 0)
        return TRACE(r);
    (void)refuse(site,
                 REFUSAL_SEQUENCE_USED,
                 "The task sequence %.16s is used by: %s%s.",
                 id,
                 buf_str(&users.text),
                 users.text.failed ? " and others" : "");
    site->refusal.more = json_pack("{s:O}", "users", users.list);
    return SITE_E_REFUSED;
}

int task_sequence_delete(struct site *site, const char *who, const char *id)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *row = NULL;
    int r = rows_one(site->db, SQL_TASK_SEQUENCE_GET, DB_ARGS(db_text(id)), &row);

    if (r < 0)
        return TRACE(r);
    if (!row)
        return refuse(site, REFUSAL_MISSING, "There is no task sequence \"%.100s\".", id);
    r = db_begin(site->db, &tx);
    if (r == 0)
        r = check_unused(site, id);
    if (r == 0)
        r = db_must(site->db, SQL_TASK_SEQUENCE_PACKAGES_FORGET, DB_ARGS(db_text(id)));
    if (r == 0)
        r = db_must(site->db, SQL_TASK_SEQUENCE_VERSIONS_FORGET, DB_ARGS(db_text(id)));
    if (r == 0)
        r = db_must(site->db, SQL_TASK_SEQUENCE_DELETE, DB_ARGS(db_text(id), db_u64(site->now_us)));
    if (r == 0)
        r = site_audit(site, who, "task-sequence.delete", id, field_text(row, "name", ""));
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}
