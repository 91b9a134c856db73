/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/oidc_token.h"

#include <cjose/cjose.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/site.h"

enum {
    N_PARTS = 3,
    US_PER_S = 1000000,
};

DEFINE_FREEP(cjose_jws_t *, cjose_jws_release);

static void jwk_freep(cjose_jwk_t **p)
{
    if (*p)
        (void)cjose_jwk_release(*p);
}

/* Algorithms (RFC 7518), each with the one kind of key that it takes. */
static const struct algorithm {
    const char *name;
    const char *kty;
} algorithms[] = {{"RS256", "RSA"}, {"ES256", "EC"}};

void oidc_claims_fini(struct oidc_claims *claims)
{
    json_decref(claims->groups);
    claims->groups = NULL;
}

static int wrong(char why[static OIDC_WHY_MAX], const char *text)
{
    (void)snprintf(why, OIDC_WHY_MAX, "%s", text);
    return OIDC_E_WRONG;
}

/* "" if it is no text. */
static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static bool is_letter(uint8_t c)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    return c != '\0' && strchr(letters, c);
}

/* header.payload.signature, of which none is empty and each is base64url. */
static bool split(struct bytes token, struct bytes parts[static N_PARTS])
{
    size_t n = 0;

    parts[0] = (struct bytes){token.ptr, 0};
    for (size_t i = 0; i < token.len; i++) {
        if (token.ptr[i] == '.') {
            if (parts[n].len == 0 || ++n >= N_PARTS)
                return false;
            parts[n] = (struct bytes){token.ptr + i + 1, 0};
        } else if (is_letter(token.ptr[i])) {
            parts[n].len++;
        } else {
            return false;
        }
    }
    return n == N_PARTS - 1 && parts[n].len > 0;
}

bool oidc_base64url_parse(struct bytes text, uint8_t *ret, size_t max, size_t *ret_len)
{
    for (size_t i = 0; i < text.len; i++) /* libsodium takes bytes from 0x80 on as some letter */
        if (!is_letter(text.ptr[i]))
            return false;
    return sodium_base642bin(ret,
                             max,
                             (const char *)text.ptr,
                             text.len,
                             NULL,
                             ret_len,
                             NULL,
                             sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0;
}

/* Return: NULL if it is not an object of JSON, each member once. */
static json_t *parse_part(struct bytes part)
{
    uint8_t text[OIDC_TOKEN_MAX_BYTES];
    size_t len = 0;

    if (!oidc_base64url_parse(part, text, sizeof(text), &len))
        return NULL;
    return json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, NULL);
}

/* A header that names a key of its own, or asks for something that we do not know, is refused, whatever it says. */
static const struct algorithm *find_algorithm(const json_t *header, char why[static OIDC_WHY_MAX])
{
    static const char *const refused[] = {"jku", "x5u", "jwk", "x5c", "crit", "enc", "zip", "b64"};
    const char *type = text_of(header, "typ");

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (json_object_get(header, refused[i])) {
            (void)snprintf(why, OIDC_WHY_MAX, "the token's header has %s", refused[i]);
            return NULL;
        }
    if (type[0] && !bytes_eq_nocase(bytes_of(type), "jwt")) {
        (void)wrong(why, "the token is of another type than JWT");
        return NULL;
    }
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
        if (strcmp(text_of(header, "alg"), algorithms[i].name) == 0)
            return &algorithms[i];
    (void)wrong(why, "the token is signed neither with RS256 nor with ES256");
    return NULL;
}

static bool is_for(const json_t *key, const struct algorithm *algorithm)
{
    const char *alg = text_of(key, "alg");

    return strcmp(text_of(key, "kty"), algorithm->kty) == 0 &&
           (!alg[0] || strcmp(alg, algorithm->name) == 0);
}

