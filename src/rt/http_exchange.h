/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * One request and its answer, as the server drives it; handlers see it through rt/http_server.h
 */

#include <stdbool.h>

#include <microhttpd.h>

#include "base/bytes.h"
#include "rt/http_server.h"

struct work_pool;

/* Give it to the readers; it must be suspended. */
void http_readers_add(struct http_readers *readers, struct http_exchange *x);

struct http_exchange_start {
    const struct http_route *routes; /* borrowed, like all of these, for the life of the exchange */
    http_guard *guard;               /* NULL: none */
    struct work_pool *pool;          /* for what takes long */
    struct work_pool *const *remote_pools; /* HTTP_REMOTES, for what waits for another machine */
    int wake_fd; /* an eventfd, borrowed: told when a suspended connection may go on */
    struct MHD_Connection *connection;
    const char *method;
    const char *path; /* percent-encoded */
};

/**
 * http_exchange_new() - look at the headers: find the route, or make the answer that refuses
 */
int http_exchange_new(const struct http_exchange_start *start, struct http_exchange **ret);
void http_exchange_free(struct http_exchange *x);

/*
 * Whether to answer before the body has been read. A refusal waits for a body that is not too long: who is still sending
 * when the connection is closed may never see the answer.
 */
bool http_exchange_is_over(struct http_exchange *x);

/* A piece of the body. */
void http_exchange_feed(struct http_exchange *x, struct bytes piece);

/*
 * The body is complete: call the handler, unless the answer is there already. There is one afterwards, unless it is deferred
 * or is to be done again.
 */
void http_exchange_handle(struct http_exchange *x, void *ctx);

/*
 * The same in a reader's thread, between http_exchange_suspend() and http_exchange_release(). There is no answer if the handler
 * wants to change something: then it is called again by http_exchange_handle().
 */
void http_exchange_read(struct http_exchange *x, void *ctx);
const struct http_route *http_exchange_route(const struct http_exchange *x); /* NULL: refused */
bool http_exchange_was_read(const struct http_exchange *x);
bool http_exchange_has_answer(const struct http_exchange *x);

/* Whether the handler said -EAGAIN: there is no answer yet. */
bool http_exchange_is_again(const struct http_exchange *x);

/* Call the handler once more, with nothing left of the answer. */
void http_exchange_repeat(struct http_exchange *x, const struct http_batch *batch, void *ctx);

/* The answer, if there is one, is not true: say what has failed instead. @r: -errno */
void http_exchange_fail(struct http_exchange *x, const struct http_batch *batch, void *ctx, int r);

/* Nothing happens on the connection until http_exchange_release(). */
void http_exchange_suspend(struct http_exchange *x);
void http_exchange_release(struct http_exchange *x);
bool http_exchange_is_settled(
    const struct http_exchange *x); /* its answer may be sent, whatever is not durable */

/* Those that are held or wait for a reader are in a list; the exchange only keeps which is the next. */
void http_exchange_link(struct http_exchange *x, struct http_exchange *next);
struct http_exchange *http_exchange_next(const struct http_exchange *x);

/* Whether the handler has put off its answer. */
bool http_exchange_is_deferred(const struct http_exchange *x);

/* Then: suspend the connection until the work is done. There is an answer already if that cannot be. */
void http_exchange_wait(struct http_exchange *x);

/* Hand the answer to the daemon. */
enum MHD_Result http_exchange_queue(struct http_exchange *x);

/**
 * http_exchange_answer() - the handler's answer
 * @content_type: NULL: none
 * @response:     taken over, also on failure; NULL: there was no memory for it
 */
int http_exchange_answer(struct http_exchange *x,
                         unsigned status,
                         const char *content_type,
                         struct MHD_Response *response);

/* For an answer that goes on after the handler has returned. */
struct MHD_Connection *http_exchange_connection(const struct http_exchange *x);
int http_exchange_wake_fd(const struct http_exchange *x);
