/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * HTTP for a role's Unix socket, on libmicrohttpd: routes, bounded bodies, JSON, problem+json
 *
 * One thread: handlers run inside http_server_run(), one after the other, and must not block for long.
 * With a struct http_batch an answer is held until what was changed for it is durable, and one commit does for all that was
 * ready at the moment (docs/decisions/0017-one-commit-for-many.md). A handler that returns -EAGAIN, or whose commit
 * does, is called again with the same request.
 * Only nginx and the other roles can reach the socket (docs/threat-model.md). The first thing done to
 * a request is to refuse what nginx would never send: repeated Host or Content-Length, both
 * Content-Length and Transfer-Encoding.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct http_readers;
struct http_exchange; /* one request and its answer; valid until the handler returns */
struct http_server;

/**
 * http_handler - answers one request by calling one http_reply...() function
 *
 * Return: 0, or -errno, which is answered as 500 with error id SLW-0001 and logged.
 */
typedef int http_handler(void *ctx, struct http_exchange *x);

struct http_route {
    const char *method;    /* "GET", ... */
    const char *pattern;   /* "/api/v1/devices/{id}"; {name} matches one segment */
    size_t body_max_bytes; /* a longer body is not kept, and answered 413; 0: no body */
    http_handler *handle;
};

/**
 * http_guard - answers one request by @route->handle(ctx, x), or instead of it
 *
 * Return: as of an http_handler.
 */
typedef int http_guard(void *ctx, struct http_exchange *x, const struct http_route *route);

/* How the changes of several requests become durable together; each function gets the server's ctx. */
struct http_batch {
    void (*begin)(void *ctx);   /* requests are handled from now on */
    bool (*is_open)(void *ctx); /* there are changes: answers are held until they are durable */
    int (*commit)(
        void *ctx); /* -EAGAIN, -ECONNRESET: nothing is kept, do it again; or another -errno */
    int (*refuse)(void *ctx, struct http_exchange *x, int r); /* answer that it has failed so */
};

struct http_server_options {
    const char *socket_path;         /* made anew; its folder must exist */
    unsigned socket_mode;            /* 0660, ... */
    const struct http_route *routes; /* ends with .method == NULL; borrowed for the server's life */
    void *ctx;                       /* for the handlers */
    http_guard
        *guard; /* stands before every handler, and calls it; NULL: they are called at once */
    struct http_readers *readers; /* borrowed; NULL: the one thread does everything */
    bool (*is_for_readers)(
        const struct http_route *route); /* its handler changes nothing; for @readers */
    const struct http_batch *batch;      /* borrowed; NULL: answers are sent as they come */
    unsigned
        streams_max; /* answers that go on at the same time (rt/http_stream.h); beside other requests */
    void (*tick)(void *ctx); /* called at least once a second, between requests; may be NULL */
};

enum {
    HTTP_SERVERS_MAX = 4, /* in one http_server_run_all() */
    HTTP_READERS_MAX = 8,
    HTTP_REMOTES = 2, /* machines that work may wait for */
};

/**
 * http_readers_new() - threads that answer requests which change nothing
 * @ctxs: one for each thread, its handlers' ctx; borrowed
 * @n:    1 to HTTP_READERS_MAX
 *
 * A handler that returns -EROFS or -EAGAIN there is called again in the server's own thread, with the server's ctx. To be freed
 * before the servers that have it.
 */
int http_readers_new(void *const *ctxs, size_t n, struct http_readers **ret);
void http_readers_free(struct http_readers *readers);

int http_server_new(const struct http_server_options *options, struct http_server **ret);
void http_server_free(struct http_server *server);

/**
 * http_server_run() - serve until http_server_stop(), which a signal handler may call
 */
int http_server_run(struct http_server *server);
void http_server_stop(struct http_server *server);

/**
 * http_server_run_all() - several servers in one thread, until one of them is stopped
 * @n: 1 to HTTP_SERVERS_MAX; all with the same batch and ctx
 */
int http_server_run_all(struct http_server *const *servers, size_t n);

/* The request. Returned strings are borrowed until the handler returns; NULL means "not there". */
const char *http_param(struct http_exchange *x,
                       const char *name); /* of the route's pattern, decoded */
const char *http_query(struct http_exchange *x, const char *name);
const char *http_query_name(struct http_exchange *x, size_t n); /* of the n-th parameter, or NULL */
const char *http_header(struct http_exchange *x, const char *name);
const char *http_request_id(struct http_exchange *x); /* in X-Request-Id of the answer too */
struct bytes http_body(struct http_exchange *x);
const char *http_method(struct http_exchange *x);
const char *http_path(struct http_exchange *x);

/**
 * http_peer_uid() - user id of the process at the other end of the Unix socket (SO_PEERCRED)
 *
 * Return: false if the kernel does not say.
 */
bool http_peer_uid(struct http_exchange *x, uint32_t *ret);

/**
 * http_body_json() - parse the body as one JSON object, duplicate keys refused, at most 32 levels deep
 * @ret: owned by the caller
 *
 * Return: 0, or 1 if it is not: then the 400 problem has been sent already and the handler returns 0.
 */
int http_body_json(struct http_exchange *x, json_t **ret);

/**
 * http_defer() - do something that takes long before this request is answered, and answer others meanwhile
 * @work:     runs in another thread and touches nothing but @arg
 * @arg:      taken over, also on failure
 * @free_arg: releases it when the request is over
 *
 * The handler returns without an answer, and is called again when the work is done.
 *
 * Return: 0; 1 if too many are waiting, then the 503 problem has been sent already and the handler returns 0; -errno.
 */
int http_defer(struct http_exchange *x,
               void (*work)(void *arg),
               void *arg,
               void (*free_arg)(void *arg));

/**
 * http_defer_is_remote() - before http_defer(): the work waits for another machine, so a thread for such work does it
 * @which: below HTTP_REMOTES: each has a thread and places of its own, so that a machine that is slow keeps only those waiting
 *         who wait for it
 */
void http_defer_is_remote(struct http_exchange *x, unsigned which);

/* What the work was done on; NULL in the first call of the handler. Borrowed. */
void *http_deferred(struct http_exchange *x);

/* Answers. @value and what is in it is taken over (freed). A header must be added before the answer. */
int http_reply_json(struct http_exchange *x, unsigned status, json_t *value);
int http_reply_bytes(struct http_exchange *x,
                     unsigned status,
                     const char *content_type,
                     struct bytes body);
int http_reply_file(struct http_exchange *x,
                    unsigned status,
                    const char *content_type,
                    int fd); /* taken over, also on failure; from its beginning to its end */
int http_reply_empty(struct http_exchange *x, unsigned status);
int http_add_header(struct http_exchange *x, const char *name, const char *value);

/**
 * http_reply_problem() - answer as application/problem+json (RFC 9457)
 * @error_id: "SLW-0404" of docs/errors/; becomes "type": "urn:slipway:error:SLW-0404" and "error_id"
 * @title:    short, the same for every occurrence of the error id
 * @detail:   printf format: what was tried, on what, what happened, what to do; may be ""
 */
__attribute__((format(printf, 5, 6))) int http_reply_problem(struct http_exchange *x,
                                                             unsigned status,
                                                             const char *error_id,
                                                             const char *title,
                                                             const char *detail,
                                                             ...);
