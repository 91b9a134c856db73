/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Server-Sent Events, read (WHATWG HTML, section 9.2.6): lines in, events out
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

enum {
    SSE_LINE_MAX = 64 * 1024, /* a longer one is left out, as if it had not come */
    SSE_DATA_MAX = 256 * 1024,
    SSE_ID_MAX = 64,
    SSE_NAME_MAX = 64,
};

struct sse_event {
    const char *id;   /* the last that came; "" if none did */
    const char *name; /* "message" if it has none */
    const char *data;
};

struct sse {
    struct buf line;
    struct buf data;
    bool has_data;
    bool is_after_cr;
    char id[SSE_ID_MAX]; /* the last that came: where to go on */
    char name[SSE_NAME_MAX];
    uint64_t retry_ms; /* as the server said; 0: it has not */
};

void sse_init(struct sse *sse);
void sse_fini(struct sse *sse); /* fits OWN() */

/* What is half there is forgotten, but not the last id: the stream begins anew. */
void sse_restart(struct sse *sse);

/**
 * sse_feed() - the next bytes of a stream
 * @take: gets each event; false: enough, and the rest of the bytes is not looked at
 *
 * Return: false when @take said so.
 */
bool sse_feed(struct sse *sse,
              struct bytes piece,
              bool (*take)(void *ctx, const struct sse_event *event),
              void *ctx);
