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

size_t utf8_len(struct bytes src)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = src.len > 0 ? src.ptr[0] : 0xff;
    size_t n = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    uint32_t code = first & (n == 1 ? 0x7fU : 0x7fU >> n);

    if (first >= 0xf8 || (first >= 0x80 && first < 0xc2) || n > src.len)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((src.ptr[i] & 0xc0) != 0x80)
            return 0;
        code = (code << 6) | (src.ptr[i] & 0x3fU);
    }
    return code < smallest[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? 0 : n;
}

size_t text_count_characters(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

bool request_id_is_fit(const char *text)
{
    size_t n = strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-");

    return n > 0 && n < REQUEST_ID_MAX && text[n] == '\0';
}

bool text_is_utf8(struct bytes src)
{
    while (src.len > 0) {
        size_t n = utf8_len(src);

        if (n == 0)
            return false;
        src.ptr += n;
        src.len -= n;
    }
    return true;
}

/* Bytes at the beginning of @src that belong together but are no character; @ret_is_cut: it might have become one. */
static size_t broken_len(struct bytes src, bool *ret_is_cut)
{
    uint8_t first = src.ptr[0];
    size_t wanted = first < 0xc2 || first >= 0xf5 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    size_t n = 1;

    while (n < wanted && n < src.len && (src.ptr[n] & 0xc0) == 0x80)
        n++;
    *ret_is_cut = n < wanted && n == src.len;
    return n;
}

void text_make_utf8(char *text)
{
    struct bytes rest = bytes_of(text);
    char *to = text;

    while (rest.len > 0) {
        bool is_cut = false;
        size_t n = utf8_len(rest);
        size_t taken = n > 0 ? n : broken_len(rest, &is_cut);

        if (n > 0)
            memmove(to, rest.ptr, n);
        else if (!is_cut)
            *to = '?';
        to += n > 0 ? n : (is_cut ? 0 : 1);
        rest.ptr += taken;
        rest.len -= taken;
    }
    *to = '\0';
}
