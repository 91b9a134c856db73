/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/idempotency.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "db/db.h"
#include "plat/random.h"
#include "site/site.h"

#define HEADER "Idempotency-Key"
#define DAY_US (UINT64_C(24) * 3600 * 1000000)

enum {
    TRIM_BYTES = 32 * 1024 * 1024,
    HASH_BYTES = 32,
    HASH_TEXT_MAX = 2 * HASH_BYTES + 1,
};

/* A hash of several parts, each with its end, as lower-case hexadecimal. */
static void put_hash(const struct bytes *parts, size_t n, char ret[static HASH_TEXT_MAX])
{
    crypto_generichash_state state;
    uint8_t hash[HASH_BYTES];

    (void)crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    for (size_t i = 0; i < n; i++) {
        uint64_t len = parts[i].len;

        (void)crypto_generichash_update(&state, (const uint8_t *)&len, sizeof(len));
        (void)crypto_generichash_update(&state, parts[i].ptr, parts[i].len);
    }
    (void)crypto_generichash_final(&state, hash, sizeof(hash));
    hex_put(ret, (struct bytes){hash, sizeof(hash)});
}

static void hash_key(const struct idempotency_request *request, char ret[static HASH_TEXT_MAX])
{
    put_hash((const struct bytes[]){bytes_of("name"), bytes_of(request->key)}, 2, ret);
}

static void hash_request(const struct idempotency_request *request, char ret[static HASH_TEXT_MAX])
{
    put_hash((const struct bytes[]){bytes_of("request"),
                                    bytes_of(request->method),
                                    bytes_of(request->target),
                                    request->body},
             4,
             ret);
}

/* What the answer is encrypted with. */
static void derive_secret(const struct site *site,
                          const struct idempotency_request *request,
                          uint8_t ret[static crypto_secretbox_KEYBYTES])
{
    crypto_generichash_state state;

    (void)crypto_generichash_init(&state, NULL, 0, crypto_secretbox_KEYBYTES);
    (void)crypto_generichash_update(&state, (const uint8_t *)"answer", sizeof("answer"));
    (void)crypto_generichash_update(
        &state, (const uint8_t *)site->principal.id, strlen(site->principal.id) + 1);
    (void)crypto_generichash_update(&state, (const uint8_t *)request->key, strlen(request->key));
    (void)crypto_generichash_final(&state, ret, crypto_secretbox_KEYBYTES);
}

static int check_key(struct site *site, const char *key)
{
    size_t n = strlen(key);

    for (size_t i = 0; i < n; i++)
        if (key[i] <= ' ' || key[i] > '~')
            n = 0;
    if (n >= IDEMPOTENCY_KEY_MIN && n <= IDEMPOTENCY_KEY_MAX)
        return 0;
    return refuse_header(
        site,
        HEADER,
        HEADER " must have %d to %d characters, all visible ASCII. Make a random one for each "
               "request.",
        IDEMPOTENCY_KEY_MIN,
        IDEMPOTENCY_KEY_MAX);
}

