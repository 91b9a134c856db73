/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/security_role.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/fields.h"
#include "site/principal.h"

enum {
    PERMISSIONS_MAX = 200,
    PERMISSION_MAX_BYTES = 64,
};

static const struct named roles = {
    .noun = "security role",
    .action = "security-role",
    .prefix = "SR",
    .find = SQL_SECURITY_ROLE_FIND,
    .add = SQL_SECURITY_ROLE_ADD,
    .drop = SQL_SECURITY_ROLE_DROP,
};

static bool is_word(struct bytes word)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz-";

    if (bytes_eq(word, bytes_of("*")))
        return true;
    for (size_t i = 0; i < word.len; i++)
        if (!strchr(letters, word.ptr[i]) || word.ptr[i] == '\0')
            return false;
    return word.len > 0;
}

int security_role_permit(struct site *site, const char *id, const char *permission)
{
    size_t n = strcspn(permission, ".");
    struct bytes class = {(const uint8_t *)permission, n};
    struct bytes verb = bytes_of(permission[n] == '.' ? permission + n + 1 : "");

    if (class.len + verb.len >= PERMISSION_MAX_BYTES || !is_word(class) || !is_word(verb))
        return refuse(
            site,
            REFUSAL_INVALID,
            "\"%.80s\" is no permission: it wants a class and a verb, as in \"device.read\".",
            permission);
    return TRACE(db_must(site->db,
                         SQL_SECURITY_ROLE_PERMISSION_ADD,
                         DB_ARGS(db_text(id), db_bytes(class), db_bytes(verb))));
}

int security_role_find(struct site *site, const char *which, char ret[static NAMED_ID_MAX])
{
    return TRACE(named_find(site, &roles, which, ret, NULL));
}

int security_role_list(struct site *site, const struct page *page, json_t **ret)
{
    struct db_args args = DB_ARGS(page_after(page), page_limit(page));

    return TRACE(rows_page(site->db, SQL_SECURITY_ROLE_LIST, args, page, ret));
}

static int put_permissions(struct site *site, const char *id, json_t *array)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_select(site->db, SQL_SECURITY_ROLE_PERMISSIONS, DB_ARGS(db_text(id)), &rows);

    if (r < 0)
        return TRACE(r);
    while ((r = db_next(&rows)) == DB_ROW) {
        json_t *text = json_sprintf("%s.%s", db_get_text(&rows, 0), db_get_text(&rows, 1));

        if (json_array_append_new(array, text) < 0)
            return ERR(-ENOMEM);
    }
    return TRACE(r);
}

int security_role_get(struct site *site, const char *which, json_t **ret)
{
    OWN(json_freep) json_t *object = NULL;
    OWN(json_freep) json_t *permissions = json_array();
    char id[NAMED_ID_MAX];
    int r = security_role_find(site, which, id);

    if (r == 0)
        r = rows_one(site->db, SQL_SECURITY_ROLE_GET, DB_ARGS(db_text(id)), &object);
    if (r == 0)
        r = put_permissions(site, id, permissions);
    if (r != 0)
        return TRACE(r);
    if (json_object_set(object, "permissions", permissions) < 0)
        return ERR(-ENOMEM);
    *ret = TAKE(object);
    return 0;
}

/* Instead of those it has. */
static int set_permissions(struct site *site, const char *id, const json_t *permissions)
{
    int r = db_must(site->db, SQL_SECURITY_ROLE_PERMISSIONS_DROP, DB_ARGS(db_text(id)));

    for (size_t i = 0; r == 0 && i < json_array_size(permissions); i++) {
        const char *text = json_string_value(json_array_get(permissions, i));

        r = security_role_permit(site, id, text ? text : "");
    }
    return TRACE(r);
}

/* A slip would make a role that can do nothing. */
static int check_given(struct site *site, const json_t *permissions)
{
    for (size_t i = 0; i < json_array_size(permissions); i++) {
        const char *text = json_string_value(json_array_get(permissions, i));

        if (!text || !principal_permission_is_known(text))
            return refuse(site,
                          REFUSAL_INVALID,
                          "Nothing wants the permission \"%.80s\": it is a class and a verb, as in "
                          "\"device.read\" (docs/security-roles.md).",
                          text ? text : "?");
    }
    return 0;
}

