/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Growing text or bytes, made with its maximum
 *
 *     OWN(buf_fini) struct buf text = BUF_INIT(64 * 1024);
 *
 *     buf_addf(&text, "%s=%u\n", key, value);
 *     if (text.failed)
 *         return ERR(-ENOMEM);
 *
 * Like a sink it remembers that something went wrong, and is checked once, at the end. @ptr always ends
 * in a NUL that @len does not count, so that a buffer of text is a C string.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct buf {
    char *ptr;   /* owned; NULL until something is added: use buf_str() to read */
    size_t len;  /* bytes, without the NUL */
    size_t cap;  /* bytes allocated at ptr */
    size_t max;  /* len never exceeds it */
    bool failed; /* no memory, or more than max; nothing is added from then on */
};

#define BUF_INIT(max_bytes) ((struct buf){.max = (max_bytes)})

/* Release; may be called twice. Fits OWN(). */
void buf_fini(struct buf *b);

/* Empty it, keep the memory, forget a failure. */
void buf_clear(struct buf *b);

void buf_add(struct buf *b, struct bytes src);
void buf_adds(struct buf *b, const char *str);
__attribute__((format(printf, 2, 3))) void buf_addf(struct buf *b, const char *format, ...);

/* The content as a C string, "" if nothing was added; borrowed until the next change. */
const char *buf_str(const struct buf *b);
struct bytes buf_bytes(const struct buf *b);

/**
 * buf_take() - hand over the text
 *
 * Return: owned by the caller, to be freed with free(); NULL if the buffer failed or has no memory. The
 *         buffer is empty afterwards.
 */
char *buf_take(struct buf *b);
