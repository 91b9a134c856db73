/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "plat/signature.h"

#include <errno.h>
#include <stddef.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/err.h"
#include "base/own.h"

DEFINE_FREEP(EVP_PKEY *, EVP_PKEY_free);
DEFINE_FREEP(EVP_MD_CTX *, EVP_MD_CTX_free);

static int load_secret(const uint8_t secret[static SIGNATURE_KEY_BYTES], EVP_PKEY **ret)
{
    *ret = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, SIGNATURE_KEY_BYTES);
    return *ret ? 0 : ERR(-EIO);
}

int signature_public(const uint8_t secret[static SIGNATURE_KEY_BYTES],
                     uint8_t ret[static SIGNATURE_KEY_BYTES])
{
    OWN(EVP_PKEY_freep) EVP_PKEY *key = NULL;
    size_t len = SIGNATURE_KEY_BYTES;
    int r = load_secret(secret, &key);

    if (r < 0)
        return TRACE(r);
    return EVP_PKEY_get_raw_public_key(key, ret, &len) == 1 ? 0 : ERR(-EIO);
}

int signature_make(const uint8_t secret[static SIGNATURE_KEY_BYTES],
                   struct bytes text,
                   uint8_t ret[static SIGNATURE_BYTES])
{
    OWN(EVP_PKEY_freep) EVP_PKEY *key = NULL;
    OWN(EVP_MD_CTX_freep) EVP_MD_CTX *md = EVP_MD_CTX_new();
    size_t len = SIGNATURE_BYTES;
    int r = md ? load_secret(secret, &key) : ERR(-ENOMEM);

    if (r < 0)
        return TRACE(r);
    if (EVP_DigestSignInit(md, NULL, NULL, NULL, key) != 1 ||
        EVP_DigestSign(md, ret, &len, text.ptr, text.len) != 1)
        return ERR(-EIO);
    return 0;
}

int signature_check(const uint8_t public_half[static SIGNATURE_KEY_BYTES],
                    struct bytes text,
                    const uint8_t signature[static SIGNATURE_BYTES],
                    bool *ret)
{
    OWN(EVP_PKEY_freep) EVP_PKEY *key = NULL;
    OWN(EVP_MD_CTX_freep) EVP_MD_CTX *md = EVP_MD_CTX_new();

    if (!md)
        return ERR(-ENOMEM);
    key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_half, SIGNATURE_KEY_BYTES);
    if (!key || EVP_DigestVerifyInit(md, NULL, NULL, NULL, key) != 1)
        return ERR(-EIO);
    *ret = EVP_DigestVerify(md, signature, SIGNATURE_BYTES, text.ptr, text.len) == 1;
    ERR_clear_error(); /* what OpenSSL remembers of a wrong one */
    return 0;
}
