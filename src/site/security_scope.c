/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/security_scope.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/fields.h"
#include "site/object.h"

/* What has scopes at all. */
#define CLASSES \
    "os-image|os-upgrade-package|boot-image|driver-package|package|task-sequence|" \
    "distribution-point|distribution-point-group|boundary-group"

static const struct named scopes = {
    .noun = "security scope",
    .action = "security-scope",
    .prefix = "SS",
    .find = SQL_SECURITY_SCOPE_FIND,
    .add = SQL_SECURITY_SCOPE_ADD,
    .drop = SQL_SECURITY_SCOPE_DROP,
};

int security_scope_find(struct site *site, const char *which, char ret[static NAMED_ID_MAX])
{
    return TRACE(named_find(site, &scopes, which, ret, NULL));
}

int security_scope_list(struct site *site, const struct page *page, json_t **ret)
{
    struct db_args args = DB_ARGS(page_after(page), page_limit(page));

    return TRACE(rows_page(site->db, SQL_SECURITY_SCOPE_LIST, args, page, ret));
}

int security_scope_get(struct site *site, const char *which, json_t **ret)
{
    OWN(json_freep) json_t *object = NULL;
    OWN(json_freep) json_t *members = NULL;
    OWN(json_freep) json_t *objects = json_array();
    char id[NAMED_ID_MAX];
    int r = security_scope_find(site, which, id);

    if (r == 0)
        r = rows_one(site->db, SQL_SECURITY_SCOPE_GET, DB_ARGS(db_text(id)), &object);
    if (r == 0)
        r = rows_array(site->db, SQL_SECURITY_SCOPE_MEMBERS, DB_ARGS(db_text(id)), &members);
    if (r != 0)
        return TRACE(r);
    for (size_t i = 0; i < json_array_size(members); i++)
        if (json_array_append(objects, json_object_get(json_array_get(members, i), "object_id")) <
            0)
            return ERR(-ENOMEM);
    if (json_object_set(object, "objects", objects) < 0 ||
        json_object_set(object, "members", members) < 0)
        return ERR(-ENOMEM);
    *ret = TAKE(object);
    return 0;
}

int security_scope_create(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    char id[NAMED_ID_MAX];
    int r = named_create(site, &scopes, who, body, id);

    return r == 0 ? TRACE(security_scope_get(site, id, ret)) : TRACE(r);
}

static int find_own(struct site *site, const char *which, char ret[static NAMED_ID_MAX])
{
    bool is_builtin = false;
    int r = named_find(site, &scopes, which, ret, &is_builtin);

    if (r != 0)
        return TRACE(r);
    if (is_builtin)
        return refuse(site, REFUSAL_LASTING, "The security scope %s is built in.", ret);
    return 0;
}

int security_scope_delete(struct site *site, const char *who, const char *which)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char id[NAMED_ID_MAX];
    int r = find_own(site, which, id);

    if (r != 0)
        return TRACE(r);
    r = db_first(site->db, SQL_SECURITY_SCOPE_GRANTED, DB_ARGS(db_text(id)), &rows);
    if (r < 0)
        return TRACE(r);
    if (r == DB_ROW)
        return refuse(site,
                      REFUSAL_GRANTED,
                      "%s is granted the security scope %s: revoke that first.",
                      db_get_text(&rows, 0),
                      id);
    db_rows_fini(&rows);
    return TRACE(named_delete(site, &scopes, who, id));
}

static int find_object(struct site *site,
                       const char *class,
                       const char *which,
                       char ret[static PRINCIPAL_OBJECT_MAX])
{
    int r = object_find(site, class, which, ret);

    return r == 0 ? TRACE(principal_check_object(site, class, "set-scope", class, ret)) : TRACE(r);
}

int security_scope_add(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"class", FIELD_CHOICE, true, 0, 0, CLASSES},
        {"object", FIELD_TEXT, true, 1, PRINCIPAL_OBJECT_MAX - 1, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[NAMED_ID_MAX];
    char object[PRINCIPAL_OBJECT_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = find_own(site, which, id);
    if (r == 0)
        r = find_object(
            site, field_text(body, "class", ""), field_text(body, "object", ""), object);
    if (r == 0)
        r = db_must(site->db, SQL_SECURITY_SCOPE_OBJECT_ADD, DB_ARGS(db_text(object), db_text(id)));
    if (r == 0)
        r = site_audit(site, who, "security-scope.add", id, object);
    if (r == 0)
        r = db_commit(&tx);
    return r == 0 ? TRACE(security_scope_get(site, id, ret)) : TRACE(r);
}

int security_scope_remove(
    struct site *site, const char *who, const char *which, const char *class, const char *object)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[NAMED_ID_MAX];
    char object_id[PRINCIPAL_OBJECT_MAX];
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = find_own(site, which, id);
    if (r == 0)
        r = find_object(site, class, object, object_id);
    if (r == OBJECT_E_UNSCOPED)
        return refuse(
            site, REFUSAL_INVALID, "Things of the class \"%.40s\" have no scopes.", class);
    if (r == 0)
        r = db_must(
            site->db, SQL_SECURITY_SCOPE_OBJECT_DROP, DB_ARGS(db_text(object_id), db_text(id)));
    if (r == 0)
        r = site_audit(site, who, "security-scope.remove", id, object_id);
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}
