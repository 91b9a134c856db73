/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/cursor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "plat/random.h"
#include "site/site.h"

#define KEY_NAME "cursor"

enum {
    CODE_BYTES = 16,
    PLACE_MAX_BYTES = 4500, /* with the code, as base64, it is not longer than CURSOR_TEXT_MAX */
    KEY_TEXT_BYTES = 2 * SITE_KEY_BYTES + 1,
};

int cursor_make_key(struct site *site)
{
    uint8_t key[SITE_KEY_BYTES];
    char text[KEY_TEXT_BYTES];

    random_bytes(key, sizeof(key));
    (void)sodium_bin2hex(text, sizeof(text), key, sizeof(key));
    return TRACE(db_must(site->db, SQL_SECRET_ADD, DB_ARGS(db_text(KEY_NAME), db_text(text))));
}

/* Kept in memory once it is known: it never changes. */
static int load_key(struct site *site)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    size_t len = 0;
    int r;

    if (site->has_cursor_key)
        return 0;
    r = db_first(site->db, SQL_SECRET_GET, DB_ARGS(db_text(KEY_NAME)), &rows);
    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : ERR(-ENOKEY);
    if (sodium_hex2bin(site->cursor_key,
                       sizeof(site->cursor_key),
                       db_get_text(&rows, 0),
                       strlen(db_get_text(&rows, 0)),
                       NULL,
                       &len,
                       NULL) != 0 ||
        len != sizeof(site->cursor_key))
        return ERR(-EBADMSG);
    site->has_cursor_key = true;
    return 0;
}

/* Of the question, its end, and the place. */
static void put_code(const struct site *site,
                     const char *question,
                     const uint8_t *place,
                     size_t len,
                     uint8_t ret[static CODE_BYTES])
{
    crypto_generichash_state state;

    (void)crypto_generichash_init(&state, site->cursor_key, sizeof(site->cursor_key), CODE_BYTES);
    (void)crypto_generichash_update(&state, (const uint8_t *)question, strlen(question) + 1);
    (void)crypto_generichash_update(&state, place, len);
    (void)crypto_generichash_final(&state, ret, CODE_BYTES);
}

int cursor_put(struct site *site,
               const char *question,
               const json_t *place,
               char ret[static CURSOR_TEXT_MAX])
{
    uint8_t bytes[CODE_BYTES + PLACE_MAX_BYTES];
    size_t len = json_dumpb(
        place, (char *)bytes + CODE_BYTES, PLACE_MAX_BYTES, JSON_COMPACT | JSON_ENCODE_ANY);
    int r = load_key(site);

    if (r < 0)
        return TRACE(r);
    if (len == 0 || len > PLACE_MAX_BYTES)
        return CURSOR_E_TOO_LONG;
    put_code(site, question, bytes + CODE_BYTES, len, bytes);
    (void)sodium_bin2base64(
        ret, CURSOR_TEXT_MAX, bytes, CODE_BYTES + len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return 0;
}

int cursor_parse(struct site *site, const char *question, const char *text, json_t **ret)
{
    uint8_t bytes[CODE_BYTES + PLACE_MAX_BYTES];
    uint8_t code[CODE_BYTES];
    size_t len = 0;
    int r = load_key(site);

    if (r < 0)
        return TRACE(r);
    if (sodium_base642bin(bytes,
                          sizeof(bytes),
                          text,
                          strlen(text),
                          NULL,
                          &len,
                          NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        len <= CODE_BYTES)
        return CURSOR_E_FOREIGN;
    put_code(site, question, bytes + CODE_BYTES, len - CODE_BYTES, code);
    if (sodium_memcmp(code, bytes, CODE_BYTES) != 0)
        return CURSOR_E_FOREIGN;
    *ret = json_loadb((const char *)bytes + CODE_BYTES, len - CODE_BYTES, JSON_DECODE_ANY, NULL);
    return *ret ? 0 : CURSOR_E_FOREIGN;
}
