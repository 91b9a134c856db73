/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * An answer without an end, whose bytes come later and from any thread: as for Server-Sent Events
 *
 *     r = http_stream_reply(x, "text/event-stream", 64 * 1024, &stream);
 *     ...
 *     if (http_stream_write(stream, line) == HTTP_STREAM_E_FULL)
 *         the client is slow: write it again later;
 *     ...
 *     http_stream_free(stream);
 *
 * One that has nothing to send takes no thread and no buffer: its connection is suspended. Whether its client has gone shows only
 * when something is sent, so something is to be written from time to time.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct http_exchange;
struct http_stream;

/* Outcome of http_stream_write() beside 0 */
enum {
    HTTP_STREAM_E_FULL = 1, /* it does not fit beside what waits: nothing of it was taken */
};

/**
 * http_stream_reply() - answer 200 with a body that is written as long as its client stays
 * @max_bytes: that may wait to be sent
 * @ret:       the writer's part; owned by the caller
 */
int http_stream_reply(struct http_exchange *x,
                      const char *content_type,
                      size_t max_bytes,
                      struct http_stream **ret);

/* Return: 0, also when the client has gone; HTTP_STREAM_E_FULL; or -ENOMEM. */
int http_stream_write(struct http_stream *stream, struct bytes data);

/* What waits is sent, and then the answer is over. */
void http_stream_end(struct http_stream *stream);

/* Whether its client has gone, or the server has closed it: one that takes nothing for 30 seconds is closed. */
bool http_stream_is_over(struct http_stream *stream);

/* The writer writes no more: as http_stream_end(). To be done before the server is freed. */
void http_stream_free(struct http_stream *stream);
