/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/challenge.h"

#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "db/db.h"
#include "plat/random.h"
#include "site/secret.h"

#define KEY_NAME "challenge"
#define PREFIX   "slw_challenge_"

enum {
    TIME_BYTES = 8,
    RANDOM_BYTES = 16,
    CODE_BYTES = CHALLENGE_CODE_BYTES,
    ALL_BYTES = TIME_BYTES + RANDOM_BYTES + CODE_BYTES,
};

_Static_assert(sizeof(PREFIX) + (size_t)2 * ALL_BYTES <= CHALLENGE_TEXT_MAX,
               "a challenge fits its text");

int challenge_make_key(struct site *site)
{
    return TRACE(secret_make(site, KEY_NAME));
}

/* Kept in memory once it is known: it never changes. */
static int load_key(struct site *site)
{
    int r = site->has_challenge_key ? 0 : secret_load(site, KEY_NAME, site->challenge_key);

    site->has_challenge_key = r == 0;
    return TRACE(r);
}

static void put_code(const uint8_t key[static SITE_KEY_BYTES],
                     const uint8_t *src,
                     uint8_t ret[static CODE_BYTES])
{
    (void)crypto_generichash(ret, CODE_BYTES, src, TIME_BYTES + RANDOM_BYTES, key, SITE_KEY_BYTES);
}

/* Challenges of this time and before are forgotten, or were never made. @ret: 0: none are */
static int find_forgotten(struct site *site, uint64_t *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_CHALLENGE_FORGOTTEN, DB_NO_ARGS, &rows);

    *ret = r == DB_ROW ? db_get_u64(&rows, 0) : 0;
    return r < 0 ? TRACE(r) : 0;
}

/* The time, or what it was before somebody set the clock back. */
static int find_now(struct site *site, uint64_t *ret_now, uint64_t *ret_forgotten)
{
    uint64_t least;
    int r = find_forgotten(site, ret_forgotten);

    least = *ret_forgotten > 0 ? *ret_forgotten + CHALLENGE_LIFE_US + CHALLENGE_SKEW_US : 0;
    *ret_now = site->now_us > least ? site->now_us : least;
    return TRACE(r);
}

int challenge_put(struct site *site, char ret[static CHALLENGE_TEXT_MAX])
{
    uint8_t all[ALL_BYTES];
    struct sink time = {.ptr = all, .cap = TIME_BYTES};
    uint64_t now_us = 0;
    uint64_t forgotten_us = 0;
    int r = load_key(site);

    if (r == 0)
        r = find_now(site, &now_us, &forgotten_us);
    if (r < 0)
        return TRACE(r);
    sink_u64le(&time, now_us);
    random_bytes(all + TIME_BYTES, RANDOM_BYTES);
    put_code(site->challenge_key, all, all + TIME_BYTES + RANDOM_BYTES);
    memcpy(ret, PREFIX, sizeof(PREFIX));
    hex_put(ret + strlen(PREFIX), (struct bytes){all, sizeof(all)});
    return 0;
}

bool challenge_parse(const uint8_t key[static SITE_KEY_BYTES],
                     const char *text,
                     uint64_t *ret_time_us,
                     uint8_t ret_code[static CHALLENGE_CODE_BYTES])
{
    uint8_t all[ALL_BYTES];
    struct bytes time = {all, TIME_BYTES};

    if (strncmp(text, PREFIX, strlen(PREFIX)) != 0 ||
        !hex_parse(bytes_of(text + strlen(PREFIX)), sizeof(all), all))
        return false;
    put_code(key, all, ret_code);
    return sodium_memcmp(ret_code, all + TIME_BYTES + RANDOM_BYTES, CODE_BYTES) == 0 &&
           bytes_take_u64le(&time, ret_time_us);
}

int challenge_check(struct site *site, const char *text, bool *ret)
{
    uint8_t code[CODE_BYTES];
    uint64_t time_us = 0;
    uint64_t now_us = 0;
    uint64_t forgotten_us = 0;
    int r = load_key(site);

    *ret = false;
    if (r == 0)
        r = find_now(site, &now_us, &forgotten_us);
    if (r < 0 || !challenge_parse(site->challenge_key, text, &time_us, code))
        return TRACE(r);
    *ret = time_us > forgotten_us && time_us <= now_us + CHALLENGE_SKEW_US &&
           now_us <= time_us + CHALLENGE_LIFE_US;
    return 0;
}

int challenge_use(struct site *site, const char *text, bool *ret)
{
    uint8_t code[CODE_BYTES];
    char key[2 * CODE_BYTES + 1];
    uint64_t time_us = 0;
    uint64_t changes = 0;
    int r = load_key(site);

    *ret = false;
    if (r < 0 || !challenge_parse(site->challenge_key, text, &time_us, code))
        return TRACE(r);
    hex_put(key, (struct bytes){code, sizeof(code)});
    r = db_run(site->db, SQL_CHALLENGE_USE, DB_ARGS(db_text(key), db_u64(time_us)), &changes);
    *ret = r == 0 && changes == 1;
    return r < 0 ? TRACE(r) : 0;
}

int challenge_derive(struct site *site, struct bytes about, size_t len, uint8_t *ret)
{
    int r = load_key(site);

    if (r < 0)
        return TRACE(r);
    return crypto_generichash(
               ret, len, about.ptr, about.len, site->challenge_key, SITE_KEY_BYTES) == 0
               ? 0
               : ERR(-EINVAL);
}

int challenge_expire(struct site *site)
{
    uint64_t age_us = CHALLENGE_LIFE_US + CHALLENGE_SKEW_US;
    uint64_t until_us = site->now_us > age_us ? site->now_us - age_us : 0;
    uint64_t changes = 0;
    int r = db_run(site->db, SQL_CHALLENGE_EXPIRE, DB_ARGS(db_u64(until_us)), &changes);

    if (r != 0 || changes == 0)
        return TRACE(r);
    return TRACE(db_must(site->db, SQL_CHALLENGE_FORGET, DB_ARGS(db_u64(until_us))));
}
