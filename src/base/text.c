/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "base/text.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

void hex_put(char *dst, struct bytes src)
{
    for (size_t i = 0; i < src.len; i++) {
        *dst++ = digits[src.ptr[i] >> 4];
        *dst++ = digits[src.ptr[i] & 15];
    }
    *dst = '\0';
}

static int digit_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool is_hex(struct bytes src)
{
    for (size_t i = 0; i < src.len; i++)
        if (digit_value(src.ptr[i]) < 0)
            return false;
    return true;
}

bool hex_parse(struct bytes src, size_t n, uint8_t *ret)
{
    if (src.len / 2 != n || src.len % 2 != 0 || !is_hex(src))
        return false;

    for (size_t i = 0; i < n; i++)
        ret[i] = (uint8_t)(digit_value(src.ptr[2 * i]) * 16 + digit_value(src.ptr[2 * i + 1]));
    return true;
}

void mac_put(char dst[static MAC_TEXT_MAX], const uint8_t mac[static MAC_BYTES])
{
    for (size_t i = 0; i < MAC_BYTES; i++) {
        hex_put(dst + 3 * i, (struct bytes){mac + i, 1});
        if (i + 1 < MAC_BYTES)
            dst[3 * i + 2] = ':';
    }
}

bool mac_parse(struct bytes src, uint8_t ret[static MAC_BYTES])
{
    uint8_t mac[MAC_BYTES];

    if (src.len == (size_t)MAC_BYTES * 2)
        return hex_parse(src, MAC_BYTES, ret);
    if (src.len != MAC_TEXT_MAX - 1 || (src.ptr[2] != ':' && src.ptr[2] != '-'))
        return false;

    for (size_t i = 0; i < MAC_BYTES; i++) {
        if (!hex_parse((struct bytes){src.ptr + 3 * i, 2}, 1, mac + i))
            return false;
        if (i + 1 < MAC_BYTES && src.ptr[3 * i + 2] != src.ptr[2])
            return false;
    }
    memcpy(ret, mac, MAC_BYTES);
    return true;
}

static const uint8_t uuid_groups[] = {4, 2, 2, 2, 6};

void uuid_put(char dst[static UUID_TEXT_MAX], const uint8_t uuid[static UUID_BYTES])
{
    for (size_t g = 0; g < sizeof(uuid_groups); g++) {
        if (g > 0)
            *dst++ = '-';
        hex_put(dst, (struct bytes){uuid, uuid_groups[g]});
        dst += (size_t)2 * uuid_groups[g];
        uuid += uuid_groups[g];
    }
}

bool uuid_parse(struct bytes src, uint8_t ret[static UUID_BYTES])
{
    uint8_t uuid[UUID_BYTES];
    size_t at = 0;

    for (size_t g = 0; g < sizeof(uuid_groups); g++) {
        struct bytes part;

        if (g > 0 && (!bytes_take(&src, 1, &part) || part.ptr[0] != '-'))
            return false;
        if (!bytes_take(&src, (size_t)2 * uuid_groups[g], &part))
            return false;
        if (!hex_parse(part, uuid_groups[g], uuid + at))
            return false;
        at += uuid_groups[g];
    }
    if (src.len > 0)
        return false;
    memcpy(ret, uuid, UUID_BYTES);
    return true;
}
