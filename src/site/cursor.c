/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/cursor.h"

#include <string.h>

#include <sodium.h>

#include "base/err.h"
#include "site/secret.h"
#include "site/site.h"

#define KEY_NAME "cursor"

enum {
    CODE_BYTES = 16,
    PLACE_MAX_BYTES = 4500, /* with the code, as base64, it is not longer than CURSOR_TEXT_MAX */
};

int cursor_make_key(struct site *site)
{
    return TRACE(secret_make(site, KEY_NAME));
}

/* Kept in memory once it is known: it never changes. */
static int load_key(struct site *site)
{
    int r = site->has_cursor_key ? 0 : secret_load(site, KEY_NAME, site->cursor_key);

    site->has_cursor_key = r == 0;
    return TRACE(r);
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
