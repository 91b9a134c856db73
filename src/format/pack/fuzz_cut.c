/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/pack/cut.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    LONG_BYTES = 3 * 1024 * 1024 / 2,
};

/* The input, repeated with a counter mixed in, so that it is long enough to be cut. */
static void stretch(const uint8_t *data, size_t size, uint8_t *dst)
{
    for (size_t i = 0; i < LONG_BYTES; i++)
        dst[i] = (uint8_t)(data[i % size] + (i / size) * 31);
}

/* The chunks are the content, each in range, and the same when the same bytes are asked about again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(freep) uint8_t *content = malloc(LONG_BYTES);
    struct bytes rest = {content, LONG_BYTES};
    struct cut cut;

    if (!content || size == 0)
        return 0;
    stretch(data, size, content);
    cut_init(&cut);
    while (rest.len > 0) {
        size_t len = cut_next(&cut, rest, true);
        struct bytes chunk;

        if (len > CUT_MAX_BYTES || (len < CUT_MIN_BYTES && len != rest.len))
            abort();
        if (rest.len >= CUT_MAX_BYTES && cut_next(&cut, rest, false) != len)
            abort();
        if (!bytes_take(&rest, len, &chunk) || len == 0)
            abort();
        if (cut_next(&cut, chunk, true) != len)
            abort();
    }
    return 0;
}
