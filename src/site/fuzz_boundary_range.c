/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/boundary_range.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken for a range begins where it ends or before, and both are addresses of 32 digits. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct boundary_range range;
    char text[256];

    if (size == 0 || size > sizeof(text))
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    if (boundary_range_parse((enum boundary_kind)(data[0] % BOUNDARY_KIND_COUNT), text, &range) !=
        0)
        return 0;
    if (strlen(range.low) != BOUNDARY_KEY_MAX - 1 || strlen(range.high) != BOUNDARY_KEY_MAX - 1)
        abort();
    if (strcmp(range.low, range.high) > 0)
        abort();
    return 0;
}
