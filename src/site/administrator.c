/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/administrator.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "site/access.h"
#include "site/collection.h"
#include "site/directory_account.h"
#include "site/directory_login.h"
#include "site/fields.h"
#include "site/principal.h"
#include "site/security_role.h"
#include "site/security_scope.h"

enum {
    TARGET_MAX = 32,
    WORDS_MAX = 64,
    TOKEN_DAYS = 90,
};

#define DAY_US (UINT64_C(24) * 3600 * 1000000)

static const struct named administrators = {
    .noun = "administrator",
    .action = "administrator",
    .prefix = "AD",
    .find = SQL_ADMINISTRATOR_FIND,
    .add = SQL_ADMINISTRATOR_ADD,
    .drop = SQL_ADMINISTRATOR_DROP,
};

int administrator_find(struct site *site, const char *which, char ret[static NAMED_ID_MAX])
{
    return TRACE(named_find(site, &administrators, which, ret, NULL));
}

int administrator_list(struct site *site, const struct page *page, json_t **ret)
{
    struct db_args args = DB_ARGS(page_after(page), page_limit(page));

    return TRACE(rows_page(site->db, SQL_ADMINISTRATOR_LIST, args, page, ret));
}

int administrator_get(struct site *site, const char *which, json_t **ret)
{
    OWN(json_freep) json_t *object = NULL;
    OWN(json_freep) json_t *grants = NULL;
    OWN(json_freep) json_t *groups = NULL;
    char id[NAMED_ID_MAX];
    int r = administrator_find(site, which, id);

    if (r == 0)
        r = rows_one(site->db, SQL_ADMINISTRATOR_GET, DB_ARGS(db_text(id)), &object);
    if (r == 0)
        r = rows_array(site->db, SQL_ADMINISTRATOR_GRANTS, DB_ARGS(db_text(id)), &grants);
    if (r == 0)
        r = rows_array(site->db, SQL_ADMINISTRATOR_GROUPS, DB_ARGS(db_text(id)), &groups);
    if (r != 0)
        return TRACE(r);
    if (json_object_set(object, "grants", grants) < 0 ||
        json_object_set(object, "groups", groups) < 0)
        return ERR(-ENOMEM);
    *ret = TAKE(object);
    return 0;
}

bool administrator_is_name(const char *name)
{
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._@-")] == '\0';
}

/* What is peculiar to one that the site has no password of. */
struct outside {
    const char *kind;
    char external_name[DIRECTORY_DN_MAX]; /* "": none */
};

/* Too many would make each sign-in long. */
static int check_room(struct site *site)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_DIRECTORY_GROUP_COUNT, DB_NO_ARGS, &rows);

    if (r < 0)
        return TRACE(r);
    if (r == DB_ROW && db_get_u64(&rows, 0) >= DIRECTORY_WANTED_MAX)
        return refuse(site,
                      REFUSAL_INVALID,
                      "No more than %d groups of a directory can be administrators.",
                      DIRECTORY_WANTED_MAX);
    return 0;
}

static bool is_of_oidc(const char *kind)
{
    return strcmp(kind, ADMINISTRATOR_OIDC_USER) == 0 ||
           strcmp(kind, ADMINISTRATOR_OIDC_GROUP) == 0;
}

/* To the letter as in the provider's tokens. */
static int read_oidc_name(struct site *site, const char *name, char ret[static DIRECTORY_DN_MAX])
{
    if (!name || strlen(name) >= OIDC_TEXT_MAX)
        return refuse(
            site,
            REFUSAL_INVALID,
            "\"external_name\" must be given: of " ADMINISTRATOR_OIDC_USER
            " the subject that the OpenID provider has for him, of " ADMINISTRATOR_OIDC_GROUP
            " the group's name there; at most %d bytes.",
            OIDC_TEXT_MAX - 1);
    (void)snprintf(ret, DIRECTORY_DN_MAX, "%s", name);
    return 0;
}

