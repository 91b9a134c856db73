/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A TPM 2.0 as the identity of a computer: its endorsement key, and the proof that it is this TPM's
 *
 * The key is that of the default template for RSA 2048 (TCG EK Credential Profile, L-1): the TPM makes the same one each time, and
 * its secret half never leaves it. Who asks encrypts a secret for the key and the name of another object (TPM 2.0 Library, part 1,
 * Credential Protection); only a TPM that has both gives it back.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    TPM_PUBLIC_MAX_BYTES = 512, /* TPMT_PUBLIC as the TPM writes it */
    TPM_NAME_MAX_BYTES = 66,    /* algorithm and digest */
    TPM_BLOB_MAX_BYTES = 512,   /* each half of a credential */
    TPM_SECRET_MAX_BYTES = 64,
};

struct tpm;

/* Outcomes beside 0 */
enum {
    TPM_E_NONE = 1,    /* there is no TPM 2.0, it has no such key for us, or it does not answer */
    TPM_E_REFUSED = 2, /* tpm_activate(): the credential is not for this TPM */
};

/**
 * tpm_open() - make the endorsement key and an object beside it; may take seconds
 * @device:      "/dev/tpmrm0"
 * @patience_us: how long to wait for each answer; a TPM that takes longer is none
 */
int tpm_open(const char *device, uint64_t patience_us, struct tpm **ret);
void tpm_free(struct tpm *tpm);

/* The endorsement key's public area (TPMT_PUBLIC), and the name of the object beside it; borrowed. */
struct bytes tpm_public(const struct tpm *tpm);
struct bytes tpm_name(const struct tpm *tpm);

/**
 * tpm_activate() - what is in a credential
 * @blob, @encrypted: TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET, without the lengths in front
 * @ret:              what is in it, @ret_len bytes
 */
int tpm_activate(struct tpm *tpm,
                 struct bytes blob,
                 struct bytes encrypted,
                 uint8_t ret[static TPM_SECRET_MAX_BYTES],
                 size_t *ret_len);
