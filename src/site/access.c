/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/access.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "db/db.h"
#include "plat/digest.h"

int access_hash_token(const char *token, char ret[static SHA256_TEXT_MAX])
{
    uint8_t hash[SHA256_BYTES];
    int r = digest_sha256(bytes_of(token), hash);

    if (r < 0)
        return TRACE(r);
    hex_put(ret, (struct bytes){hash, sizeof(hash)});
    return 0;
}

static int add_admin_token(struct site *site,
                           const char *kind,
                           uint64_t life_us,
                           char ret[static TOKEN_TEXT_MAX])
{
    char hash[SHA256_TEXT_MAX];
    char id[UUID_TEXT_MAX];
    char name[ACCESS_WHO_MAX];
    int r;

    random_token(ret, life_us == ACCESS_API_US ? "slw_api" : "slw_once");
    random_uuid(id, site->now_us);
    (void)snprintf(name, sizeof(name), "administrator-%.8s", id + UUID_TEXT_MAX - 9);
    r = access_hash_token(ret, hash);
    if (r < 0)
        return TRACE(r);
    return TRACE(db_must(site->db,
                         SQL_ADMIN_TOKEN_ADD,
                         DB_ARGS(db_text(id),
                                 db_text(hash),
                                 db_text(kind),
                                 db_text(name),
                                 db_u64(site->now_us),
                                 db_u64(site->now_us + life_us))));
}

static int count_api_tokens(struct site *site, uint64_t *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_ADMIN_TOKEN_COUNT, DB_ARGS(db_text("api"), db_u64(0)), &rows);

    if (r < 0)
        return TRACE(r);
    *ret = r == DB_ROW ? db_get_u64(&rows, 0) : 0;
    return 0;
}

int access_first_token(struct site *site, char ret[static TOKEN_TEXT_MAX])
{
    OWN(db_rollbackp) struct db *tx = NULL;
    uint64_t n = 0;
    int r = count_api_tokens(site, &n);

    if (r < 0)
        return TRACE(r);
    if (n > 0)
        return 1;
    r = db_begin(site->db, &tx);
    if (r < 0)
        return TRACE(r);
    r = db_must(site->db, SQL_ADMIN_TOKEN_DROP_KIND, DB_ARGS(db_text("one-time")));
    if (r < 0)
        return TRACE(r);
    r = add_admin_token(site, "one-time", ACCESS_ONE_TIME_US, ret);
    if (r < 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

/* Return: 0, 1 if there is no such token, or -errno. @ret: its holder. */
static int
find_admin(struct site *site, const char *token, const char *kind, char ret[static ACCESS_WHO_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char hash[SHA256_TEXT_MAX];
    int r = access_hash_token(token, hash);

    if (r < 0)
        return TRACE(r);
    r = db_first(site->db,
                 SQL_ADMIN_TOKEN_FIND,
                 DB_ARGS(db_text(hash), db_text(kind), db_u64(site->now_us)),
                 &rows);
    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return 1;
    (void)snprintf(ret, ACCESS_WHO_MAX, "%s", db_get_text(&rows, 1));
    return 0;
}

static int drop_admin(struct site *site, const char *token)
{
    char hash[SHA256_TEXT_MAX];
    int r = access_hash_token(token, hash);

    return r < 0 ? TRACE(r)
                 : TRACE(db_must(site->db, SQL_ADMIN_TOKEN_DROP, DB_ARGS(db_text(hash))));
}

int access_login(struct site *site,
                 const char *one_time,
                 char ret[static TOKEN_TEXT_MAX],
                 uint64_t *ret_expires_us)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char who[ACCESS_WHO_MAX];
    int r = db_begin(site->db, &tx);

    if (r < 0)
        return TRACE(r);
    r = find_admin(site, one_time, "one-time", who);
    if (r < 0)
        return TRACE(r);
    if (r > 0)
        return refuse(
            site,
            REFUSAL_LOGIN,
            "The one-time token is unknown, used or older than 24 hours. Restart slipwayd "
            "to get a new one if nobody has signed in yet.");
    r = drop_admin(site, one_time);
    if (r < 0)
        return TRACE(r);
    r = add_admin_token(site, "api", ACCESS_API_US, ret);
    if (r < 0)
        return TRACE(r);
    r = site_audit(site, who, "login", "", "one-time token exchanged for an API token");
    if (r < 0)
        return TRACE(r);
    *ret_expires_us = site->now_us + ACCESS_API_US;
    return TRACE(db_commit(&tx));
}

int access_check_admin(struct site *site, const char *token, char ret[static ACCESS_WHO_MAX])
{
    int r = token ? find_admin(site, token, "api", ret) : 1;

    if (r < 0)
        return TRACE(r);
    if (r > 0)
        return refuse(site,
                      REFUSAL_NOT_SIGNED_IN,
                      "The call needs a valid API token: sign in with `slipway login`.");
    return 0;
}

int access_logout(struct site *site, const char *token)
{
    return TRACE(drop_admin(site, token));
}

int access_new_device_token(struct site *site,
                            const char *device_id,
                            char ret[static TOKEN_TEXT_MAX])
{
    uint64_t order_us = site->settings.order_life_us;
    uint64_t life_us = order_us > ACCESS_DEVICE_US ? order_us : ACCESS_DEVICE_US;
    char hash[SHA256_TEXT_MAX];
    int r;

    random_token(ret, "slw_dev");
    r = access_hash_token(ret, hash);
    if (r < 0)
        return TRACE(r);
    return TRACE(
        db_must(site->db,
                SQL_DEVICE_TOKEN_ADD,
                DB_ARGS(db_text(hash), db_text(device_id), db_u64(site->now_us + life_us))));
}

int access_check_device(struct site *site, const char *token, char ret[static ACCESS_DEVICE_ID_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char hash[SHA256_TEXT_MAX];
    int r = access_hash_token(token ? token : "", hash);

    if (r < 0)
        return TRACE(r);
    r = db_first(
        site->db, SQL_DEVICE_TOKEN_FIND, DB_ARGS(db_text(hash), db_u64(site->now_us)), &rows);
    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(
            site, REFUSAL_DEVICE_TOKEN, "The token is unknown or too old: register again.");
    (void)snprintf(ret, ACCESS_DEVICE_ID_MAX, "%s", db_get_text(&rows, 0));
    return 0;
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
        SQL_ADMIN_TOKEN_EXPIRE,
        SQL_DEVICE_TOKEN_EXPIRE,
        SQL_BOOT_TICKET_EXPIRE,
    };

    for (size_t i = 0; i < sizeof(expiring) / sizeof(expiring[0]); i++) {
        int r = db_must(site->db, expiring[i], DB_ARGS(db_u64(site->now_us)));

        if (r < 0)
            return TRACE(r);
    }
    return 0;
}
