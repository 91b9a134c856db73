/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/oidc_token.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/own.h"
#include "site/oidc_fixture.h"
#include "site/site.h"

#define ISSUER "https://id.example.org"
#define CLIENT "slipway"
#define NONCE  "nonce-of-this-sign-in"
#define NOW_S  1800000000
#define NOW_US (UINT64_C(1800000000) * 1000000)

enum {
    RSA,
    EC,
    OTHER, /* RSA, whose public part nobody has */
    N_KEYS,
};

static struct oidc_fixture_key *keys[N_KEYS];
static json_t *known; /* of RSA and EC */

static const struct oidc_expected expected = {
    .issuer = ISSUER,
    .client_id = CLIENT,
    .nonce = NONCE,
    .groups_claim = "groups",
    .name_claim = "preferred_username",
    .now_us = NOW_US,
};

static json_t *good_claims(void)
{
    return json_pack("{s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:[s, s]}",
                     "iss",
                     ISSUER,
                     "sub",
                     "u-1",
                     "aud",
                     CLIENT,
                     "exp",
                     NOW_S + 300,
                     "iat",
                     NOW_S - 1,
                     "nonce",
                     NONCE,
                     "preferred_username",
                     "Ada",
                     "groups",
                     "admins",
                     "desks");
}

static json_t *header_of(const char *alg, const char *kid)
{
    return json_pack("{s:s, s:s}", "alg", alg, "kid", kid);
}

/* Return: the outcome. */
static int check(const char *token, struct oidc_claims *claims, char why[static OIDC_WHY_MAX])
{
    return oidc_token_check(bytes_of(token), known, &expected, claims, why);
}

static void assert_refused(const char *token, int outcome, const char *words)
{
    struct oidc_claims claims = {.groups = NULL};
    char why[OIDC_WHY_MAX] = "";

    assert_int_equal(check(token, &claims, why), outcome);
    assert_null(claims.groups);
    if (!strstr(why, words))
        fail_msg("\"%s\" is not about \"%s\"", why, words);
}

/* The good one, with one claim otherwise; NULL: without it. @value: taken over */
static void assert_claim_refused(const char *name, json_t *value, const char *words)
{
    OWN(json_freep) json_t *claims = good_claims();
    OWN(freep) char *token = NULL;

    if (value)
        assert_int_equal(json_object_set_new(claims, name, value), 0);
    else
        assert_int_equal(json_object_del(claims, name), 0);
    token = oidc_fixture_sign(keys[RSA], header_of("RS256", "rsa"), claims);
    assert_refused(token, OIDC_E_WRONG, words);
}

static void assert_header_refused(const char *name, json_t *value, const char *words)
{
    OWN(json_freep) json_t *claims = good_claims();
    OWN(freep) char *token = NULL;
    json_t *header = header_of("RS256", "rsa");

    assert_int_equal(json_object_set_new(header, name, value), 0);
    token = oidc_fixture_sign(keys[RSA], header, claims);
    assert_refused(token, OIDC_E_WRONG, words);
}

static void a_token_of_the_issuer_says_who_it_is(void **state)
{
    (void)state;
    static const struct {
        int key;
        const char *alg;
        const char *kid;
    } all[] = {{RSA, "RS256", "rsa"}, {EC, "ES256", "ec"}};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        OWN(json_freep) json_t *body = good_claims();
        OWN(oidc_claims_fini) struct oidc_claims claims = {.groups = NULL};
        OWN(freep)
        char *token = oidc_fixture_sign(keys[all[i].key], header_of(all[i].alg, all[i].kid), body);
        char why[OIDC_WHY_MAX] = "";

        assert_int_equal(check(token, &claims, why), 0);
        assert_string_equal(claims.subject, "u-1");
        assert_string_equal(claims.name, "Ada");
        assert_int_equal(json_array_size(claims.groups), 2);
    }
}

static void a_group_may_be_one_text_and_what_is_none_names_no_group(void **state)
{
    (void)state;
    OWN(json_freep) json_t *one = good_claims();
    OWN(json_freep) json_t *odd = good_claims();
    OWN(oidc_claims_fini) struct oidc_claims claims = {.groups = NULL};
    OWN(oidc_claims_fini) struct oidc_claims others = {.groups = NULL};
    OWN(freep) char *first = NULL;
    OWN(freep) char *second = NULL;
    char why[OIDC_WHY_MAX] = "";

    assert_int_equal(json_object_set_new(one, "groups", json_string("admins")), 0);
    assert_int_equal(json_object_set_new(odd, "groups", json_pack("[i, s, {}, n]", 1, "admins")),
                     0);
    first = oidc_fixture_sign(keys[RSA], header_of("RS256", "rsa"), one);
    second = oidc_fixture_sign(keys[RSA], header_of("RS256", "rsa"), odd);
    assert_int_equal(check(first, &claims, why), 0);
    assert_int_equal(check(second, &others, why), 0);
    assert_int_equal(json_array_size(claims.groups), 1);
    assert_int_equal(json_array_size(others.groups), 1);
}