/* By its name; a token without one is of the only key there is. Return: NULL with @why and *@ret_r */
static const json_t *find_key(const json_t *keys,
                              const json_t *header,
                              const struct algorithm *algorithm,
                              char why[static OIDC_WHY_MAX],
                              int *ret_r)
{
    const char *kid = text_of(header, "kid");
    const json_t *found = NULL;
    bool is_named = false;
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);
        bool is_it = !kid[0] || strcmp(text_of(key, "kid"), kid) == 0;

        is_named |= is_it;
        if (!is_it || !is_for(key, algorithm))
            continue;
        found = key;
        n++;
    }
    if (n == 1)
        return found;
    *ret_r = is_named ? OIDC_E_WRONG : OIDC_E_KEY;
    (void)wrong(why,
                n > 1
                    ? "several keys may have signed the token"
                    : (is_named ? "the token's key is for another algorithm"
                                : "the token is signed with a key that the issuer does not have"));
    return NULL;
}

/* Return: 0, OIDC_E_WRONG or -ENOMEM. @ret: what was signed; owned by the caller */
static int
verify(struct bytes token, const json_t *key, json_t **ret, char why[static OIDC_WHY_MAX])
{
    OWN(jwk_freep) cjose_jwk_t *jwk = NULL;
    OWN(cjose_jws_releasep) cjose_jws_t *jws = NULL;
    char *text = json_dumps(key, JSON_COMPACT);
    uint8_t *payload = NULL;
    size_t len = 0;
    cjose_err err;

    if (!text)
        return ERR(-ENOMEM);
    jwk = cjose_jwk_import(text, strlen(text), &err);
    free(text);
    if (!jwk)
        return wrong(why, "the issuer's key cannot be used");
    jws = cjose_jws_import((const char *)token.ptr, token.len, &err);
    if (!jws || !cjose_jws_verify(jws, jwk, &err))
        return wrong(why, "the token's signature is not the issuer's");
    if (!cjose_jws_get_plaintext(jws, &payload, &len, &err))
        return wrong(why, "the token cannot be read");
    *ret = json_loadb((const char *)payload, len, JSON_REJECT_DUPLICATES, NULL);
    return json_is_object(*ret) ? 0 : wrong(why, "the token holds no claims");
}

/* A number of seconds; RFC 7519 lets it have a fraction. */
static bool get_time(const json_t *claims, const char *name, double *ret)
{
    const json_t *value = json_object_get(claims, name);

    *ret = json_number_value(value);
    return json_is_number(value) && *ret >= 0;
}

static const char *why_not_now(const json_t *claims, uint64_t now_us)
{
    double now_s = (double)now_us / US_PER_S;
    double at_s = 0;

    if (!get_time(claims, "exp", &at_s))
        return "the token does not say when it ends";
    if (now_s >= at_s + OIDC_SKEW_S)
        return "the token is over (exp)";
    if (!get_time(claims, "iat", &at_s))
        return "the token does not say when it was made";
    if (at_s > now_s + OIDC_SKEW_S)
        return "the token is from the future (iat): do the clocks go alike?";
    if (at_s + OIDC_FRESH_S + OIDC_SKEW_S < now_s)
        return "the token was made too long ago (iat)";
    if (!json_object_get(claims, "nbf"))
        return NULL;
    if (!get_time(claims, "nbf", &at_s) || at_s > now_s + OIDC_SKEW_S)
        return "the token is not good yet (nbf)";
    return NULL;
}

static bool is_among(const json_t *audience, const char *client_id)
{
    for (size_t i = 0; i < json_array_size(audience); i++) {
        const json_t *one = json_array_get(audience, i);

        if (json_is_string(one) && strcmp(json_string_value(one), client_id) == 0)
            return true;
    }
    return false;
}

static const char *why_not_us(const json_t *claims, const char *client_id)
{
    const json_t *audience = json_object_get(claims, "aud");
    const json_t *party = json_object_get(claims, "azp");
    bool is_us = json_is_array(audience) ? is_among(audience, client_id)
                                         : strcmp(text_of(claims, "aud"), client_id) == 0;

    if (!is_us)
        return "the token is for somebody else (aud)";
    if (!party && json_array_size(audience) > 1)
        return "the token is for several, and does not say who has asked for it (azp)";
    if (party && strcmp(text_of(claims, "azp"), client_id) != 0)
        return "somebody else has asked for the token (azp)";
    return NULL;
}