/* Those of the body, or of the role that it names. */
static int find_permissions(struct site *site, const json_t *body, json_t **ret)
{
    OWN(json_freep) json_t *role = NULL;
    const char *copy_of = field_text(body, "copy_of", NULL);
    json_t *given = json_object_get(body, "permissions");
    int r;

    if (!copy_of == !json_is_array(given))
        return refuse(site, REFUSAL_INVALID, "Give either \"copy_of\" or \"permissions\".");
    if (!copy_of) {
        *ret = json_incref(given);
        return TRACE(check_given(site, given));
    }
    r = security_role_get(site, copy_of, &role);
    if (r == 0)
        *ret = json_incref(json_object_get(role, "permissions"));
    return TRACE(r);
}

int security_role_create(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"name", FIELD_NAME, true, 1, NAMED_NAME_MAX, NULL},
        {"comment", FIELD_LINE, false, 0, NAMED_COMMENT_MAX, NULL},
        {"copy_of", FIELD_TEXT, false, 1, 255, NULL},
        {"permissions", FIELD_ARRAY, false, 0, PERMISSIONS_MAX, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *permissions = NULL;
    OWN(json_freep) json_t *named = NULL;
    char id[NAMED_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = find_permissions(site, body, &permissions);
    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r != 0)
        return TRACE(r);
    named = json_pack("{s:s,s:s}",
                      "name",
                      field_text(body, "name", ""),
                      "comment",
                      field_text(body, "comment", ""));
    r = named ? named_create(site, &roles, who, named, id) : ERR(-ENOMEM);
    if (r == 0)
        r = set_permissions(site, id, permissions);
    if (r == 0)
        r = db_commit(&tx);
    return r == 0 ? TRACE(security_role_get(site, id, ret)) : TRACE(r);
}

static int find_own(struct site *site, const char *which, char ret[static NAMED_ID_MAX])
{
    bool is_builtin = false;
    int r = named_find(site, &roles, which, ret, &is_builtin);

    if (r != 0)
        return TRACE(r);
    if (is_builtin)
        return refuse(site,
                      REFUSAL_LASTING,
                      "The security role %s is built in: copy it and change the copy.",
                      ret);
    return 0;
}

int security_role_set(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"name", FIELD_NAME, false, 1, NAMED_NAME_MAX, NULL},
        {"comment", FIELD_LINE, false, 0, NAMED_COMMENT_MAX, NULL},
        {"permissions", FIELD_ARRAY, false, 0, PERMISSIONS_MAX, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[NAMED_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = find_own(site, which, id);
    if (r == 0)
        r = db_run(site->db,
                   SQL_SECURITY_ROLE_SET,
                   DB_ARGS(db_text(id),
                           db_text(field_text(body, "name", NULL)),
                           db_text(field_text(body, "comment", NULL))),
                   NULL);
    if (r == DB_E_EXISTS)
        return named_refuse_same(site, &roles, field_text(body, "name", ""));
    if (r == 0 && json_is_array(json_object_get(body, "permissions")))
        r = check_given(site, json_object_get(body, "permissions"));
    if (r == 0 && json_is_array(json_object_get(body, "permissions")))
        r = set_permissions(site, id, json_object_get(body, "permissions"));
    if (r == 0)
        r = site_audit(site, who, "security-role.set", id, "");
    if (r == 0)
        r = db_commit(&tx);
    return r == 0 ? TRACE(security_role_get(site, id, ret)) : TRACE(r);
}

static int check_not_granted(struct site *site, const char *id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_SECURITY_ROLE_GRANTED, DB_ARGS(db_text(id)), &rows);

    if (r != DB_ROW)
        return TRACE(r);
    return refuse(site,
                  REFUSAL_GRANTED,
                  "%s has the security role %s: revoke it first.",
                  db_get_text(&rows, 0),
                  id);
}

int security_role_delete(struct site *site, const char *who, const char *which)
{
    char id[NAMED_ID_MAX];
    int r = find_own(site, which, id);

    if (r == 0)
        r = check_not_granted(site, id);
    return r == 0 ? TRACE(named_delete(site, &roles, who, id)) : TRACE(r);
}