static void claims_that_are_not_for_us_and_now_are_refused(void **state)
{
    (void)state;
    assert_claim_refused("iss", json_string(ISSUER "/"), "iss");
    assert_claim_refused("iss", NULL, "iss");
    assert_claim_refused("aud", json_string("somebody"), "aud");
    assert_claim_refused("aud", json_array(), "aud");
    assert_claim_refused("aud", json_pack("[s]", "slipway2"), "aud");
    assert_claim_refused("aud", json_pack("[s, s]", CLIENT, "other"), "azp");
    assert_claim_refused("azp", json_string("other"), "azp");
    assert_claim_refused("azp", json_true(), "azp");
    assert_claim_refused("exp", json_integer(NOW_S - 61), "exp");
    assert_claim_refused("exp", json_string("1900000000"), "ends");
    assert_claim_refused("exp", NULL, "ends");
    assert_claim_refused("iat", json_integer(NOW_S + 61), "iat");
    assert_claim_refused("iat", json_integer(NOW_S - 3600), "iat");
    assert_claim_refused("iat", NULL, "made");
    assert_claim_refused("nbf", json_integer(NOW_S + 61), "nbf");
    assert_claim_refused("nbf", json_string("now"), "nbf");
    assert_claim_refused("nonce", json_string("nonce-of-another"), "nonce");
    assert_claim_refused("nonce", NULL, "nonce");
    assert_claim_refused("sub", NULL, "sub");
    assert_claim_refused("sub", json_string(""), "sub");
    assert_claim_refused("sub", json_integer(1), "sub");
}

static void headers_that_name_their_own_key_are_refused(void **state)
{
    (void)state;
    assert_header_refused("jku", json_string("https://evil.example.org/keys"), "jku");
    assert_header_refused("x5u", json_string("https://evil.example.org/cert"), "x5u");
    assert_header_refused("jwk", json_object(), "jwk");
    assert_header_refused("x5c", json_array(), "x5c");
    assert_header_refused("crit", json_pack("[s]", "exp"), "crit");
    assert_header_refused("typ", json_string("at+jwt"), "type");
    assert_header_refused("alg", json_string("RS384"), "RS256");
}

static char *dump(json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);

    json_decref(value);
    assert_non_null(text);
    return text;
}

static void no_signature_and_one_with_the_public_key_are_refused(void **state)
{
    (void)state;
    OWN(freep) char *claims = dump(good_claims());
    OWN(freep) char *pem = oidc_fixture_pem(keys[RSA]);
    OWN(freep) char *document = oidc_fixture_keys(&keys[RSA], 1);
    static const char *const algs[] = {"none", "None", "HS256", ""};

    for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
        OWN(freep) char *header = dump(header_of(algs[i], "rsa"));
        OWN(freep) char *with_pem = oidc_fixture_forge(header, claims, pem);
        OWN(freep) char *with_keys = oidc_fixture_forge(header, claims, document);
        OWN(freep) char *bare = oidc_fixture_forge(header, claims, NULL);

        assert_refused(with_pem, OIDC_E_WRONG, "RS256");
        assert_refused(with_keys, OIDC_E_WRONG, "RS256");
        assert_refused(bare, OIDC_E_WRONG, "three parts");
    }
}

static void a_key_that_is_not_the_issuers_is_refused(void **state)
{
    (void)state;
    OWN(json_freep) json_t *claims = good_claims();
    OWN(freep) char *unknown = oidc_fixture_sign(keys[OTHER], header_of("RS256", "new"), claims);
    OWN(freep) char *under = oidc_fixture_sign(keys[OTHER], header_of("RS256", "rsa"), claims);
    OWN(freep) char *crossed = oidc_fixture_sign(keys[RSA], header_of("RS256", "ec"), claims);

    /* its issuer may have a new key */
    assert_refused(unknown, OIDC_E_KEY, "does not have");
    assert_refused(under, OIDC_E_WRONG, "signature");
    assert_refused(crossed, OIDC_E_WRONG, "another algorithm");
}