static int read_outside(struct site *site, const json_t *body, struct outside *ret)
{
    const char *name = field_text(body, "external_name", NULL);
    bool is_group;

    ret->kind = field_text(body, "kind", ADMINISTRATOR_LOCAL);
    ret->external_name[0] = '\0';
    if (is_of_oidc(ret->kind))
        return read_oidc_name(site, name, ret->external_name);
    is_group = strcmp(ret->kind, ADMINISTRATOR_DIRECTORY_GROUP) == 0;
    if (!is_group != !name)
        return refuse(site,
                      REFUSAL_INVALID,
                      "\"external_name\" is the distinguished name of a directory's group; it is "
                      "given for the kind " ADMINISTRATOR_DIRECTORY_GROUP
                      ", or is a name of an OpenID provider.");
    if (name && !directory_dn(name, ret->external_name))
        return refuse(site,
                      REFUSAL_INVALID,
                      "\"%.100s\" is no distinguished name; one looks like "
                      "cn=admins,ou=groups,dc=example,dc=org.",
                      name);
    return is_group ? TRACE(check_room(site)) : 0;
}

static int set_outside(struct site *site, const char *id, const struct outside *outside)
{
    const char *name = outside->external_name[0] ? outside->external_name : NULL;
    int r = db_run(site->db,
                   SQL_ADMINISTRATOR_SET_KIND,
                   DB_ARGS(db_text(id), db_text(outside->kind), db_text(name)),
                   NULL);

    if (r != DB_E_EXISTS)
        return TRACE(r);
    return refuse(
        site, REFUSAL_EXISTS, "%.200s is an administrator already.", outside->external_name);
}

static int create_one(struct site *site,
                      const char *who,
                      const json_t *body,
                      const struct outside *outside,
                      char ret[static NAMED_ID_MAX])
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep)
    json_t *named = json_pack("{s:s, s:s}",
                              "name",
                              field_text(body, "name", ""),
                              "comment",
                              field_text(body, "comment", ""));
    int r = named ? db_begin(site->db, &tx) : ERR(-ENOMEM);

    if (r == 0)
        r = named_create(site, &administrators, who, named, ret);
    if (r == 0)
        r = set_outside(site, ret, outside);
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

int administrator_create(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"name", FIELD_NAME, true, 1, NAMED_NAME_MAX, NULL},
        {"comment", FIELD_LINE, false, 0, NAMED_COMMENT_MAX, NULL},
        {"kind",
         FIELD_CHOICE,
         false,
         0,
         0,
         ADMINISTRATOR_LOCAL "|" ADMINISTRATOR_DIRECTORY_USER "|" ADMINISTRATOR_DIRECTORY_GROUP
                             "|" ADMINISTRATOR_OIDC_USER "|" ADMINISTRATOR_OIDC_GROUP},
        {"external_name", FIELD_LINE, false, 1, DIRECTORY_DN_MAX - 1, NULL},
        {0},
    };
    char id[NAMED_ID_MAX];
    struct outside outside;
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0 && !administrator_is_name(field_text(body, "name", "")))
        return refuse(
            site,
            REFUSAL_INVALID,
            "\"%.60s\" is no name for an administrator: it has small letters, digits, and . _ @ -",
            field_text(body, "name", ""));
    if (r == 0)
        r = read_outside(site, body, &outside);
    if (r == 0)
        r = create_one(site, who, body, &outside, id);
    return r == 0 ? TRACE(administrator_get(site, id, ret)) : TRACE(r);
}

