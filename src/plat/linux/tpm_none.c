/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Built without tpm2-tss: there is no TPM. */

#include "plat/tpm.h"

int tpm_open(const char *device, uint64_t patience_us, struct tpm **ret)
{
    (void)device;
    (void)patience_us;
    (void)ret;
    return TPM_E_NONE;
}

void tpm_free(struct tpm *tpm)
{
    (void)tpm;
}

struct bytes tpm_public(const struct tpm *tpm)
{
    (void)tpm;
    return (struct bytes){0};
}

struct bytes tpm_name(const struct tpm *tpm)
{
    (void)tpm;
    return (struct bytes){0};
}

int tpm_activate(struct tpm *tpm,
                 struct bytes blob,
                 struct bytes encrypted,
                 uint8_t ret[static TPM_SECRET_MAX_BYTES],
                 size_t *ret_len)
{
    (void)tpm;
    (void)blob;
    (void)encrypted;
    ret[0] = 0;
    *ret_len = 0;
    return TPM_E_NONE;
}
