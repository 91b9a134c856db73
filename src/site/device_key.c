/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/device_key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "db/db.h"
#include "format/proof/proof.h"
#include "site/challenge.h"
#include "site/fields.h"

enum {
    US_PER_S = 1000 * 1000,
};

static int refuse_proof(struct site *site, const char *why)
{
    return refuse(site, REFUSAL_PROOF, "%s", why);
}

/* An agent that knows the site's key signs that; one that knows its certificate signs nothing in its place. */
static int check_signature(struct site *site,
                           const struct proof *about,
                           const uint8_t public_half[static SIGNATURE_KEY_BYTES],
                           const uint8_t signature[static SIGNATURE_BYTES],
                           bool *ret)
{
    const char *const pins[] = {site->settings.pin, ""};

    *ret = false;
    for (size_t i = 0; !*ret && i < sizeof(pins) / sizeof(pins[0]); i++) {
        uint8_t text[PROOF_MAX_BYTES];
        struct sink dst = {.ptr = text, .cap = sizeof(text)};
        struct proof proof = *about;
        int r;

        proof.pin = pins[i];
        if (!proof_put(&proof, &dst))
            return 0;
        r = signature_check(public_half, (struct bytes){text, dst.len}, signature, ret);
        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

/* Return: 0, SITE_E_REFUSED or -errno. */
static int check_proof(struct site *site, const json_t *key, const struct proof *about)
{
    uint8_t public_half[SIGNATURE_KEY_BYTES];
    uint8_t signature[SIGNATURE_BYTES];
    bool is_good = false;
    int r = challenge_check(site, about->challenge, &is_good);

    if (r < 0)
        return TRACE(r);
    if (!is_good)
        return refuse_proof(site, "The challenge is not one of this site, or too old.");
    if (!hex_parse(bytes_of(field_text(key, "public", "")), sizeof(public_half), public_half) ||
        !hex_parse(bytes_of(field_text(key, "signature", "")), sizeof(signature), signature))
        return refuse(site,
                      REFUSAL_CLIENT_INVALID,
                      "\"key\" must have a public half of 64 hexadecimal digits and a signature of "
                      "128.");
    r = check_signature(site, about, public_half, signature, &is_good);
    if (r < 0)
        return TRACE(r);
    return is_good ? 0 : refuse_proof(site, "The signature is not of this key, or not about this.");
}

int device_key_prove(struct site *site,
                     const json_t *key,
                     const char *purpose,
                     const char *subject,
                     char ret[static SIGNATURE_KEY_TEXT_MAX])
{
    static const struct field fields[] = {
        {"public", FIELD_TEXT, true, 1, SIGNATURE_KEY_TEXT_MAX - 1, NULL},
        {"challenge", FIELD_TEXT, true, 1, CHALLENGE_TEXT_MAX - 1, NULL},
        {"signature", FIELD_TEXT, true, 1, SIGNATURE_TEXT_MAX - 1, NULL},
        {0},
    };
    const struct proof about = {
        .purpose = purpose,
        .challenge = field_text(key, "challenge", ""),
        .subject = subject,
    };
    uint8_t public_half[SIGNATURE_KEY_BYTES];
    bool is_first = false;
    int r = fields_check(site, key, fields, true, REFUSAL_CLIENT_INVALID);

    if (r == 0)
        r = check_proof(site, key, &about);
    if (r == 0)
        r = challenge_use(site, about.challenge, &is_first);
    if (r != 0)
        return TRACE(r);
    if (!is_first)
        return refuse_proof(site, "The challenge was answered before: each is good once.");
    if (!hex_parse(bytes_of(field_text(key, "public", "")), sizeof(public_half), public_half))
        return ERR(-EINVAL);
    hex_put(ret, (struct bytes){public_half, sizeof(public_half)});
    return 0;
}

int device_key_find(struct site *site,
                    const char *public_half,
                    char ret_device[static ACCESS_DEVICE_ID_MAX],
                    char ret_ticket_hash[static SHA256_TEXT_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(
        site->db, SQL_DEVICE_KEY_FIND, DB_ARGS(db_text(public_half), db_u64(site->now_us)), &rows);
    bool is_new;

    ret_device[0] = '\0';
    (void)snprintf(ret_ticket_hash, SHA256_TEXT_MAX, "-");
    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : 0;
    is_new = site->now_us < db_get_u64(&rows, 2) + DEVICE_REPEAT_US;
    (void)snprintf(ret_device, ACCESS_DEVICE_ID_MAX, "%s", db_get_text(&rows, 0));
    (void)snprintf(ret_ticket_hash, SHA256_TEXT_MAX, "%s", is_new ? db_get_text(&rows, 1) : "-");
    return 0;
}

int device_key_add(struct site *site,
                   const char *device_id,
                   const char *public_half,
                   const char *ticket_hash)
{
    uint64_t order_us = site->settings.order_life_us;
    uint64_t life_us = order_us > DEVICE_KEY_US ? order_us : DEVICE_KEY_US;
    int r = db_must(site->db,
                    SQL_DEVICE_KEY_ADD,
                    DB_ARGS(db_text(public_half),
                            db_text(device_id),
                            db_text(ticket_hash),
                            db_u64(site->now_us),
                            db_u64(site->now_us + life_us)));

    if (r < 0)
        return TRACE(r);
    return TRACE(
        db_must(site->db,
                SQL_DEVICE_KEY_TRIM,
                DB_ARGS(db_text(device_id), db_u64(DEVICE_KEYS_MAX), db_text(public_half))));
}

int device_key_reported(struct site *site, const char *token)
{
    uint64_t before_us = site->now_us > DEVICE_REPORT_US ? site->now_us - DEVICE_REPORT_US : 0;
    char hash[SHA256_TEXT_MAX];
    int r = access_hash_token(token ? token : "", hash);

    if (r < 0)
        return TRACE(r);
    return TRACE(db_must(site->db,
                         SQL_DEVICE_KEY_REPORTED,
                         DB_ARGS(db_text(hash), db_u64(site->now_us), db_u64(before_us))));
}

int device_key_drop_all(struct site *site, const char *device_id)
{
    int r = db_must(site->db, SQL_DEVICE_KEYS_DROP, DB_ARGS(db_text(device_id)));

    /* those that are from before there were keys */
    return r < 0 ? TRACE(r)
                 : TRACE(db_must(site->db, SQL_DEVICE_TOKENS_DROP, DB_ARGS(db_text(device_id))));
}

int device_token_new(struct site *site,
                     const char *device_id,
                     const char *public_half,
                     char ret[static TOKEN_TEXT_MAX])
{
    char hash[SHA256_TEXT_MAX];
    int r;

    random_token(ret, "slw_dev");
    r = access_hash_token(ret, hash);
    if (r == 0)
        r = db_must(site->db,
                    SQL_DEVICE_TOKEN_ADD,
                    DB_ARGS(db_text(hash),
                            db_text(device_id),
                            db_text(public_half),
                            db_u64(site->now_us + DEVICE_TOKEN_US)));
    if (r < 0)
        return TRACE(r);
    return TRACE(db_must(site->db,
                         SQL_DEVICE_TOKEN_TRIM,
                         DB_ARGS(db_text(public_half), db_u64(DEVICE_TOKENS_MAX), db_text(hash))));
}

/* In a transaction. */
static int renew(struct site *site, const json_t *body, char ret[static TOKEN_TEXT_MAX])
{
    const char *device_id = field_text(body, "device_id", "");
    char public_half[SIGNATURE_KEY_TEXT_MAX];
    char owner[ACCESS_DEVICE_ID_MAX];
    char ticket_hash[SHA256_TEXT_MAX];
    int r =
        device_key_prove(site, json_object_get(body, "key"), PROOF_TOKEN, device_id, public_half);

    if (r == 0)
        r = device_key_find(site, public_half, owner, ticket_hash);
    if (r != 0)
        return TRACE(r);
    if (strcmp(owner, device_id) != 0)
        return refuse(site,
                      REFUSAL_DEVICE_KEY,
                      "The key is not one of this device, or has lapsed, or the device was blocked "
                      "or deleted.");
    return TRACE(device_token_new(site, device_id, public_half, ret));
}

int device_token_renew(struct site *site, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"device_id", FIELD_TEXT, true, 1, ACCESS_DEVICE_ID_MAX - 1, NULL},
        {"key", FIELD_OBJECT, true, 0, 0, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    char token[TOKEN_TEXT_MAX];
    int r = fields_check(site, body, fields, true, REFUSAL_CLIENT_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = renew(site, body, token);
    if (r != 0)
        return TRACE(r);
    *ret = json_pack(
        "{s:s,s:I}", "token", token, "token_life_s", (json_int_t)(DEVICE_TOKEN_US / US_PER_S));
    return *ret ? TRACE(db_commit(&tx)) : ERR(-ENOMEM);
}

int device_token_check(struct site *site, const char *token, char ret[static ACCESS_DEVICE_ID_MAX])
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
        return refuse(site,
                      REFUSAL_DEVICE_TOKEN,
                      "The token is unknown or too old: get another one with the device's key.");
    (void)snprintf(ret, ACCESS_DEVICE_ID_MAX, "%s", db_get_text(&rows, 0));
    return 0;
}
