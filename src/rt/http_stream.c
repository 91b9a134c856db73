/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/http_stream.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "rt/http_exchange.h"
#include "rt/log.h"

enum {
    PIECE_BYTES = 512,
    SEND_TIMEOUT_S = 30,
};

/* Shared by its writer and the server's response; the last of them frees it. */
struct http_stream {
    pthread_mutex_t lock;              /* of all below */
    struct MHD_Connection *connection; /* borrowed; NULL: the answer is over */
    int wake_fd;                       /* borrowed from the server */
    struct buf waiting;
    size_t n_sent; /* bytes of it */
    size_t max_bytes;
    unsigned n_owners;
    bool is_suspended;
    bool is_ended;
    bool has_timeout;
};

static void let_go(struct http_stream *stream)
{
    bool is_last;

    (void)pthread_mutex_lock(&stream->lock);
    is_last = --stream->n_owners == 0;
    (void)pthread_mutex_unlock(&stream->lock);
    if (!is_last)
        return;
    buf_fini(&stream->waiting);
    (void)pthread_mutex_destroy(&stream->lock);
    free(stream);
}

/* With the lock. What was sent takes no memory. */
static size_t take_piece(struct http_stream *stream, char *dst, size_t max)
{
    size_t left = stream->waiting.len - stream->n_sent;
    size_t n = left < max ? left : max;

    memcpy(dst, stream->waiting.ptr + stream->n_sent, n);
    stream->n_sent += n;
    if (n == left) {
        buf_fini(&stream->waiting);
        stream->waiting = BUF_INIT(stream->max_bytes);
        stream->n_sent = 0;
    }
    return n;
}

/* With the lock. Who takes nothing for so long does not keep a place; while it is suspended no time passes for it. */
static void set_timeout(struct http_stream *stream)
{
    if (!stream->has_timeout)
        (void)MHD_set_connection_option(
            stream->connection, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)SEND_TIMEOUT_S);
    stream->has_timeout = true;
}

/* In the server's thread: the connection can take something. */
static ssize_t on_room(void *ctx, uint64_t at, char *dst, size_t max)
{
    struct http_stream *stream = ctx;
    ssize_t n = 0;

    (void)at;
    (void)pthread_mutex_lock(&stream->lock);
    set_timeout(stream);
    if (stream->waiting.len > stream->n_sent) {
        n = (ssize_t)take_piece(stream, dst, max);
    } else if (stream->is_ended) {
        n = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        stream->is_suspended = true;
        MHD_suspend_connection(stream->connection);
    }
    (void)pthread_mutex_unlock(&stream->lock);
    return n;
}

static void on_over(void *ctx)
{
    struct http_stream *stream = ctx;

    (void)pthread_mutex_lock(&stream->lock);
    stream->connection = NULL;
    (void)pthread_mutex_unlock(&stream->lock);
    let_go(stream);
}

/* With the lock. */
static void wake(struct http_stream *stream)
{
    const uint64_t one = 1;

    if (!stream->is_suspended || !stream->connection)
        return;
    stream->is_suspended = false;
    MHD_resume_connection(stream->connection);
    if (write(stream->wake_fd, &one, sizeof(one)) < 0)
        log_debug("http", "text=\"nobody can be woken: %s\"", strerrordesc_np(errno));
}

int http_stream_reply(struct http_exchange *x,
                      const char *content_type,
                      size_t max_bytes,
                      struct http_stream **ret)
{
    struct http_stream *stream = calloc(1, sizeof(*stream));
    struct MHD_Response *response;
    int r;

    if (!stream)
        return ERR(-ENOMEM);
    (void)pthread_mutex_init(&stream->lock, NULL);
    stream->connection = http_exchange_connection(x);
    stream->wake_fd = http_exchange_wake_fd(x);
    stream->waiting = BUF_INIT(max_bytes);
    stream->max_bytes = max_bytes;
    stream->n_owners = 2;
    response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE_BYTES, on_room, stream, on_over);
    if (!response)
        stream->n_owners = 1;
    r = http_exchange_answer(x, 200, content_type, response);
    if (r < 0) {
        let_go(stream);
        return TRACE(r);
    }
    *ret = stream;
    return 0;
}

int http_stream_write(struct http_stream *stream, struct bytes data)
{
    int r = 0;

    (void)pthread_mutex_lock(&stream->lock);
    if (stream->connection && data.len > stream->max_bytes - stream->waiting.len) {
        r = HTTP_STREAM_E_FULL;
    } else if (stream->connection) {
        buf_add(&stream->waiting, data);
        r = stream->waiting.failed ? ERR(-ENOMEM) : 0;
        wake(stream);
    }
    (void)pthread_mutex_unlock(&stream->lock);
    return r;
}

void http_stream_end(struct http_stream *stream)
{
    (void)pthread_mutex_lock(&stream->lock);
    stream->is_ended = true;
    wake(stream);
    (void)pthread_mutex_unlock(&stream->lock);
}

bool http_stream_is_over(struct http_stream *stream)
{
    bool is_over;

    (void)pthread_mutex_lock(&stream->lock);
    is_over = !stream->connection;
    (void)pthread_mutex_unlock(&stream->lock);
    return is_over;
}

void http_stream_free(struct http_stream *stream)
{
    if (!stream)
        return;
    http_stream_end(stream);
    let_go(stream);
}
