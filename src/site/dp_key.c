/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/dp_key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "format/proof/proof.h"
#include "plat/random.h"
#include "site/access.h"
#include "site/device_key.h"
#include "site/fields.h"

enum {
    US_PER_S = 1000 * 1000,
};

int dp_key_add(struct site *site, const char *dp_id, const json_t *key, const char *token)
{
    char public_half[SIGNATURE_KEY_TEXT_MAX];
    int r = device_key_prove(site, key, PROOF_DP_KEY, token, public_half);

    if (r == 0)
        r = db_run(site->db,
                   SQL_DP_KEY_ADD,
                   DB_ARGS(db_text(public_half), db_text(dp_id), db_u64(site->now_us)),
                   NULL);
    if (r == DB_E_EXISTS)
        return refuse(site,
                      REFUSAL_DP_TOKEN,
                      "The distribution point has another key already, or another distribution "
                      "point has this one.");
    if (r != 0)
        return TRACE(r);
    return TRACE(db_must(site->db, SQL_DP_DROP_OLD_TOKEN, DB_ARGS(db_text(dp_id))));
}

int dp_key_register(struct site *site, const char *dp_id, const char *token, const json_t *body)
{
    static const struct field fields[] = {
        {"key", FIELD_OBJECT, true, 0, 0, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    int r = fields_check(site, body, fields, true, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = dp_key_add(site, dp_id, json_object_get(body, "key"), token ? token : "");
    if (r == 0)
        r = site_audit(site, dp_id, "distribution-point.register-key", dp_id, "");
    return r == 0 ? TRACE(db_commit(&tx)) : TRACE(r);
}

/* In a transaction. */
static int new_token(struct site *site, const char *dp_id, char ret[static TOKEN_TEXT_MAX])
{
    char hash[SHA256_TEXT_MAX];
    int r;

    random_token(ret, "slw_dpt");
    r = access_hash_token(ret, hash);
    if (r == 0)
        r = db_must(site->db,
                    SQL_DP_ACCESS_ADD,
                    DB_ARGS(db_text(hash), db_text(dp_id), db_u64(site->now_us + DP_TOKEN_US)));
    if (r < 0)
        return TRACE(r);
    return TRACE(db_must(site->db,
                         SQL_DP_ACCESS_TRIM,
                         DB_ARGS(db_text(dp_id), db_u64(DP_TOKENS_MAX), db_text(hash))));
}

/* @ret: whose key it is */
static int find_owner(struct site *site, const char *public_half, char ret[static DP_ID_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_DP_KEY_FIND, DB_ARGS(db_text(public_half)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(site,
                      REFUSAL_DP_TOKEN,
                      "The key is of no distribution point of this site: it was removed, or never "
                      "joined.");
    (void)snprintf(ret, DP_ID_MAX, "%s", db_get_text(&rows, 0));
    return 0;
}

/* In a transaction. */
static int renew(struct site *site, const json_t *key, char ret[static TOKEN_TEXT_MAX])
{
    char public_half[SIGNATURE_KEY_TEXT_MAX];
    char dp_id[DP_ID_MAX];
    int r = device_key_prove(site, key, PROOF_DP_TOKEN, field_text(key, "public", ""), public_half);

    if (r == 0)
        r = find_owner(site, public_half, dp_id);
    return r == 0 ? TRACE(new_token(site, dp_id, ret)) : TRACE(r);
}

int dp_token_renew(struct site *site, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"key", FIELD_OBJECT, true, 0, 0, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    char token[TOKEN_TEXT_MAX];
    int r = fields_check(site, body, fields, true, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = renew(site, json_object_get(body, "key"), token);
    if (r != 0)
        return TRACE(r);
    *ret = json_pack(
        "{s:s,s:I}", "token", token, "token_life_s", (json_int_t)(DP_TOKEN_US / US_PER_S));
    return *ret ? TRACE(db_commit(&tx)) : ERR(-ENOMEM);
}

int dp_check_token(struct site *site, const char *token, char ret[static DP_ID_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char hash[SHA256_TEXT_MAX];
    int r = access_hash_token(token ? token : "", hash);

    if (r < 0)
        return TRACE(r);
    r = db_first(site->db, SQL_DP_BY_TOKEN, DB_ARGS(db_text(hash), db_u64(site->now_us)), &rows);
    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(
            site,
            REFUSAL_DP_TOKEN,
            "The token is too old, or of no distribution point of this site: it was removed, or "
            "never joined.");
    (void)snprintf(ret, DP_ID_MAX, "%s", db_get_text(&rows, 0));
    return 0;
}
