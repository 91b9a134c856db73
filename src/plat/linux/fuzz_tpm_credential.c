/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plat/tpm_credential.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken for an endorsement key gets a credential, whatever its modulus; what is not gets none, and nothing is written. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t name[TPM_CREDENTIAL_NAME_BYTES] = {0x00, 0x0b};
    static const uint8_t secret[TPM_CREDENTIAL_SECRET_BYTES] = {1};
    static const struct tpm_credential nothing;
    struct tpm_credential credential = {0};
    struct bytes modulus = {0};
    bool is_key = tpm_credential_parse((struct bytes){data, size}, &modulus);
    int r = tpm_credential_make((struct bytes){data, size}, name, secret, &credential);

    if (r != (is_key ? 0 : TPM_CREDENTIAL_E_OTHER))
        abort();
    if (is_key && (modulus.ptr < data || modulus.ptr + modulus.len != data + size))
        abort();
    if ((memcmp(&credential, &nothing, sizeof(nothing)) != 0) != is_key)
        abort();
    return 0;
}
