/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "base/base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_put(struct buf *dst, struct bytes src)
{
    for (size_t i = 0; i < src.len; i += 3) {
        const size_t n = src.len - i < 3 ? src.len - i : 3;
        uint32_t bits = (uint32_t)src.ptr[i] << 16;
        uint8_t four[4];

        if (n > 1)
            bits |= (uint32_t)src.ptr[i + 1] << 8;
        if (n > 2)
            bits |= src.ptr[i + 2];
        for (size_t k = 0; k < 4; k++)
            four[k] = k <= n ? (uint8_t)digits[bits >> (18 - 6 * k) & 63] : (uint8_t)'=';
        buf_add(dst, (struct bytes){four, 4});
    }
}

bool base64_parse(struct bytes src, struct buf *ret)
{
    uint32_t bits = 0;
    unsigned n = 0;
    unsigned n_padding = 0;

    for (size_t i = 0; i < src.len; i++) {
        const char c = (char)src.ptr[i];
        const char *digit = c ? strchr(digits, c) : NULL;

        if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
            continue;
        if (c == '=' ? n < 2 : (!digit || n_padding > 0))
            return false;
        n_padding += c == '=';
        bits = bits << 6 | (digit ? (uint32_t)(digit - digits) : 0);
        if (++n < 4)
            continue;

        const uint8_t three[] = {(uint8_t)(bits >> 16), (uint8_t)(bits >> 8), (uint8_t)bits};

        buf_add(ret, (struct bytes){three, 3 - n_padding});
        bits = 0;
        n = 0;
    }
    return n == 0 && n_padding <= 2 && !ret->failed;
}
