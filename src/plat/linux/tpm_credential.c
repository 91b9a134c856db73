/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "plat/tpm_credential.h"

#include <errno.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/random.h"

enum {
    SEED_BYTES = 32,
    AES_KEY_BYTES = 16,
    AES_BLOCK_BYTES = 16,
    MODULUS_BYTES = 256,
    EXPONENT = 65537,
};

/* TPMT_PUBLIC of the default template for RSA 2048 up to the modulus (TCG EK Credential Profile, L-1). */
static const uint8_t template[] = {
    0x00, 0x01, /* RSA */
    0x00, 0x0b, /* its name is by SHA-256 */
    0x00, 0x03, 0x00, 0xb2, /* fixedTPM, fixedParent, sensitiveDataOrigin, adminWithPolicy, restricted, decrypt */
    0x00, 0x20, /* PolicySecret of the endorsement hierarchy */
    0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46,
    0xa5, 0xd7, 0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1,
    0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa, 0x00, 0x06, 0x00, 0x80, 0x00, 0x43, /* AES 128 CFB */
    0x00, 0x10,                                                             /* no scheme */
    0x08, 0x00,                                                             /* 2048 bits */
    0x00, 0x00, 0x00, 0x00,                                                 /* the usual exponent */
    0x01, 0x00, /* bytes of the modulus */
};

DEFINE_FREEP(EVP_PKEY *, EVP_PKEY_free);
DEFINE_FREEP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free);
DEFINE_FREEP(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free);
DEFINE_FREEP(OSSL_PARAM_BLD *, OSSL_PARAM_BLD_free);
DEFINE_FREEP(OSSL_PARAM *, OSSL_PARAM_free);
DEFINE_FREEP(BIGNUM *, BN_free);

bool tpm_credential_parse(struct bytes public, struct bytes *ret_modulus)
{
    if (public.len != sizeof(template) + MODULUS_BYTES ||
        memcmp(public.ptr, template, sizeof(template)) != 0)
        return false;
    *ret_modulus = (struct bytes){public.ptr + sizeof(template), MODULUS_BYTES};
    return (ret_modulus->ptr[0] & 0x80) != 0 && (ret_modulus->ptr[MODULUS_BYTES - 1] & 1) != 0;
}

static int load_key(struct bytes modulus, EVP_PKEY **ret)
{
    OWN(BN_freep) BIGNUM *n = BN_bin2bn(modulus.ptr, (int)modulus.len, NULL);
    OWN(OSSL_PARAM_BLD_freep) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OWN(OSSL_PARAM_freep) OSSL_PARAM *params = NULL;
    OWN(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);

    if (!n || !build || !ctx)
        return ERR(-ENOMEM);
    if (OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
        OSSL_PARAM_BLD_push_ulong(build, OSSL_PKEY_PARAM_RSA_E, EXPONENT) != 1)
        return ERR(-EIO);
    params = OSSL_PARAM_BLD_to_param(build);
    if (!params || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, ret, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return ERR(-EIO);
    return 0;
}

/* OAEP by SHA-256; the label ends with its NUL. */
static int encrypt_seed(struct bytes modulus,
                        const uint8_t seed[static SEED_BYTES],
                        uint8_t ret[static TPM_CREDENTIAL_SEED_BYTES])
{
    static const char label[] = "IDENTITY";
    OWN(EVP_PKEY_freep) EVP_PKEY *key = NULL;
    OWN(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = NULL;
    void *copy;
    size_t len = TPM_CREDENTIAL_SEED_BYTES;
    int r = load_key(modulus, &key);

    if (r < 0)
        return TRACE(r);
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    copy = OPENSSL_memdup(label, sizeof(label)); /* the context's, once it is set */
    if (!ctx || !copy || EVP_PKEY_encrypt_init(ctx) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
        EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) != 1 ||
        EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) != 1 ||
        EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, copy, sizeof(label)) != 1) {
        OPENSSL_free(copy);
        return ERR(-EIO);
    }
    if (EVP_PKEY_encrypt(ctx, ret, &len, seed, SEED_BYTES) != 1 || len != TPM_CREDENTIAL_SEED_BYTES)
        return ERR(-EIO);
    return 0;
}

