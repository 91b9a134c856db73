/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/capture_network.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    DOMAIN_MAX_BYTES = 1024,
};

/* Whatever the keytab is, the domain that it gives is one that can be written: small letters, and nothing that ends a line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(buf_fini) struct buf domain = BUF_INIT(DOMAIN_MAX_BYTES);

    capture_network_read_keytab((struct bytes){data, size}, &domain);
    for (size_t i = 0; i < domain.len; i++) {
        unsigned char c = (unsigned char)domain.ptr[i];

        if (c <= ' ' || c == 0x7f || (c >= 'A' && c <= 'Z'))
            abort();
    }
    return 0;
}
