/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/access.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "db/db.h"
#include "plat/digest.h"
#include "site/login.h"
#include "site/oidc_login.h"

int access_hash_token(const char *token, char ret[static SHA256_TEXT_MAX])
{
    uint8_t hash[SHA256_BYTES];
    int r = digest_sha256(bytes_of(token), hash);

    if (r < 0)
        return TRACE(r);
    hex_put(ret, (struct bytes){hash, sizeof(hash)});
    return 0;
}

/* Return: the token's prefix says what it is to who finds it somewhere. */
static const char *prefix_of(enum access_kind kind)
{
    static const char *const prefixes[] = {
        [ACCESS_ONE_TIME] = "slw_once", [ACCESS_API] = "slw_api", [ACCESS_SESSION] = "slw_sess"};

    return prefixes[kind];
}

static const char *name_of(enum access_kind kind)
{
    static const char *const names[] = {
        [ACCESS_ONE_TIME] = "one-time", [ACCESS_API] = "api", [ACCESS_SESSION] = "session"};

    return names[kind];
}

int access_new_token(struct site *site,
                     const struct access_token *token,
                     char ret[static TOKEN_TEXT_MAX],
                     char ret_id[static UUID_TEXT_MAX])
{
    char hash[SHA256_TEXT_MAX];
    char csrf_hash[SHA256_TEXT_MAX] = "";
    int r;

    random_token(ret, prefix_of(token->kind));
    random_uuid(ret_id, site->now_us);
    r = access_hash_token(ret, hash);
    if (r == 0 && token->csrf)
        r = access_hash_token(token->csrf, csrf_hash);
    if (r < 0)
        return TRACE(r);
    return TRACE(db_must(site->db,
                         SQL_ACCESS_TOKEN_ADD,
                         DB_ARGS(db_text(ret_id),
                                 db_text(hash),
                                 db_text(name_of(token->kind)),
                                 db_text(token->administrator_id),
                                 db_text(token->name),
                                 db_text(token->permissions ? token->permissions : "*"),
                                 db_text(token->csrf ? csrf_hash : NULL),
                                 db_u64(site->now_us),
                                 db_u64(site->now_us + token->life_us))));
}

/* Whether anybody has ever signed in, or can. */
static int is_taken_over(struct site *site, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_ACCESS_IS_TAKEN_OVER, DB_NO_ARGS, &rows);

    *ret = r == DB_ROW;
    return r < 0 ? TRACE(r) : 0;
}

