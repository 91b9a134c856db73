/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/encoding.h"

#include <stdint.h>

enum {
    PLACE_BYTES = 256,
};

bool ts_is_utf16(struct bytes src, bool *ret_is_big)
{
    if (src.len < 2)
        return false;

    const uint8_t a = src.ptr[0];
    const uint8_t b = src.ptr[1];

    *ret_is_big = (a == 0xfe && b == 0xff) || (a == 0 && b != 0);
    return *ret_is_big || (a == 0xff && b == 0xfe) || (b == 0 && a != 0);
}

static size_t put_utf8(uint8_t *dst, uint32_t c)
{
    if (c < 0x80) {
        dst[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        dst[0] = (uint8_t)(0xc0 | c >> 6);
        dst[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        dst[0] = (uint8_t)(0xe0 | c >> 12);
        dst[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        dst[2] = (uint8_t)(0x80 | (c & 0x3f));
        return 3;
    }
    dst[0] = (uint8_t)(0xf0 | c >> 18);
    dst[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
    dst[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    dst[3] = (uint8_t)(0x80 | (c & 0x3f));
    return 4;
}

static bool take_unit(struct bytes *src, bool is_big, uint16_t *ret)
{
    return is_big ? bytes_take_u16be(src, ret) : bytes_take_u16le(src, ret);
}

/* The character that begins with @unit. */
static uint32_t take_rest(struct bytes *src, bool is_big, uint16_t unit)
{
    struct bytes behind = *src;
    uint16_t low;

    if (unit < 0xd800 || unit > 0xdfff)
        return unit;
    if (unit > 0xdbff || !take_unit(&behind, is_big, &low) || low < 0xdc00 || low > 0xdfff)
        return unit; /* half a pair: as it is, so that it is refused where it stands */
    *src = behind;
    return 0x10000 + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
}

void ts_to_utf8(struct bytes src, struct buf *ret)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    uint8_t place[PLACE_BYTES];
    size_t n = 0;
    bool is_big;
    uint16_t unit;
    bool is_first = true;

    if (!ts_is_utf16(src, &is_big)) {
        struct bytes rest = src;
        struct bytes head;

        if (bytes_take(&rest, sizeof(mark), &head) &&
            bytes_eq(head, (struct bytes){mark, sizeof(mark)}))
            src = rest;
        buf_add(ret, src);
        return;
    }
    while (!ret->failed && take_unit(&src, is_big, &unit)) {
        if (!is_first || unit != 0xfeff)
            n += put_utf8(place + n, take_rest(&src, is_big, unit));
        is_first = false;
        if (n > PLACE_BYTES - 4) {
            buf_add(ret, (struct bytes){place, n});
            n = 0;
        }
    }
    buf_add(ret, (struct bytes){place, n});
}
