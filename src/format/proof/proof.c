/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/proof/proof.h"

#include <stddef.h>
#include <string.h>

bool proof_put(const struct proof *proof, struct sink *dst)
{
    const char *const lines[] = {"slipway-proof-1", proof->purpose, proof->challenge, proof->pin};

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (strchr(lines[i], '\n'))
            return false;
        sink_bytes(dst, bytes_of(lines[i]));
        sink_u8(dst, '\n');
    }
    sink_bytes(dst, bytes_of(proof->subject));
    return !dst->full;
}