/* KDFa of part 1, by SHA-256, for as much as one digest: HMAC of a counter, the label with its NUL, the context, the bits. */
static int derive(const uint8_t seed[static SEED_BYTES],
                  const char *label,
                  struct bytes context,
                  uint32_t n_bits,
                  uint8_t ret[static SHA256_BYTES])
{
    uint8_t text[128];
    struct sink dst = {.ptr = text, .cap = sizeof(text)};
    unsigned len = 0;

    sink_u32be(&dst, 1);
    sink_bytes(&dst, (struct bytes){(const uint8_t *)label, strlen(label) + 1});
    sink_bytes(&dst, context);
    sink_u32be(&dst, n_bits);
    if (dst.full || !HMAC(EVP_sha256(), seed, SEED_BYTES, text, dst.len, ret, &len))
        return ERR(-EIO);
    return 0;
}

/* The secret with its length, by AES in CFB from zeros. */
static int encrypt_secret(const uint8_t key[static AES_KEY_BYTES],
                          const uint8_t secret[static TPM_CREDENTIAL_SECRET_BYTES],
                          uint8_t ret[static 2 + TPM_CREDENTIAL_SECRET_BYTES])
{
    static const uint8_t zeros[AES_BLOCK_BYTES];
    OWN(EVP_CIPHER_CTX_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t plain[2 + TPM_CREDENTIAL_SECRET_BYTES] = {0, TPM_CREDENTIAL_SECRET_BYTES};
    int len = 0;
    bool is_good;

    if (!ctx)
        return ERR(-ENOMEM);
    memcpy(plain + 2, secret, TPM_CREDENTIAL_SECRET_BYTES);
    is_good = EVP_EncryptInit_ex(ctx, EVP_aes_128_cfb128(), NULL, key, zeros) == 1 &&
              EVP_EncryptUpdate(ctx, ret, &len, plain, sizeof(plain)) == 1 &&
              len == (int)sizeof(plain);
    explicit_bzero(plain, sizeof(plain));
    return is_good ? 0 : ERR(-EIO);
}

/* The HMAC is over what is encrypted and the name. */
static int seal(const uint8_t seed[static SEED_BYTES],
                struct bytes name,
                struct bytes encrypted,
                uint8_t ret[static SHA256_BYTES])
{
    uint8_t key[SHA256_BYTES];
    uint8_t text[2 + TPM_CREDENTIAL_SECRET_BYTES + TPM_CREDENTIAL_NAME_BYTES];
    unsigned len = 0;
    int r = derive(seed, "INTEGRITY", (struct bytes){NULL, 0}, 8 * SHA256_BYTES, key);

    if (r < 0)
        return TRACE(r);
    memcpy(text, encrypted.ptr, encrypted.len);
    memcpy(text + encrypted.len, name.ptr, name.len);
    if (!HMAC(EVP_sha256(), key, sizeof(key), text, encrypted.len + name.len, ret, &len))
        r = ERR(-EIO);
    explicit_bzero(key, sizeof(key));
    return r;
}

static int put_blob(const uint8_t seed[static SEED_BYTES],
                    struct bytes name,
                    const uint8_t secret[static TPM_CREDENTIAL_SECRET_BYTES],
                    uint8_t ret[static TPM_CREDENTIAL_BLOB_BYTES])
{
    const size_t at = 2 + SHA256_BYTES;
    uint8_t key[SHA256_BYTES];
    int r = derive(seed, "STORAGE", name, 8 * AES_KEY_BYTES, key);

    if (r == 0)
        r = encrypt_secret(key, secret, ret + at);
    if (r == 0)
        r = seal(seed, name, (struct bytes){ret + at, TPM_CREDENTIAL_BLOB_BYTES - at}, ret + 2);
    ret[0] = 0;
    ret[1] = SHA256_BYTES;
    explicit_bzero(key, sizeof(key));
    return TRACE(r);
}

int tpm_credential_make(struct bytes public,
                        const uint8_t name[static TPM_CREDENTIAL_NAME_BYTES],
                        const uint8_t secret[static TPM_CREDENTIAL_SECRET_BYTES],
                        struct tpm_credential *ret)
{
    uint8_t seed[SEED_BYTES];
    struct bytes modulus;
    int r;

    if (!tpm_credential_parse(public, &modulus))
        return TPM_CREDENTIAL_E_OTHER;
    random_bytes(seed, sizeof(seed));
    r = encrypt_seed(modulus, seed, ret->encrypted);
    if (r == 0)
        r = put_blob(seed, (struct bytes){name, TPM_CREDENTIAL_NAME_BYTES}, secret, ret->blob);
    explicit_bzero(seed, sizeof(seed));
    return TRACE(r);
}