/* @text: base64 of a nonce and the encrypted answer. */
static int open_answer(struct site *site,
                       const struct idempotency_request *request,
                       const char *text,
                       json_t **ret)
{
    OWN(freep) uint8_t *sealed = malloc(strlen(text) + 1);
    OWN(freep) uint8_t *plain = malloc(strlen(text) + 1);
    uint8_t secret[crypto_secretbox_KEYBYTES];
    size_t len = 0;
    int r;

    if (!sealed || !plain)
        return ERR(-ENOMEM);
    if (sodium_base642bin(sealed,
                          strlen(text),
                          text,
                          strlen(text),
                          NULL,
                          &len,
                          NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        len < crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES)
        return ERR(-EBADMSG);
    derive_secret(site, request, secret);
    r = crypto_secretbox_open_easy(plain,
                                   sealed + crypto_secretbox_NONCEBYTES,
                                   len - crypto_secretbox_NONCEBYTES,
                                   sealed,
                                   secret);
    sodium_memzero(secret, sizeof(secret));
    if (r != 0)
        return ERR(-EBADMSG);
    *ret = json_loadb((const char *)plain,
                      len - crypto_secretbox_NONCEBYTES - crypto_secretbox_MACBYTES,
                      JSON_DECODE_ANY,
                      NULL);
    return *ret ? 0 : ERR(-EBADMSG);
}

/* @ret: base64; owned by the caller */
static int seal_answer(struct site *site,
                       const struct idempotency_request *request,
                       const json_t *answer,
                       char **ret)
{
    OWN(freep) char *plain = json_dumps(answer, JSON_COMPACT | JSON_ENCODE_ANY);
    size_t len = plain ? strlen(plain) : 0;
    size_t n = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + len;
    OWN(freep) uint8_t *sealed = malloc(n);
    size_t text_len = sodium_base64_encoded_len(n, sodium_base64_VARIANT_ORIGINAL);
    OWN(freep) char *text = malloc(text_len);
    uint8_t secret[crypto_secretbox_KEYBYTES];

    if (!plain || !sealed || !text)
        return ERR(-ENOMEM);
    random_bytes(sealed, crypto_secretbox_NONCEBYTES);
    derive_secret(site, request, secret);
    (void)crypto_secretbox_easy(
        sealed + crypto_secretbox_NONCEBYTES, (const uint8_t *)plain, len, sealed, secret);
    sodium_memzero(secret, sizeof(secret));
    sodium_memzero(plain, len);
    (void)sodium_bin2base64(text, text_len, sealed, n, sodium_base64_VARIANT_ORIGINAL);
    *ret = TAKE(text);
    return 0;
}

int idempotency_find(struct site *site,
                     const struct idempotency_request *request,
                     unsigned *ret_status,
                     json_t **ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char key[HASH_TEXT_MAX];
    char hash[HASH_TEXT_MAX];
    int r = check_key(site, request->key);

    if (r != 0)
        return TRACE(r);
    hash_key(request, key);
    hash_request(request, hash);
    r = db_first(site->db,
                 SQL_IDEMPOTENCY_GET,
                 DB_ARGS(db_text(site->principal.id),
                         db_text(key),
                         db_u64(site->now_us > DAY_US ? site->now_us - DAY_US : 0)),
                 &rows);
    if (r != DB_ROW)
        return TRACE(r);
    if (strcmp(db_get_text(&rows, 0), hash) != 0)
        return refuse(site,
                      REFUSAL_KEY_USED,
                      "Another request had this " HEADER
                      " in the last 24 hours. Make a new one for each request.");
    *ret_status = (unsigned)db_get_u64(&rows, 1);
    *ret = NULL;
    if (db_get_text(&rows, 2)[0] != '\0')
        r = open_answer(site, request, db_get_text(&rows, 2), ret);
    return r < 0 ? TRACE(r) : IDEMPOTENCY_E_DONE;
}

/* Whether it is time to look at the share of who acts: at his first answer and then now and again, whatever others do. */
static int count_own(struct site *site, bool *ret)
{
    json_int_t n;

    if (!site->n_answers)
        site->n_answers = json_object();
    n = json_integer_value(json_object_get(site->n_answers, site->principal.id));
    if (json_object_set_new(site->n_answers, site->principal.id, json_integer(n + 1)) != 0)
        return ERR(-ENOMEM);
    *ret = n % IDEMPOTENCY_TRIM_EVERY == 0;
    return 0;
}

int idempotency_keep(struct site *site,
                     const struct idempotency_request *request,
                     unsigned status,
                     const json_t *answer)
{
    OWN(freep) char *sealed = NULL;
    char key[HASH_TEXT_MAX];
    char hash[HASH_TEXT_MAX];
    bool is_time = false;
    size_t n_bytes;
    int r = answer ? seal_answer(site, request, answer, &sealed) : 0;

    if (r < 0)
        return TRACE(r);
    hash_key(request, key);
    hash_request(request, hash);
    n_bytes = sealed ? strlen(sealed) : 0;
    site->answer_bytes += n_bytes;
    r = db_must(site->db,
                SQL_IDEMPOTENCY_ADD,
                DB_ARGS(db_text(site->principal.id),
                        db_text(key),
                        db_text(hash),
                        db_u64(status),
                        db_text(sealed ? sealed : ""),
                        db_u64(site->now_us),
                        db_u64(n_bytes)));
    if (r == 0)
        r = count_own(site, &is_time);
    if (r == 0 && is_time)
        r = db_must(site->db,
                    SQL_IDEMPOTENCY_TRIM_OWN,
                    DB_ARGS(db_text(site->principal.id),
                            db_u64(IDEMPOTENCY_OF_ONE_MAX),
                            db_u64(IDEMPOTENCY_OF_ONE_MAX_BYTES)));
    return TRACE(r);
}

int idempotency_tick(struct site *site)
{
    int r = db_must(site->db,
                    SQL_IDEMPOTENCY_TRIM,
                    DB_ARGS(db_u64(site->now_us > DAY_US ? site->now_us - DAY_US : 0)));

    /* to count them is to look at each: at first, and then when enough have come */
    if (r < 0 || (site->is_answers_trimmed && site->answer_bytes < TRIM_BYTES))
        return TRACE(r);
    site->is_answers_trimmed = true;
    site->answer_bytes = 0;
    return TRACE(
        db_must(site->db, SQL_IDEMPOTENCY_TRIM_BYTES, DB_ARGS(db_u64(IDEMPOTENCY_MAX_BYTES))));
}