int access_first_token(struct site *site, char ret[static TOKEN_TEXT_MAX])
{
    OWN(db_rollbackp) struct db *tx = NULL;
    struct access_token token = {
        .kind = ACCESS_ONE_TIME,
        .administrator_id = ACCESS_FIRST_ADMINISTRATOR,
        .name = "first",
        .life_us = ACCESS_ONE_TIME_US,
    };
    char id[UUID_TEXT_MAX];
    bool is_over = false;
    int r = is_taken_over(site, &is_over);

    if (r < 0)
        return TRACE(r);
    if (is_over)
        return 1;
    r = db_begin(site->db, &tx);
    if (r < 0)
        return TRACE(r);
    r = db_must(site->db, SQL_ACCESS_TOKEN_DROP_KIND, DB_ARGS(db_text("one-time")));
    if (r < 0)
        return TRACE(r);
    r = access_new_token(site, &token, ret, id);
    if (r < 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

/* The columns of SQL_ACCESS_TOKEN_FIND. */
enum {
    COLUMN_ID,
    COLUMN_ADMINISTRATOR,
    COLUMN_NAME,
    COLUMN_PERMISSIONS,
    COLUMN_USED,
    COLUMN_CSRF_HASH,
};

int access_note_use(struct site *site, const struct site_token_use *use)
{
    int r = db_must(
        site->db, SQL_ACCESS_TOKEN_USED, DB_ARGS(db_text(use->token_id), db_u64(site->now_us)));

    if (r < 0)
        return TRACE(r);
    return TRACE(db_must(site->db,
                         SQL_ADMINISTRATOR_SEEN,
                         DB_ARGS(db_text(use->administrator_id), db_u64(site->now_us))));
}

/* That somebody is at it; kept to a minute, so that a request is not a write. */
static int use_token(struct site *site, const struct principal *who)
{
    struct site_token_use use;

    (void)snprintf(use.token_id, sizeof(use.token_id), "%s", who->token_id);
    (void)snprintf(use.administrator_id, sizeof(use.administrator_id), "%s", who->id);
    if (!db_is_read_only(site->db))
        return TRACE(access_note_use(site, &use));
    site->use = use;
    return 0;
}

/* Return: 0, 1 if there is no such token, or -errno. @ret_csrf_hash: may be NULL */
static int find_token(struct site *site,
                      const char *token,
                      enum access_kind kind,
                      struct principal *ret,
                      char *ret_csrf_hash)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char hash[SHA256_TEXT_MAX];
    uint64_t idle_us = kind == ACCESS_SESSION ? ACCESS_IDLE_US : ACCESS_API_MAX_US;
    uint64_t trust_us = site->settings.directory.check_us + site->settings.directory.trust_us;
    uint64_t oidc_us = oidc_is_on(&site->settings.oidc) ? site->settings.oidc.trust_us : 0;
    uint64_t used_us;
    int r = access_hash_token(token, hash);

    if (r < 0)
        return TRACE(r);
    r = db_first(site->db,
                 SQL_ACCESS_TOKEN_FIND,
                 DB_ARGS(db_text(hash),
                         db_text(name_of(kind)),
                         db_u64(site->now_us),
                         db_u64(site->now_us > idle_us ? site->now_us - idle_us : 0),
                         db_u64(site->now_us > trust_us ? site->now_us - trust_us : 0),
                         db_u64(site->now_us > oidc_us ? site->now_us - oidc_us : 0)),
                 &rows);
    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return 1;
    *ret = (struct principal){.operation = NULL};
    (void)snprintf(ret->id, sizeof(ret->id), "%s", db_get_text(&rows, COLUMN_ADMINISTRATOR));
    (void)snprintf(ret->name, sizeof(ret->name), "%s", db_get_text(&rows, COLUMN_NAME));
    (void)snprintf(ret->token_id, sizeof(ret->token_id), "%s", db_get_text(&rows, COLUMN_ID));
    (void)snprintf(
        ret->permissions, sizeof(ret->permissions), "%s", db_get_text(&rows, COLUMN_PERMISSIONS));
    if (ret_csrf_hash)
        (void)snprintf(ret_csrf_hash, SHA256_TEXT_MAX, "%s", db_get_text(&rows, COLUMN_CSRF_HASH));
    used_us = db_get_u64(&rows, COLUMN_USED);
    db_rows_fini(&rows);
    if (site->now_us < used_us + ACCESS_USED_US)
        return 0;
    return TRACE(use_token(site, ret));
}

int access_login(struct site *site,
                 const char *one_time,
                 char ret[static TOKEN_TEXT_MAX],
                 uint64_t *ret_expires_us)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    struct principal who;
    struct access_token token = {
        .kind = ACCESS_API,
        .administrator_id = who.id,
        .name = "login with the one-time token",
        .life_us = ACCESS_API_US,
    };
    char id[UUID_TEXT_MAX];
    int r = db_begin(site->db, &tx);

    if (r < 0)
        return TRACE(r);
    r = find_token(site, one_time, ACCESS_ONE_TIME, &who, NULL);
    if (r < 0)
        return TRACE(r);
    if (r > 0)
        return refuse(
            site,
            REFUSAL_LOGIN,
            "The one-time token is unknown, used or older than 24 hours. Restart slipwayd "
            "to get a new one if nobody has signed in yet.");
    r = access_drop_token(site, who.token_id);
    if (r < 0)
        return TRACE(r);
    r = access_new_token(site, &token, ret, id);
    if (r < 0)
        return TRACE(r);
    r = site_audit(site, who.name, "login", who.id, "one-time token exchanged for an API token");
    if (r < 0)
        return TRACE(r);
    *ret_expires_us = site->now_us + ACCESS_API_US;
    return TRACE(db_commit(&tx));
}

