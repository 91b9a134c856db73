/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/oidc_fixture.h"

#include <cjose/cjose.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "site/site.h"

enum {
    RSA_BITS = 2048,
    TEXT_MAX = 64 * 1024,
};

struct oidc_fixture_key {
    cjose_jwk_t *jwk;
};

/* In a test nothing can be done about it. */
static void must(bool is_so)
{
    if (!is_so)
        abort();
}

struct oidc_fixture_key *oidc_fixture_key_new(const char *kid, bool is_rsa)
{
    static const uint8_t exponent[] = {1, 0, 1};
    struct oidc_fixture_key *key = calloc(1, sizeof(*key));
    cjose_err err;

    must(key != NULL && sodium_init() >= 0);
    key->jwk = is_rsa ? cjose_jwk_create_RSA_random(RSA_BITS, exponent, sizeof(exponent), &err)
                      : cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &err);
    must(key->jwk && cjose_jwk_set_kid(key->jwk, kid, strlen(kid), &err));
    return key;
}

void oidc_fixture_key_free(struct oidc_fixture_key *key)
{
    if (!key)
        return;
    (void)cjose_jwk_release(key->jwk);
    free(key);
}

char *oidc_fixture_keys(struct oidc_fixture_key *const *keys, size_t n)
{
    OWN(json_freep) json_t *document = json_pack("{s:[]}", "keys");
    char *text;

    for (size_t i = 0; i < n; i++) {
        cjose_err err;
        char *one = cjose_jwk_to_json(keys[i]->jwk, false, &err);

        must(one != NULL);
        must(json_array_append_new(json_object_get(document, "keys"), json_loads(one, 0, NULL)) ==
             0);
        free(one);
    }
    text = json_dumps(document, 0);
    must(text != NULL);
    return text;
}

char *oidc_fixture_sign(struct oidc_fixture_key *key, json_t *header, const json_t *claims)
{
    OWN(json_freep) json_t *owned = header;
    OWN(freep) char *text = json_dumps(claims, JSON_COMPACT);
    cjose_err err;
    const char *compact = NULL;
    cjose_jws_t *jws;
    char *ret;

    must(text != NULL);
    jws = cjose_jws_sign(
        key->jwk, (cjose_header_t *)owned, (const uint8_t *)text, strlen(text), &err);
    must(jws && cjose_jws_export(jws, &compact, &err));
    ret = strdup(compact);
    must(ret != NULL);
    cjose_jws_release(jws);
    return ret;
}

static void put_base64(struct buf *dst, struct bytes src)
{
    OWN(freep)
    char *text =
        malloc(sodium_base64_ENCODED_LEN(src.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING));

    must(text != NULL);
    buf_adds(dst,
             sodium_bin2base64(
                 text,
                 sodium_base64_ENCODED_LEN(src.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                 src.ptr,
                 src.len,
                 sodium_base64_VARIANT_URLSAFE_NO_PADDING));
}

char *oidc_fixture_forge(const char *header, const char *claims, const char *secret)
{
    OWN(buf_fini) struct buf token = BUF_INIT(TEXT_MAX);
    unsigned char tag[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    char *ret;

    put_base64(&token, bytes_of(header));
    buf_adds(&token, ".");
    put_base64(&token, bytes_of(claims));
    if (secret) {
        (void)crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret, strlen(secret));
        (void)crypto_auth_hmacsha256_update(&state, (const unsigned char *)token.ptr, token.len);
        (void)crypto_auth_hmacsha256_final(&state, tag);
    }
    buf_adds(&token, ".");
    if (secret)
        put_base64(&token, (struct bytes){tag, sizeof(tag)});
    ret = strdup(buf_str(&token));
    must(ret != NULL);
    return ret;
}

/* A number of the public key. */
static BIGNUM *number_of(const json_t *jwk, const char *name)
{
    const char *text = json_string_value(json_object_get(jwk, name));
    uint8_t bytes[RSA_BITS / 8];
    size_t len = 0;

    must(text && sodium_base642bin(bytes,
                                   sizeof(bytes),
                                   text,
                                   strlen(text),
                                   NULL,
                                   &len,
                                   NULL,
                                   sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0);
    return BN_bin2bn(bytes, (int)len, NULL);
}

static EVP_PKEY *public_key(const json_t *jwk)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    BIGNUM *n = number_of(jwk, "n");
    BIGNUM *e = number_of(jwk, "e");
    OSSL_PARAM *params;
    EVP_PKEY *ret = NULL;

    must(build && ctx && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
         OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1);
    params = OSSL_PARAM_BLD_to_param(build);
    must(params && EVP_PKEY_fromdata_init(ctx) == 1 &&
         EVP_PKEY_fromdata(ctx, &ret, EVP_PKEY_PUBLIC_KEY, params) == 1);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    BN_free(n);
    BN_free(e);
    return ret;
}

char *oidc_fixture_pem(struct oidc_fixture_key *key)
{
    cjose_err err;
    OWN(freep) char *json = cjose_jwk_to_json(key->jwk, false, &err);
    OWN(json_freep) json_t *jwk = json ? json_loads(json, 0, NULL) : NULL;
    EVP_PKEY *pkey = public_key(jwk);
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len;
    char *ret;

    must(out && PEM_write_bio_PUBKEY(out, pkey) == 1);
    len = BIO_get_mem_data(out, &text);
    ret = strndup(text, (size_t)len);
    must(ret != NULL);
    BIO_free(out);
    EVP_PKEY_free(pkey);
    return ret;
}
