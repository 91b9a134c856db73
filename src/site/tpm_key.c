/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/tpm_key.h"

#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/tpm_credential.h"
#include "site/challenge.h"
#include "site/fields.h"

enum {
    PUBLIC_MAX_BYTES = 512,
    PUBLIC_TEXT_MAX = 2 * PUBLIC_MAX_BYTES,
    NAME_TEXT_MAX = 2 * TPM_CREDENTIAL_NAME_BYTES,
    SECRET_TEXT_MAX = 2 * TPM_CREDENTIAL_SECRET_BYTES,
    HALF_TEXT_MAX = 2 * TPM_CREDENTIAL_SEED_BYTES + 1, /* of a credential; the longer half */
};

/* What a credential is for. */
struct shown {
    uint8_t public_bytes[PUBLIC_MAX_BYTES];
    struct bytes public;
    uint8_t name[TPM_CREDENTIAL_NAME_BYTES];
};

static int read_shown(struct site *site, const json_t *object, struct shown *ret)
{
    const char *text = field_text(object, "public", "");
    size_t len = strlen(text) / 2;
    struct bytes modulus;

    if (len > PUBLIC_MAX_BYTES || !hex_parse(bytes_of(text), len, ret->public_bytes) ||
        !hex_parse(bytes_of(field_text(object, "name", "")), sizeof(ret->name), ret->name))
        return refuse(site,
                      REFUSAL_CLIENT_INVALID,
                      "\"public\" and \"name\" must be hexadecimal digits, and the name that of an "
                      "object by SHA-256.");
    ret->public = (struct bytes){ret->public_bytes, len};
    if (!tpm_credential_parse(ret->public, &modulus))
        return refuse(site,
                      REFUSAL_CLIENT_INVALID,
                      "\"public\" must be the public area of an endorsement key as the default "
                      "template for RSA 2048 makes it.");
    return 0;
}

/* Nobody else can tell it. */
static int find_secret(struct site *site,
                       const char *challenge,
                       const struct shown *shown,
                       uint8_t ret[static TPM_CREDENTIAL_SECRET_BYTES])
{
    uint8_t text[CHALLENGE_TEXT_MAX + PUBLIC_MAX_BYTES + TPM_CREDENTIAL_NAME_BYTES];
    struct sink dst = {.ptr = text, .cap = sizeof(text)};

    sink_bytes(&dst, (struct bytes){(const uint8_t *)challenge, strlen(challenge) + 1});
    sink_bytes(&dst, (struct bytes){shown->name, sizeof(shown->name)});
    sink_bytes(&dst, shown->public);
    if (dst.full)
        return ERR(-EMSGSIZE);
    return TRACE(
        challenge_derive(site, (struct bytes){text, dst.len}, TPM_CREDENTIAL_SECRET_BYTES, ret));
}

static json_t *put_credential(const struct tpm_credential *credential)
{
    char blob[HALF_TEXT_MAX];
    char encrypted[HALF_TEXT_MAX];

    hex_put(blob, (struct bytes){credential->blob, sizeof(credential->blob)});
    hex_put(encrypted, (struct bytes){credential->encrypted, sizeof(credential->encrypted)});
    return json_pack("{s:s,s:s}", "blob", blob, "encrypted", encrypted);
}

int tpm_key_challenge(struct site *site, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"challenge", FIELD_TEXT, true, 1, CHALLENGE_TEXT_MAX - 1, NULL},
        {"public", FIELD_TEXT, true, 2, PUBLIC_TEXT_MAX, NULL},
        {"name", FIELD_TEXT, true, 2, NAME_TEXT_MAX, NULL},
        {0},
    };
    const char *challenge = field_text(body, "challenge", "");
    uint8_t secret[TPM_CREDENTIAL_SECRET_BYTES];
    struct tpm_credential credential;
    struct shown shown;
    bool is_good = false;
    int r = fields_check(site, body, fields, true, REFUSAL_CLIENT_INVALID);

    if (r == 0)
        r = challenge_check(site, challenge, &is_good);
    if (r == 0 && !is_good)
        return refuse(site, REFUSAL_PROOF, "The challenge is not one of this site, or too old.");
    if (r == 0)
        r = read_shown(site, body, &shown);
    if (r == 0)
        r = find_secret(site, challenge, &shown, secret);
    if (r == 0)
        r = tpm_credential_make(shown.public, shown.name, secret, &credential);
    explicit_bzero(secret, sizeof(secret));
    if (r != 0)
        return TRACE(r);
    *ret = put_credential(&credential);
    return *ret ? 0 : ERR(-ENOMEM);
}

int tpm_key_prove(struct site *site, const json_t *registration, char ret[static SHA256_TEXT_MAX])
{
    static const struct field fields[] = {
        {"public", FIELD_TEXT, true, 2, PUBLIC_TEXT_MAX, NULL},
        {"name", FIELD_TEXT, true, 2, NAME_TEXT_MAX, NULL},
        {"secret", FIELD_TEXT, true, 2, SECRET_TEXT_MAX, NULL},
        {0},
    };
    const json_t *tpm = json_object_get(registration, "tpm_key");
    const char *challenge = field_text(json_object_get(registration, "key"), "challenge", "");
    uint8_t wanted[TPM_CREDENTIAL_SECRET_BYTES];
    uint8_t given[TPM_CREDENTIAL_SECRET_BYTES];
    uint8_t digest[SHA256_BYTES];
    struct shown shown;
    int r;

    ret[0] = '\0';
    if (!json_is_object(tpm))
        return 0;
    r = fields_check(site, tpm, fields, true, REFUSAL_CLIENT_INVALID);
    if (r == 0)
        r = read_shown(site, tpm, &shown);
    if (r == 0)
        r = find_secret(site, challenge, &shown, wanted);
    if (r != 0)
        return TRACE(r);
    if (!hex_parse(bytes_of(field_text(tpm, "secret", "")), sizeof(given), given) ||
        sodium_memcmp(given, wanted, sizeof(wanted)) != 0)
        return refuse(
            site,
            REFUSAL_PROOF,
            "The TPM did not open the credential that was made for it and this challenge.");
    r = digest_sha256(shown.public, digest);
    if (r < 0)
        return TRACE(r);
    hex_put(ret, (struct bytes){digest, sizeof(digest)});
    return 0;
}