int access_check_admin(struct site *site, const char *token, struct principal *ret)
{
    int r = token ? find_token(site, token, ACCESS_API, ret, NULL) : 1;

    if (r <= 0)
        return TRACE(r);
    return refuse(site,
                  REFUSAL_NOT_SIGNED_IN,
                  "The call needs a valid API token: sign in with `slipway login`.");
}

int access_check_session(
    struct site *site, const char *secret, const char *csrf, bool is_change, struct principal *ret)
{
    char wanted[SHA256_TEXT_MAX];
    char given[SHA256_TEXT_MAX];
    int r = find_token(site, secret, ACCESS_SESSION, ret, wanted);

    if (r < 0)
        return TRACE(r);
    if (r > 0)
        return refuse(site, REFUSAL_NOT_SIGNED_IN, "The session is over: sign in again.");
    if (!is_change)
        return 0;
    r = access_hash_token(csrf ? csrf : "", given);
    if (r < 0)
        return TRACE(r);
    if (strcmp(wanted, given) != 0) /* of hashes: time tells nothing */
        return refuse(site,
                      REFUSAL_CSRF,
                      "What changes something in a browser's session comes from the site's own "
                      "pages, with the header X-CSRF-Token of its sign-in.");
    return 0;
}

int access_drop_token(struct site *site, const char *id)
{
    return TRACE(db_must(site->db, SQL_ACCESS_TOKEN_DROP, DB_ARGS(db_text(id))));
}

int access_drop_tokens_of(struct site *site, const char *administrator_id)
{
    return TRACE(db_must(site->db, SQL_ACCESS_TOKEN_DROP_OF, DB_ARGS(db_text(administrator_id))));
}

int access_new_boot_ticket(struct site *site, const char *mac, char ret[static TOKEN_TEXT_MAX])
{
    char hash[SHA256_TEXT_MAX];
    int r;

    random_token(ret, "slw_boot");
    r = access_hash_token(ret, hash);
    if (r < 0)
        return TRACE(r);
    return TRACE(db_must(
        site->db,
        SQL_BOOT_TICKET_ADD,
        DB_ARGS(db_text(hash), db_text(mac), db_u64(site->now_us + ACCESS_BOOT_TICKET_US))));
}

int access_take_boot_ticket(struct site *site, const char *ticket, const char *mac, bool *ret)
{
    char hash[SHA256_TEXT_MAX];
    uint64_t changes = 0;
    int r = access_hash_token(ticket, hash);

    if (r < 0)
        return TRACE(r);
    r = db_run(site->db,
               SQL_BOOT_TICKET_TAKE,
               DB_ARGS(db_text(hash), db_text(mac), db_u64(site->now_us)),
               &changes);
    if (r != 0)
        return r > 0 ? ERR(-EIO) : TRACE(r);
    *ret = changes == 1;
    return 0;
}

int access_expire(struct site *site)
{
    static const enum db_sql expiring[] = {
        SQL_ACCESS_TOKEN_EXPIRE,
        SQL_DEVICE_KEY_EXPIRE,
        SQL_DEVICE_TOKEN_EXPIRE,
        SQL_DP_ACCESS_EXPIRE,
        SQL_BOOT_TICKET_EXPIRE,
    };
    int r = login_expire(site);

    if (r == 0)
        r = oidc_expire(site);
    for (size_t i = 0; i < sizeof(expiring) / sizeof(expiring[0]); i++) {
        if (r == 0)
            r = db_must(site->db, expiring[i], DB_ARGS(db_u64(site->now_us)));
    }
    return TRACE(r);
}
