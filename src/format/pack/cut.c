/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/pack/cut.h"

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    WINDOW_BYTES = 64, /* a byte has left the 64-bit hash after so many shifts */
};

#define GEAR_SEED UINT64_C(0x736c697077617931) /* "slipway1" */

/* The upper bits of the hash have seen the most bytes. 16 bits would give 64 KiB on average. */
#define MASK_SELDOM (UINT64_C(0x3ffff) << 46) /* 18 bits: below the normal size */
#define MASK_OFTEN  (UINT64_C(0x3fff) << 50)  /* 14 bits: above it */

void cut_init(struct cut *cut)
{
    uint64_t state = GEAR_SEED;

    for (unsigned i = 0; i < CUT_GEAR_COUNT; i++) {
        state += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t n = state;

        n = (n ^ (n >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        n = (n ^ (n >> 27)) * UINT64_C(0x94d049bb133111eb);
        cut->gear[i] = n ^ (n >> 31);
    }
}

/* Go on from *@pos to @end. Return: whether a cut was found; then *@pos is behind it. */
static bool scan(const struct cut *cut,
                 const uint8_t *src,
                 size_t end,
                 uint64_t mask,
                 uint64_t *hash,
                 size_t *pos)
{
    uint64_t h = *hash;

    for (size_t i = *pos; i < end; i++) {
        h = (h << 1) + cut->gear[src[i]];
        if ((h & mask) == 0) {
            *pos = i + 1;
            return true;
        }
    }
    *hash = h;
    *pos = end;
    return false;
}

size_t cut_next(const struct cut *cut, struct bytes src, bool is_end)
{
    if (src.len < CUT_MAX_BYTES && !is_end)
        return 0;
    if (src.len <= CUT_MIN_BYTES)
        return src.len;

    size_t most = src.len < CUT_MAX_BYTES ? src.len : CUT_MAX_BYTES;
    size_t normal = most < CUT_NORMAL_BYTES ? most : CUT_NORMAL_BYTES;
    size_t pos = CUT_MIN_BYTES - WINDOW_BYTES;
    uint64_t hash = 0;

    /* the window before the first place where a cut is allowed */
    for (; pos < CUT_MIN_BYTES; pos++)
        hash = (hash << 1) + cut->gear[src.ptr[pos]];
    if (scan(cut, src.ptr, normal, MASK_SELDOM, &hash, &pos))
        return pos;
    (void)scan(cut, src.ptr, most, MASK_OFTEN, &hash, &pos);
    return pos;
}