static const char *why_not(const json_t *claims, const struct oidc_expected *expected)
{
    const char *subject = text_of(claims, "sub");
    const char *why;

    if (strcmp(text_of(claims, "iss"), expected->issuer) != 0)
        return "the token is of another issuer (iss)";
    why = why_not_us(claims, expected->client_id);
    if (!why)
        why = why_not_now(claims, expected->now_us);
    if (why)
        return why;
    if (expected->nonce && strcmp(text_of(claims, "nonce"), expected->nonce) != 0)
        return "the token is of another sign-in (nonce)";
    if (!subject[0] || strlen(subject) >= OIDC_TEXT_MAX)
        return "the token does not say of whom it is (sub)";
    return NULL;
}

/* One text, or several. What is no text, or too long, names no group. */
static int take_groups(const json_t *value, json_t **ret)
{
    OWN(json_freep) json_t *groups = json_array();
    size_t n = json_is_array(value) ? json_array_size(value) : 1;

    if (!groups)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_is_array(value) ? json_array_get(value, i) : value;

        if (!json_is_string(one) || json_string_length(one) == 0 ||
            json_string_length(one) >= OIDC_TEXT_MAX)
            continue;
        if (json_array_append_new(groups, json_string(json_string_value(one))) < 0)
            return ERR(-ENOMEM);
    }
    *ret = TAKE(groups);
    return 0;
}

static int take_claims(const json_t *claims,
                       const struct oidc_expected *expected,
                       struct oidc_claims *ret,
                       char why[static OIDC_WHY_MAX])
{
    const json_t *groups = json_object_get(claims, expected->groups_claim);
    const char *name = text_of(claims, expected->name_claim);

    if (json_array_size(groups) > OIDC_GROUPS_MAX)
        return wrong(why, "the token names more groups than are looked at");
    *ret = (struct oidc_claims){.groups = NULL};
    (void)snprintf(ret->subject, sizeof(ret->subject), "%s", text_of(claims, "sub"));
    if (strlen(name) < sizeof(ret->name))
        (void)snprintf(ret->name, sizeof(ret->name), "%s", name);
    return TRACE(take_groups(groups, &ret->groups));
}

int oidc_token_check(struct bytes token,
                     const json_t *keys,
                     const struct oidc_expected *expected,
                     struct oidc_claims *ret,
                     char why[static OIDC_WHY_MAX])
{
    OWN(json_freep) json_t *header = NULL;
    OWN(json_freep) json_t *claims = NULL;
    uint8_t decoded[OIDC_TOKEN_MAX_BYTES];
    struct bytes parts[N_PARTS];
    size_t len = 0;
    const struct algorithm *algorithm;
    const json_t *key;
    const char *no;
    int r = 0;

    if (token.len > OIDC_TOKEN_MAX_BYTES)
        return wrong(why, "the token is too long");
    if (!split(token, parts))
        return wrong(why, "the token is not a signed one: it has not three parts");
    header = parse_part(parts[0]);
    if (!json_is_object(header))
        return wrong(why, "the token's header cannot be read");
    algorithm = find_algorithm(header, why);
    if (!algorithm)
        return OIDC_E_WRONG;
    if (!oidc_base64url_parse(parts[1], decoded, sizeof(decoded), &len))
        return wrong(why, "the token's claims cannot be read");
    if (!oidc_base64url_parse(parts[2], decoded, sizeof(decoded), &len))
        return wrong(why, "the token's signature cannot be read");
    key = find_key(keys, header, algorithm, why, &r);
    if (!key)
        return r;
    r = verify(token, key, &claims, why);
    if (r != 0)
        return TRACE(r);
    no = why_not(claims, expected);
    if (no)
        return wrong(why, no);
    return TRACE(take_claims(claims, expected, ret, why));
}