static void a_token_without_a_key_name_is_of_the_only_key(void **state)
{
    (void)state;
    OWN(json_freep) json_t *body = good_claims();
    OWN(freep)
    char *token = oidc_fixture_sign(keys[RSA], json_pack("{s:s}", "alg", "RS256"), body);
    OWN(oidc_claims_fini) struct oidc_claims claims = {.groups = NULL};
    OWN(freep) char *document = NULL;
    OWN(json_freep) json_t *two = NULL;
    char why[OIDC_WHY_MAX] = "";

    assert_int_equal(check(token, &claims, why), 0);
    document = oidc_fixture_keys((struct oidc_fixture_key *const[]){keys[RSA], keys[OTHER]}, 2);
    assert_int_equal(oidc_keys_parse(bytes_of(document), &two, why), 0);
    assert_int_equal(oidc_token_check(bytes_of(token), two, &expected, &claims, why), OIDC_E_WRONG);
    assert_non_null(strstr(why, "several keys"));
}

static void a_changed_letter_anywhere_is_refused(void **state)
{
    (void)state;
    OWN(json_freep) json_t *body = good_claims();
    OWN(freep) char *token = oidc_fixture_sign(keys[EC], header_of("ES256", "ec"), body);

    for (size_t at = 0; token[at]; at++) {
        char was = token[at];
        struct oidc_claims claims = {.groups = NULL};
        char why[OIDC_WHY_MAX] = "";

        token[at] = was == 'A' ? 'B' : 'A';
        assert_true(check(token, &claims, why) > 0);
        token[at] = was;
    }
}

static void what_is_no_signed_token_is_refused(void **state)
{
    (void)state;
    OWN(freep) char *claims = dump(good_claims());
    OWN(freep)
    char *twice = oidc_fixture_forge("{\"alg\":\"RS256\",\"alg\":\"none\"}", claims, "x");
    OWN(freep) char *list = oidc_fixture_forge("[]", claims, "x");
    OWN(freep) char *long_one = malloc(OIDC_TOKEN_MAX_BYTES + 2);
    static const char *const all[] = {
        "", ".", "..", "a.b", "a.b.c.d.e", "a..c", ".b.c", "a.b.", "a b.c.d", "a.b.c=", "\xff.b.c"};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        assert_refused(all[i], OIDC_E_WRONG, "three parts");
    assert_refused("a.b.c", OIDC_E_WRONG, "header");
    assert_refused(twice, OIDC_E_WRONG, "header");
    assert_refused(list, OIDC_E_WRONG, "header");
    assert_non_null(long_one);
    memset(long_one, 'a', OIDC_TOKEN_MAX_BYTES + 1);
    long_one[OIDC_TOKEN_MAX_BYTES + 1] = '\0';
    assert_refused(long_one, OIDC_E_WRONG, "too long");
}

static void more_groups_than_are_looked_at_let_nobody_in(void **state)
{
    (void)state;
    json_t *many = json_array();

    for (int i = 0; i <= OIDC_GROUPS_MAX; i++)
        (void)json_array_append_new(many, json_string("g"));
    assert_claim_refused("groups", many, "more groups");
}

static size_t count_keys(const char *text)
{
    OWN(json_freep) json_t *ret = NULL;
    char why[OIDC_WHY_MAX] = "";

    assert_int_equal(oidc_keys_parse(bytes_of(text), &ret, why), 0);
    return json_array_size(ret);
}

static void keys_that_are_weak_or_private_or_for_something_else_are_left_out(void **state)
{
    (void)state;
    static const char *const unfit[] = {
        "{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"x\"}",
        "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"a\",\"y\":\"b\"}",
        "{}",
        "[]",
        "1",
    };
    OWN(freep) char *good = oidc_fixture_keys(&keys[RSA], 1);
    OWN(json_freep) json_t *document = json_loads(good, 0, NULL);
    json_t *key = json_array_get(json_object_get(document, "keys"), 0);
    OWN(freep) char *for_encryption = NULL;
    OWN(freep) char *with_private = NULL;

    assert_int_equal(count_keys(good), 1);
    for (size_t i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++) {
        char text[256];

        (void)snprintf(text, sizeof(text), "{\"keys\":[%s]}", unfit[i]);
        assert_int_equal(count_keys(text), 0);
    }
    (void)json_object_set_new(key, "use", json_string("enc"));
    for_encryption = json_dumps(document, 0);
    assert_int_equal(count_keys(for_encryption), 0);
    (void)json_object_del(key, "use");
    (void)json_object_set_new(key, "d", json_string("AQAB"));
    with_private = json_dumps(document, 0);
    assert_int_equal(count_keys(with_private), 0);
}

