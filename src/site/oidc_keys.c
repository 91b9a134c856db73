/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/oidc_token.h"
#include "site/site.h"

/* Lengths in base64url. */
enum {
    MODULUS_MIN = 342,  /* 2048 bits */
    MODULUS_MAX = 1366, /* 8192 bits: more would take long */
    EXPONENT_MAX = 6,
    COORDINATE = 43, /* of P-256 */
    KID_MAX = 255,
};

/* Of a public key; what has more, has private parts. */
static const char *const members[] = {"kty", "kid", "alg", "n", "e", "crv", "x", "y"};

static size_t length_of(const json_t *key, const char *name)
{
    return json_string_length(json_object_get(key, name));
}

/* Checked before cjose sees it, whose decoder asserts that it is. */
static bool is_base64url(const json_t *key, const char *name)
{
    const char *text = json_string_value(json_object_get(key, name));
    uint8_t ret[MODULUS_MAX];
    size_t len = 0;

    return text && oidc_base64url_parse(bytes_of(text), ret, sizeof(ret), &len);
}

static bool is(const json_t *key, const char *name, const char *text)
{
    const char *value = json_string_value(json_object_get(key, name));

    return value && strcmp(value, text) == 0;
}

static bool is_rsa(const json_t *key)
{
    size_t n = length_of(key, "n");
    size_t e = length_of(key, "e");

    return is(key, "kty", "RSA") && n >= MODULUS_MIN && n <= MODULUS_MAX && e > 0 &&
           e <= EXPONENT_MAX && is_base64url(key, "n") && is_base64url(key, "e");
}

static bool is_p256(const json_t *key)
{
    return is(key, "kty", "EC") && is(key, "crv", "P-256") && length_of(key, "x") == COORDINATE &&
           length_of(key, "y") == COORDINATE && is_base64url(key, "x") && is_base64url(key, "y");
}

/* A key whose private part is shown is everybody's. */
static bool is_fit(const json_t *key)
{
    return (is_rsa(key) || is_p256(key)) && !json_object_get(key, "d") &&
           (!json_object_get(key, "use") || is(key, "use", "sig")) &&
           length_of(key, "kid") <= KID_MAX;
}

static int take_key(const json_t *key, json_t *dst)
{
    OWN(json_freep) json_t *copy = json_object();

    if (!copy)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        json_t *value = json_object_get(key, members[i]);

        if (json_is_string(value) && json_object_set(copy, members[i], value) < 0)
            return ERR(-ENOMEM);
    }
    return json_array_append(dst, copy) < 0 ? ERR(-ENOMEM) : 0;
}

int oidc_keys_parse(struct bytes text, json_t **ret, char why[static OIDC_WHY_MAX])
{
    OWN(json_freep)
    json_t *document = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    OWN(json_freep) json_t *fit = json_array();
    const json_t *keys = json_object_get(document, "keys");

    if (!fit)
        return ERR(-ENOMEM);
    if (!json_is_array(keys) || json_array_size(keys) > OIDC_KEYS_MAX) {
        (void)snprintf(why, OIDC_WHY_MAX, "its keys cannot be read");
        return 1;
    }
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);
        int r = is_fit(key) ? take_key(key, fit) : 0;

        if (r < 0)
            return TRACE(r);
    }
    *ret = TAKE(fit);
    return 0;
}
