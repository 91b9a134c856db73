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

struct http_exchange_start {
    const struct http_route *routes; /* borrowed, like all of these, for the life of the exchange */
    http_guard *guard;               /* NULL: none */
    struct work_pool *pool;          /* for what takes long */
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

/* The body is complete: call the handler, unless the answer is there already. There is one afterwards. */
void http_exchange_handle(struct http_exchange *x, void *ctx);

/* Whether the handler has put off its answer. */
bool http_exchange_is_deferred(const struct http_exchange *x);

/* Then: suspend the connection until the work is done. There is an answer already if that cannot be. */
void http_exchange_wait(struct http_exchange *x);

/* Hand the answer to the daemon. */
enum MHD_Result http_exchange_queue(struct http_exchange *x);
