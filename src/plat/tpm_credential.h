/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What only a TPM with a certain endorsement key can open (TPM 2.0 Library, part 1: Credential Protection; part 3: MakeCredential),
 * by OpenSSL: who makes it needs no TPM
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "plat/digest.h"

enum {
    TPM_CREDENTIAL_SECRET_BYTES = 32,
    TPM_CREDENTIAL_BLOB_BYTES =
        2 + 32 + 2 +
        TPM_CREDENTIAL_SECRET_BYTES, /* HMAC and what is encrypted, each with a length */
    TPM_CREDENTIAL_SEED_BYTES = 256, /* as RSA 2048 has it encrypted */
    TPM_CREDENTIAL_NAME_BYTES = 34,  /* of an object: SHA-256, with the algorithm in front */
};

/* Outcome beside 0 */
enum {
    TPM_CREDENTIAL_E_OTHER =
        1, /* the public area is none of an endorsement key as the default template for RSA 2048 makes it */
};

struct tpm_credential {
    uint8_t blob[TPM_CREDENTIAL_BLOB_BYTES];      /* TPM2B_ID_OBJECT without its length */
    uint8_t encrypted[TPM_CREDENTIAL_SEED_BYTES]; /* TPM2B_ENCRYPTED_SECRET without its length */
};

/**
 * tpm_credential_parse() - the modulus of an endorsement key
 * @public: TPMT_PUBLIC, and nothing behind it
 * @ret:    borrows from @public
 *
 * All but the modulus must be as the template has it, so the key is one that the TPM uses for this alone. Return: whether it is.
 */
bool tpm_credential_parse(struct bytes public, struct bytes *ret_modulus);

/**
 * tpm_credential_make() - a secret that only this TPM gives back, and only if it has an object of this name
 * @public: as above
 */
int tpm_credential_make(struct bytes public,
                        const uint8_t name[static TPM_CREDENTIAL_NAME_BYTES],
                        const uint8_t secret[static TPM_CREDENTIAL_SECRET_BYTES],
                        struct tpm_credential *ret);
