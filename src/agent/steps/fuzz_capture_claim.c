/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What is taken for a holder can be shown, and its claim is the name of a file. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "agent/steps/capture_claim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct capture_holder holder;

    if (!capture_holder_parse((struct bytes){data, size}, &holder))
        return 0;
    assert(strlen(holder.claim) == sizeof(holder.claim) - 1);
    assert(strspn(holder.claim, "0123456789abcdefABCDEF") == sizeof(holder.claim) - 1);
    assert(strlen(holder.device_name) < sizeof(holder.device_name) &&
           !strchr(holder.device_name, '\n'));
    return 0;
}
