/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "plat/checksum.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL /* the header is the library */
#include <xxhash.h>

#include "base/err.h"

_Static_assert(sizeof(XXH128_canonical_t) == CHECKSUM_BYTES, "they are the same bytes");

struct checksum {
    XXH3_state_t *state; /* owned; aligned as its own functions do */
};

int checksum_new(struct checksum **ret)
{
    OWN(checksum_freep) struct checksum *sum = calloc(1, sizeof(*sum));

    if (!sum)
        return ERR(-ENOMEM);
    sum->state = XXH3_createState();
    if (!sum->state)
        return ERR(-ENOMEM);
    checksum_begin(sum);
    *ret = TAKE(sum);
    return 0;
}

void checksum_free(struct checksum *sum)
{
    if (!sum)
        return;
    (void)XXH3_freeState(sum->state);
    free(sum);
}

void checksum_begin(struct checksum *sum)
{
    (void)XXH3_128bits_reset(sum->state);
}

void checksum_add(struct checksum *sum, struct bytes src)
{
    (void)XXH3_128bits_update(sum->state, src.ptr, src.len);
}

static void put(XXH128_hash_t hash, uint8_t *ret)
{
    XXH128_canonical_t canonical;

    XXH128_canonicalFromHash(&canonical, hash);
    memcpy(ret, canonical.digest, CHECKSUM_BYTES);
}

void checksum_end(const struct checksum *sum, uint8_t ret[static CHECKSUM_BYTES])
{
    put(XXH3_128bits_digest(sum->state), ret);
}

void checksum_of(struct bytes src, uint8_t ret[static CHECKSUM_BYTES])
{
    put(XXH3_128bits(src.ptr, src.len), ret);
}
