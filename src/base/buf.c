/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_CAP_BYTES = 256,
};

void buf_fini(struct buf *b)
{
    free(b->ptr);
    *b = BUF_INIT(b->max);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->ptr)
        b->ptr[0] = '\0';
}

/* Room for @more bytes and the NUL. */
static bool reserve(struct buf *b, size_t more)
{
    if (b->failed || more > b->max - b->len) {
        b->failed = true;
        return false;
    }
    if (b->ptr && more < b->cap - b->len)
        return true;

    size_t want = b->cap > 0 ? b->cap : FIRST_CAP_BYTES;

    while (want - b->len <= more) {
        if (want > SIZE_MAX / 2) {
            b->failed = true;
            return false;
        }
        want *= 2;
    }

    char *grown = realloc(b->ptr, want);

    if (!grown) {
        b->failed = true;
        return false;
    }
    b->ptr = grown;
    b->cap = want;
    b->ptr[b->len] = '\0';
    return true;
}

void buf_add(struct buf *b, struct bytes src)
{
    if (!reserve(b, src.len))
        return;
    if (src.len > 0)
        memcpy(b->ptr + b->len, src.ptr, src.len);
    b->len += src.len;
    b->ptr[b->len] = '\0';
}

void buf_adds(struct buf *b, const char *str)
{
    buf_add(b, bytes_of(str));
}

void buf_addf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_list again;

    va_start(args, format);
    va_copy(again, args);

    int n = vsnprintf(NULL, 0, format, args);

    if (n < 0)
        b->failed = true;
    else if (reserve(b, (size_t)n)) {
        (void)vsnprintf(b->ptr + b->len, (size_t)n + 1, format, again);
        b->len += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

const char *buf_str(const struct buf *b)
{
    return b->ptr ? b->ptr : "";
}

struct bytes buf_bytes(const struct buf *b)
{
    return (struct bytes){(const uint8_t *)b->ptr, b->len};
}

char *buf_take(struct buf *b)
{
    if (!reserve(b, 0))
        return NULL;

    char *text = b->ptr;

    b->ptr = NULL;
    buf_fini(b);
    return text;
}
