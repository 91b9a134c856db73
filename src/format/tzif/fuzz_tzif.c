/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/tzif/tzif.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

DEFINE_FREEP(struct tzif *, tzif_free);

enum {
    OFFSET_MAX_S = 26 * 3600,
    STEP_S = 86400 * 97 + 1234,
};

/* No file makes an offset that is no place on Earth, nor a time on the wall that is days away from its moment. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(tzif_freep) struct tzif *zone = NULL;

    if (tzif_parse((struct bytes){data, size}, &zone) != 0)
        return 0;
    for (int64_t s = -INT64_C(4000000000); s < INT64_C(8000000000); s += STEP_S) {
        int32_t offset = tzif_offset_s(zone, s);
        int64_t utc = tzif_to_utc_s(zone, s);

        if (offset < -OFFSET_MAX_S || offset > OFFSET_MAX_S || utc < s - OFFSET_MAX_S ||
            utc > s + OFFSET_MAX_S)
            abort();
    }
    return 0;
}