/* After a change, in its transaction. */
static int check_full_is_left(struct site *site)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r =
        db_first(site->db, SQL_ADMINISTRATOR_IS_FULL_LEFT, DB_ARGS(db_u64(site->now_us)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(site,
                      REFUSAL_LAST_FULL,
                      "Nobody who can sign in would be Full Administrator of All any more.");
    return 0;
}

int administrator_set(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"comment", FIELD_LINE, false, 0, NAMED_COMMENT_MAX, NULL},
        {"is_disabled", FIELD_BOOL, false, 0, 0, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[NAMED_ID_MAX];
    bool is_disabled = field_bool(body, "is_disabled");
    bool has_disabled = json_is_boolean(json_object_get(body, "is_disabled"));
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = administrator_find(site, which, id);
    if (r == 0)
        r = db_must(site->db,
                    SQL_ADMINISTRATOR_SET,
                    DB_ARGS(db_text(id),
                            db_text(field_text(body, "comment", NULL)),
                            has_disabled ? db_u64(is_disabled ? 1 : 0) : db_null()));
    if (r == 0 && is_disabled)
        r = access_drop_tokens_of(site, id);
    if (r == 0)
        r = check_full_is_left(site);
    if (r == 0)
        r = site_audit(site,
                       who,
                       "administrator.set",
                       id,
                       is_disabled ? "disabled" : (has_disabled ? "enabled" : ""));
    if (r == 0)
        r = db_commit(&tx);
    return r == 0 ? TRACE(administrator_get(site, id, ret)) : TRACE(r);
}

int administrator_delete(struct site *site, const char *who, const char *which)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = named_delete(site, &administrators, who, which);
    if (r == 0)
        r = check_full_is_left(site);
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

/* Of a security scope, or else of a collection. */
static int find_target(struct site *site, const char *which, char ret[static TARGET_MAX])
{
    int r = security_scope_find(site, which, ret);

    if (r != SITE_E_REFUSED)
        return TRACE(r);
    r = collection_find(site, which, ret);
    if (r != SITE_E_REFUSED)
        return TRACE(r);
    if (strlen(which) < TARGET_MAX) { /* one that who revokes may not see: by what the grant has */
        (void)snprintf(ret, TARGET_MAX, "%s", which);
        return 0;
    }
    return refuse(site,
                  REFUSAL_MISSING,
                  "There is no security scope and no collection with the id or name \"%.100s\".",
                  which);
}

static int find_target_of(struct site *site, const json_t *body, char ret[static TARGET_MAX])
{
    const char *scope = field_text(body, "scope", NULL);
    const char *collection = field_text(body, "collection", NULL);

    if (!scope == !collection)
        return refuse(site, REFUSAL_INVALID, "Give either \"scope\" or \"collection\".");
    return scope ? TRACE(security_scope_find(site, scope, ret))
                 : TRACE(collection_find(site, collection, ret));
}

/* In the audit log it is one text. */
static int
audit_grant(struct site *site, const char *who, const char *action, const char *const ids[static 3])
{
    char detail[NAMED_ID_MAX + TARGET_MAX + 8];

    (void)snprintf(detail, sizeof(detail), "%s for %s", ids[1], ids[2]);
    return TRACE(site_audit(site, who, action, ids[0], detail));
}

int administrator_grant(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"role", FIELD_TEXT, true, 1, 255, NULL},
        {"scope", FIELD_TEXT, false, 1, 255, NULL},
        {"collection", FIELD_TEXT, false, 1, 255, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[NAMED_ID_MAX];
    char role[NAMED_ID_MAX];
    char target[TARGET_MAX];
    const char *const ids[] = {id, role, target};
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = administrator_find(site, which, id);
    if (r == 0)
        r = security_role_find(site, field_text(body, "role", ""), role);
    if (r == 0)
        r = find_target_of(site, body, target);
    if (r == 0)
        r = db_must(site->db,
                    SQL_ADMINISTRATOR_GRANT_ADD,
                    DB_ARGS(db_text(id), db_text(role), db_text(target)));
    if (r == 0)
        r = audit_grant(site, who, "administrator.grant", ids);
    if (r == 0)
        r = db_commit(&tx);
    return r == 0 ? TRACE(administrator_get(site, id, ret)) : TRACE(r);
}

int administrator_revoke(
    struct site *site, const char *who, const char *which, const char *role, const char *target)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[NAMED_ID_MAX];
    char role_id[NAMED_ID_MAX];
    char target_id[TARGET_MAX];
    const char *const ids[] = {id, role_id, target_id};
    uint64_t changes = 0;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = administrator_find(site, which, id);
    if (r == 0)
        r = security_role_find(site, role, role_id);
    if (r == 0)
        r = find_target(site, target, target_id);
    if (r == 0)
        r = db_run(site->db,
                   SQL_ADMINISTRATOR_GRANT_DROP,
                   DB_ARGS(db_text(id), db_text(role_id), db_text(target_id)),
                   &changes);
    if (r == 0 && changes == 0)
        return refuse(site,
                      REFUSAL_MISSING,
                      "%s is not granted the role %s for a security scope or collection \"%s\".",
                      id,
                      role_id,
                      target_id);
    if (r == 0)
        r = check_full_is_left(site);
    if (r == 0)
        r = audit_grant(site, who, "administrator.revoke", ids);
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

int administrator_token_list(struct site *site, const struct page *page, json_t **ret)
{
    struct db_args args = DB_ARGS(page_after(page), page_limit(page), db_text(site->principal.id));

    return TRACE(rows_page(site->db, SQL_ACCESS_TOKEN_LIST, args, page, ret));
}

/* The words, separated by blanks; "*" if there are none. */
static int
join_words(struct site *site, const json_t *words, char ret[static PRINCIPAL_PERMISSIONS_MAX])
{
    size_t len = 0;

    (void)snprintf(ret, PRINCIPAL_PERMISSIONS_MAX, "*");
    for (size_t i = 0; i < json_array_size(words); i++) {
        const char *word = json_string_value(json_array_get(words, i));
        int n;

        if (!word || (strcmp(word, "*") != 0 && !principal_permission_is_known(word)))
            return refuse(site,
                          REFUSAL_INVALID,
                          "Nothing wants the permission \"%.80s\": it is a class and a verb, as in "
                          "\"device.read\" or \"*.read\" (docs/security-roles.md).",
                          word ? word : "?");
        n = snprintf(ret + len, PRINCIPAL_PERMISSIONS_MAX - len, "%s%s", len > 0 ? " " : "", word);
        if (n < 0 || (size_t)n >= PRINCIPAL_PERMISSIONS_MAX - len)
            return refuse(site, REFUSAL_INVALID, "These are too many permissions for one token.");
        len += (size_t)n;
    }
    return principal_words_are_fit(ret)
               ? 0
               : refuse(site, REFUSAL_INVALID, "These are no permissions for a token.");
}

int administrator_check_unlimited(struct site *site)
{
    if (strcmp(site->principal.permissions, "*") == 0)
        return 0;
    return refuse(
        site,
        REFUSAL_FORBIDDEN,
        "A token that is good for a part of its administrator's permissions makes no other one, "
        "ends none but itself, and changes no password.");
}

int administrator_token_create(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"name", FIELD_LINE, true, 1, NAMED_NAME_MAX, NULL},
        {"permissions", FIELD_ARRAY, false, 0, WORDS_MAX, NULL},
        {"days", FIELD_NUMBER, false, 1, ADMINISTRATOR_TOKEN_DAYS_MAX, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    char words[PRINCIPAL_PERMISSIONS_MAX];
    struct access_token token = {
        .kind = ACCESS_API,
        .administrator_id = site->principal.id,
        .name = field_text(body, "name", ""),
        .permissions = words,
        .life_us = field_number(body, "days", TOKEN_DAYS) * DAY_US,
    };
    char text[TOKEN_TEXT_MAX];
    char id[UUID_TEXT_MAX];
    char expires[CLOCK_TEXT_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = administrator_check_unlimited(site);
    if (r == 0)
        r = join_words(site, json_object_get(body, "permissions"), words);
    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = access_new_token(site, &token, text, id);
    if (r == 0)
        r = site_audit(site, who, "token.create", id, words);
    if (r == 0)
        r = db_commit(&tx);
    if (r != 0)
        return TRACE(r);
    clock_put_rfc3339(expires, site->now_us + token.life_us);
    *ret = json_pack(
        "{s:s,s:s,s:s,s:s}", "id", id, "token", text, "permissions", words, "expires_at", expires);
    explicit_bzero(text, sizeof(text));
    return *ret ? 0 : ERR(-ENOMEM);
}

int administrator_token_revoke(struct site *site, const char *who, const char *id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    OWN(db_rollbackp) struct db *tx = NULL;
    int r = strcmp(id, site->principal.token_id) == 0 ? 0 : administrator_check_unlimited(site);

    if (r != 0)
        return TRACE(r);
    r = db_first(
        site->db, SQL_ACCESS_TOKEN_OF, DB_ARGS(db_text(id), db_text(site->principal.id)), &rows);
    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(site, REFUSAL_MISSING, "You have no token \"%.40s\".", id);
    db_rows_fini(&rows);
    r = db_begin(site->db, &tx);
    if (r == 0)
        r = access_drop_token(site, id);
    if (r == 0)
        r = site_audit(site, who, "token.revoke", id, "");
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}
