/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/wim/utf16.h"

#include <stdint.h>

enum {
    HIGH_FIRST = 0xd800,
    LOW_FIRST = 0xdc00,
    LOW_END = 0xe000,
    PAIRS_FIRST = 0x10000, /* what takes two units */
    CODE_END = 0x110000,
    CODE_BYTES_MAX = 4,
};

static bool is_high(uint32_t unit)
{
    return unit >= HIGH_FIRST && unit < LOW_FIRST;
}

static bool is_low(uint32_t unit)
{
    return unit >= LOW_FIRST && unit < LOW_END;
}

static uint32_t take_code(struct bytes *src)
{
    struct bytes ahead;
    uint16_t unit = 0;
    uint16_t low = 0;

    (void)bytes_take_u16le(src, &unit);
    ahead = *src;
    if (!is_high(unit) || !bytes_take_u16le(&ahead, &low) || !is_low(low))
        return unit;
    *src = ahead;
    return PAIRS_FIRST + ((unit & 0x3ffU) << 10 | (low & 0x3ffU));
}

static size_t put_code(uint32_t code, char dst[static CODE_BYTES_MAX])
{
    size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < PAIRS_FIRST ? 3 : 4;
    static const uint8_t firsts[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = n; i > 1; i--) {
        dst[i - 1] = (char)(uint8_t)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    dst[0] = (char)(uint8_t)(firsts[n] | code);
    return n;
}

bool utf16_to_utf8(struct bytes src, char *dst, size_t cap)
{
    size_t len = 0;

    if (cap == 0)
        return false;
    dst[0] = '\0';
    if (src.len % 2 != 0)
        return false;
    while (src.len > 0) {
        char bytes[CODE_BYTES_MAX];
        uint32_t code = take_code(&src);
        size_t n = put_code(code, bytes);

        if (code == 0 || n >= cap - len) {
            dst[0] = '\0';
            return false;
        }
        for (size_t i = 0; i < n; i++)
            dst[len++] = bytes[i];
        dst[len] = '\0';
    }
    return true;
}

/* Split off one code; only its shortest form is one. */
static bool take_utf8(struct bytes *src, uint32_t *ret)
{
    static const uint32_t firsts[] = {0, 0, 0x80, 0x800, PAIRS_FIRST};
    uint8_t first = src->ptr[0];
    size_t n = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    uint32_t code = n == 1 ? first : first & (0x7fU >> n);
    struct bytes taken;

    if ((first >= 0x80 && first < 0xc0) || first >= 0xf8 || !bytes_take(src, n, &taken))
        return false;
    for (size_t i = 1; i < n; i++) {
        if ((taken.ptr[i] & 0xc0) != 0x80)
            return false;
        code = code << 6 | (taken.ptr[i] & 0x3fU);
    }
    *ret = code;
    return code >= firsts[n] && code < CODE_END;
}

static void put_unit(struct buf *dst, uint32_t unit)
{
    uint8_t bytes[2] = {(uint8_t)unit, (uint8_t)(unit >> 8)};

    buf_add(dst, (struct bytes){bytes, sizeof(bytes)});
}

/* Whether all of it is valid: nothing is appended before that is known. */
static bool is_utf8(struct bytes src)
{
    uint32_t before = 0;
    uint32_t code;

    while (src.len > 0) {
        if (!take_utf8(&src, &code) || code == 0 || (is_high(before) && is_low(code)))
            return false;
        before = code;
    }
    return true;
}

bool utf16_put(struct buf *dst, struct bytes src)
{
    uint32_t code;

    if (!is_utf8(src))
        return false;
    while (src.len > 0 && take_utf8(&src, &code)) {
        if (code < PAIRS_FIRST) {
            put_unit(dst, code);
        } else {
            put_unit(dst, HIGH_FIRST + ((code - PAIRS_FIRST) >> 10));
            put_unit(dst, LOW_FIRST + ((code - PAIRS_FIRST) & 0x3ff));
        }
    }
    return true;
}