static void what_holds_no_keys_is_said(void **state)
{
    (void)state;
    static const char *const all[] = {"", "{}", "[]", "{\"keys\":{}}", "{\"keys\":[],\"keys\":[]}"};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        OWN(json_freep) json_t *ret = NULL;
        char why[OIDC_WHY_MAX] = "";

        assert_int_equal(oidc_keys_parse(bytes_of(all[i]), &ret, why), 1);
        assert_non_null(strstr(why, "keys"));
    }
}

/* cjose ends the program when it meets them. */
static void keys_whose_numbers_are_no_base64url_are_left_out(void **state)
{
    (void)state;
    static const struct {
        int key;
        const char *name;
        const char *letters;
    } all[] = {
        {RSA, "n", "="}, {RSA, "n", "+"}, {RSA, "n", "\xc3\xa4"}, {EC, "x", "="}, {EC, "y", "\n"}};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        OWN(freep) char *good = oidc_fixture_keys(&keys[all[i].key], 1);
        OWN(freep) char *bad = NULL;
        OWN(json_freep) json_t *document = json_loads(good, 0, NULL);
        json_t *key = json_array_get(json_object_get(document, "keys"), 0);
        OWN(freep) char *value = strdup(json_string_value(json_object_get(key, all[i].name)));

        (void)memcpy(value + 8, all[i].letters, strlen(all[i].letters));
        assert_int_equal(json_object_set_new(key, all[i].name, json_string(value)), 0);
        bad = json_dumps(document, 0);
        assert_int_equal(count_keys(bad), 0);
    }
}

/* One letter more than bytes have. */
static void a_key_whose_exponent_is_cut_is_left_out(void **state)
{
    (void)state;
    OWN(freep) char *good = oidc_fixture_keys(&keys[RSA], 1);
    OWN(freep) char *bad = NULL;
    OWN(json_freep) json_t *document = json_loads(good, 0, NULL);
    json_t *key = json_array_get(json_object_get(document, "keys"), 0);

    assert_int_equal(json_object_set_new(key, "e", json_string("AQABA")), 0);
    bad = json_dumps(document, 0);
    assert_int_equal(count_keys(bad), 0);
}

static void a_token_whose_claims_are_no_base64url_is_refused(void **state)
{
    (void)state;
    OWN(json_freep) json_t *body = good_claims();
    OWN(freep) char *token = oidc_fixture_sign(keys[EC], header_of("ES256", "ec"), body);
    const char *claims = strchr(token, '.') + 1;
    const char *end = strchr(claims, '.');

    for (int n = 1; n <= 4; n++) {
        OWN(freep) char *cut = NULL;

        assert_true(asprintf(&cut, "%.*s%s", (int)(claims - token) + n, token, end) > 0);
        assert_refused(cut, OIDC_E_WRONG, n == 1 ? "claims cannot be read" : "");
    }
}

static int make_keys(void **state)
{
    (void)state;
    OWN(freep) char *document = NULL;
    char why[OIDC_WHY_MAX];

    keys[RSA] = oidc_fixture_key_new("rsa", true);
    keys[EC] = oidc_fixture_key_new("ec", false);
    keys[OTHER] = oidc_fixture_key_new("other", true);
    document = oidc_fixture_keys(keys, 2);
    return oidc_keys_parse(bytes_of(document), &known, why);
}

static int drop_keys(void **state)
{
    (void)state;
    json_decref(known);
    for (size_t i = 0; i < N_KEYS; i++)
        oidc_fixture_key_free(keys[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_of_the_issuer_says_who_it_is),
        cmocka_unit_test(a_group_may_be_one_text_and_what_is_none_names_no_group),
        cmocka_unit_test(claims_that_are_not_for_us_and_now_are_refused),
        cmocka_unit_test(headers_that_name_their_own_key_are_refused),
        cmocka_unit_test(no_signature_and_one_with_the_public_key_are_refused),
        cmocka_unit_test(a_key_that_is_not_the_issuers_is_refused),
        cmocka_unit_test(a_token_without_a_key_name_is_of_the_only_key),
        cmocka_unit_test(a_changed_letter_anywhere_is_refused),
        cmocka_unit_test(what_is_no_signed_token_is_refused),
        cmocka_unit_test(more_groups_than_are_looked_at_let_nobody_in),
        cmocka_unit_test(keys_that_are_weak_or_private_or_for_something_else_are_left_out),
        cmocka_unit_test(keys_whose_numbers_are_no_base64url_are_left_out),
        cmocka_unit_test(a_key_whose_exponent_is_cut_is_left_out),
        cmocka_unit_test(a_token_whose_claims_are_no_base64url_is_refused),
        cmocka_unit_test(what_holds_no_keys_is_said),
    };

    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
