/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "base/bytes.h"

#include <string.h>

struct bytes bytes_of(const char *str)
{
    return (struct bytes){(const uint8_t *)str, strlen(str)};
}

bool bytes_take(struct bytes *src, size_t n, struct bytes *ret)
{
    if (n > src->len)
        return false;

    *ret = (struct bytes){src->ptr, n};
    if (n > 0) /* a NULL pointer may not be moved, not even by nothing */
        *src = (struct bytes){src->ptr + n, src->len - n};
    return true;
}

static bool take_number_be(struct bytes *src, size_t n, uint64_t *ret)
{
    struct bytes field;

    if (!bytes_take(src, n, &field))
        return false;

    *ret = 0;
    for (size_t i = 0; i < n; i++)
        *ret = *ret << 8 | field.ptr[i];
    return true;
}

static bool take_number_le(struct bytes *src, size_t n, uint64_t *ret)
{
    struct bytes field;

    if (!bytes_take(src, n, &field))
        return false;

    *ret = 0;
    for (size_t i = n; i > 0; i--)
        *ret = *ret << 8 | field.ptr[i - 1];
    return true;
}

#define DEFINE_TAKE(name, type, take_number) \
    bool name(struct bytes *src, type *ret) /* NOLINT(bugprone-macro-parentheses): a type */ \
    { \
        uint64_t n; \
\
        if (!take_number(src, sizeof(type), &n)) \
            return false; \
        *ret = (type)n; \
        return true; \
    } \
    struct take_needs_a_semicolon

DEFINE_TAKE(bytes_take_u8, uint8_t, take_number_be);
DEFINE_TAKE(bytes_take_u16be, uint16_t, take_number_be);
DEFINE_TAKE(bytes_take_u32be, uint32_t, take_number_be);
DEFINE_TAKE(bytes_take_u16le, uint16_t, take_number_le);
DEFINE_TAKE(bytes_take_u32le, uint32_t, take_number_le);
DEFINE_TAKE(bytes_take_u64le, uint64_t, take_number_le);

bool bytes_eq(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool bytes_take_cstr(struct bytes *src, struct bytes *ret)
{
    /* memchr(NULL, 0, 0) is undefined */
    const uint8_t *nul = src->len > 0 ? memchr(src->ptr, '\0', src->len) : NULL;

    if (!nul)
        return false;

    size_t len = (size_t)(nul - src->ptr);

    *ret = (struct bytes){src->ptr, len};
    *src = (struct bytes){nul + 1, src->len - len - 1};
    return true;
}

static unsigned ascii_lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

bool bytes_eq_nocase(struct bytes a, const char *b)
{
    if (a.len != strlen(b))
        return false;

    for (size_t i = 0; i < a.len; i++)
        if (ascii_lower(a.ptr[i]) != ascii_lower((unsigned char)b[i]))
            return false;
    return true;
}

bool bytes_parse_u64(struct bytes src, uint64_t min, uint64_t max, uint64_t *ret)
{
    uint64_t n = 0;

    if (src.len == 0)
        return false;

    for (size_t i = 0; i < src.len; i++) {
        if (src.ptr[i] < '0' || src.ptr[i] > '9')
            return false;

        unsigned digit = src.ptr[i] - '0';

        if (n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    if (n < min || n > max)
        return false;

    *ret = n;
    return true;
}

static void sink_raw(struct sink *dst, const void *src, size_t len)
{
    if (dst->full || len > dst->cap - dst->len) {
        dst->full = true;
        return;
    }
    if (len > 0)
        memcpy(dst->ptr + dst->len, src, len);
    dst->len += len;
}

static void sink_be(struct sink *dst, uint64_t n, size_t len)
{
    uint8_t field[8];

    for (size_t i = 0; i < len; i++)
        field[i] = (uint8_t)(n >> (8 * (len - 1 - i)));
    sink_raw(dst, field, len);
}

static void sink_le(struct sink *dst, uint64_t n, size_t len)
{
    uint8_t field[8];

    for (size_t i = 0; i < len; i++)
        field[i] = (uint8_t)(n >> (8 * i));
    sink_raw(dst, field, len);
}

void sink_bytes(struct sink *dst, struct bytes src)
{
    sink_raw(dst, src.ptr, src.len);
}

void sink_u8(struct sink *dst, uint8_t n)
{
    sink_be(dst, n, 1);
}

void sink_u16be(struct sink *dst, uint16_t n)
{
    sink_be(dst, n, 2);
}

void sink_u32be(struct sink *dst, uint32_t n)
{
    sink_be(dst, n, 4);
}

void sink_u16le(struct sink *dst, uint16_t n)
{
    sink_le(dst, n, 2);
}

void sink_u32le(struct sink *dst, uint32_t n)
{
    sink_le(dst, n, 4);
}

void sink_u64le(struct sink *dst, uint64_t n)
{
    sink_le(dst, n, 8);
}

void sink_zero(struct sink *dst, size_t n)
{
    if (dst->full || n > dst->cap - dst->len) {
        dst->full = true;
        return;
    }
    if (n > 0)
        memset(dst->ptr + dst->len, 0, n);
    dst->len += n;
}

void sink_cstr(struct sink *dst, const char *str)
{
    sink_raw(dst, str, strlen(str) + 1);
}

void sink_decimal(struct sink *dst, uint64_t n)
{
    char text[sizeof("18446744073709551615")];
    char *p = text + sizeof(text) - 1;

    *p = '\0';
    do {
        *--p = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    sink_cstr(dst, p);
}
