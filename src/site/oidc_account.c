/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/oidc_account.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/administrator.h"
#include "site/administrator_groups.h"
#include "site/directory_account.h"
#include "site/site.h"

enum {
    PORT_MAX = 65535,
};

/* The columns of SQL_OIDC_USER. */
enum {
    COLUMN_ID,
    COLUMN_IS_DISABLED,
    COLUMN_ISSUER,
};

static void say(char why[static OIDC_WHY_MAX], const char *text)
{
    (void)snprintf(why, OIDC_WHY_MAX, "%s", text);
}

/* Whether one of his groups is granted something here. */
static int has_group(struct site *site, const struct oidc_claims *claims, bool *ret)
{
    *ret = false;
    for (size_t i = 0; !*ret && i < json_array_size(claims->groups); i++) {
        OWN(db_rows_fini) struct db_rows rows = {0};
        int r = db_first(site->db,
                         SQL_OIDC_GROUP_MAY,
                         DB_ARGS(db_text(json_string_value(json_array_get(claims->groups, i)))),
                         &rows);

        if (r < 0)
            return TRACE(r);
        *ret = r == DB_ROW;
    }
    return 0;
}

static int make(struct site *site,
                const struct oidc_claims *claims,
                const char *name,
                char ret[static NAMED_ID_MAX])
{
    OWN(json_freep)
    json_t *body = json_pack("{s:s, s:s, s:s, s:s}",
                             "name",
                             name,
                             "comment",
                             "Signed in as a member of a group",
                             "kind",
                             ADMINISTRATOR_OIDC_USER,
                             "external_name",
                             claims->subject);
    OWN(json_freep) json_t *made = NULL;
    int r = body ? administrator_create(site, name, body, &made) : ERR(-ENOMEM);

    if (r == 0)
        (void)snprintf(ret, NAMED_ID_MAX, "%s", json_string_value(json_object_get(made, "id")));
    return TRACE(r);
}

/* A name that somebody has here already is not his: what a provider calls people, they may choose. */
static int make_if_fit(struct site *site,
                       const struct oidc_claims *claims,
                       char ret[static NAMED_ID_MAX],
                       char why[static OIDC_WHY_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char name[DIRECTORY_NAME_MAX];
    bool is_in = false;
    int r = has_group(site, claims, &is_in);

    if (r < 0)
        return TRACE(r);
    if (!is_in) {
        say(why, "the token names no group that is granted something");
        return 0;
    }
    if (!directory_lower(claims->name, name, sizeof(name)) || !name[0] ||
        strlen(name) > NAMED_NAME_MAX || !administrator_is_name(name)) {
        say(why, "the token has no name that an administrator can have: create him by his subject");
        return 0;
    }
    r = db_first(site->db, SQL_DIRECTORY_USER, DB_ARGS(db_text(name)), &rows);
    if (r < 0)
        return TRACE(r);
    if (r == DB_ROW) {
        say(why, "somebody else has this name here: create him by his subject, under another one");
        return 0;
    }
    db_rows_fini(&rows);
    return TRACE(make(site, claims, name, ret));
}

static int find(struct site *site,
                const struct oidc_claims *claims,
                char ret[static NAMED_ID_MAX],
                char why[static OIDC_WHY_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_OIDC_USER, DB_ARGS(db_text(claims->subject)), &rows);
    const char *issuer = r == DB_ROW ? db_get_text(&rows, COLUMN_ISSUER) : "";

    ret[0] = '\0';
    if (r < 0)
        return TRACE(r);
    if (r == 0)
        return TRACE(make_if_fit(site, claims, ret, why));
    if (db_get_bool(&rows, COLUMN_IS_DISABLED))
        say(why, "the administrator is disabled");
    else if (issuer[0] && strcmp(issuer, site->settings.oidc.issuer) != 0)
        say(why, "the administrator is another provider's: delete him if he is not needed");
    else
        (void)snprintf(ret, NAMED_ID_MAX, "%s", db_get_text(&rows, COLUMN_ID));
    return 0;
}

static int may_anything(struct site *site, const char *id, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_DIRECTORY_USER_MAY, DB_ARGS(db_text(id)), &rows);

    *ret = r == DB_ROW;
    return r < 0 ? TRACE(r) : 0;
}

int oidc_sign_in(struct site *site,
                 const struct oidc_claims *claims,
                 char ret[static NAMED_ID_MAX],
                 char ret_why[static OIDC_WHY_MAX])
{
    bool may = false;
    int r = find(site, claims, ret, ret_why);

    if (r != 0 || !ret[0])
        return TRACE(r);
    r = administrator_put_groups(site, "oidc", ret, SQL_OIDC_MEMBER_ADD, claims->groups);
    if (r == 0)
        r = db_must(
            site->db,
            SQL_DIRECTORY_USER_CHECKED,
            DB_ARGS(db_text(ret), db_u64(site->now_us), db_text(site->settings.oidc.issuer)));
    if (r == 0)
        r = may_anything(site, ret, &may);
    if (r == 0 && !may) {
        ret[0] = '\0';
        say(ret_why, "the token names no group that is granted something, nor is he himself");
    }
    return TRACE(r);
}

static bool is_among(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = list; at && *at; at += strcspn(at, " "), at += strspn(at, " "))
        if (strcspn(at, " ") == len && strncmp(at, word, len) == 0)
            return true;
    return false;
}

bool oidc_may_redirect(const struct oidc_settings *settings, const char *uri)
{
    static const char *const loopbacks[] = {"http://127.0.0.1:", "http://[::1]:"};

    if (uri[0] && is_among(settings->redirect_uris, uri))
        return true;
    for (size_t i = 0; i < sizeof(loopbacks) / sizeof(loopbacks[0]); i++) {
        size_t len = strlen(loopbacks[i]);
        size_t digits = strncmp(uri, loopbacks[i], len) == 0 ? strspn(uri + len, "0123456789") : 0;
        uint64_t port = 0;

        /* a port, "/", and no more: RFC 8252 leaves the port free, and nothing else */
        if (digits > 0 && strcmp(uri + len + digits, "/") == 0 &&
            bytes_parse_u64((struct bytes){(const uint8_t *)uri + len, digits}, 1, PORT_MAX, &port))
            return true;
    }
    return false;
}
