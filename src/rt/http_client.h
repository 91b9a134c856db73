/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A blocking HTTP client for the REST API, on libcurl: one base, one identity, one request at a time
 *
 * Content is fetched by agent/fetch, which keeps many transfers in the air; this is for everything else.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/text.h"

struct http_client;

/* Who has a token that is not the same for ever. Asked by whoever uses the client, in his thread. */
struct http_tokens {
    /* Before each request. Return: 0, @dst "" if there is none, nor will be; 1: there is none now; -errno. */
    int (*put)(void *ctx, char *dst, size_t cap);
    /* The answer was 401. Return: whether there may be another: the request is then made once more. */
    bool (*refuse)(void *ctx, const char *token);
    void *ctx;
};

struct http_client_options {
    const char *base_url;    /* "https://10.77.0.1:443"; for a Unix socket "http://site" */
    const char *unix_socket; /* path, or NULL */
    const uint8_t
        *pin; /* SHA-256 of the site key's SubjectPublicKeyInfo, SHA256_BYTES; or NULL, which
                                means: verify against the system's certificate authorities */
    const char *bearer;        /* token, or NULL; copied, never logged */
    struct http_tokens tokens; /* instead of @bearer, if .put is there; copied */
    const char *user_agent;    /* "slipway/0.1.0" */
    uint64_t
        timeout_us; /* for a whole request; 0: none beyond 30 s to connect and a stalled peer */
};

struct http_answer {
    unsigned status;
    struct buf body;        /* owned; at most HTTP_ANSWER_MAX_BYTES */
    char content_type[128]; /* "" if there is none */
    struct buf headers;     /* owned; the header lines as they came: http_answer_header() */
};

enum {
    HTTP_ANSWER_MAX_BYTES = 64 * 1024 * 1024,
};

/* Outcomes of http_client_call() and http_client_json() beside 0 */
enum {
    HTTP_CLIENT_E_UNREACHABLE =
        1,                 /* could not connect, or the connection broke: worth another try */
    HTTP_CLIENT_E_PIN = 2, /* whoever answers does not have the site's key */
};

int http_client_new(const struct http_client_options *options, struct http_client **ret);
void http_client_free(struct http_client *client);

/* Replace the token; NULL: none. */
int http_client_set_bearer(struct http_client *client, const char *bearer);

/* Add "Name: value" to every later request. */
int http_client_add_header(struct http_client *client, const char *header);

/* Add "Name: value" to the next request only. */
int http_client_next_header(struct http_client *client, const char *header);

/* Why the last call was HTTP_CLIENT_E_...: one English sentence; borrowed until the next call. */
const char *http_client_why(const struct http_client *client);

/**
 * http_client_call() - one request, redirects not followed
 * @path: appended to the base URL; the caller has percent-encoded it
 * @body: may be empty
 * @content_type: of @body; NULL if there is none
 * @ret: owned by the caller, http_answer_fini(); set on 0, whatever the HTTP status
 */
int http_client_call(struct http_client *client,
                     const char *method,
                     const char *path,
                     struct bytes body,
                     const char *content_type,
                     struct http_answer *ret);
void http_answer_fini(struct http_answer *answer);

/**
 * http_answer_header() - a header of the answer, without the white space around it
 * @name: in any case
 * @ret:  borrows from @answer
 *
 * Return: false if it is not there.
 */
bool http_answer_header(const struct http_answer *answer, const char *name, struct bytes *ret);

/* Who takes an answer that comes bit by bit. */
struct http_follow {
    bool (*take)(void *ctx, struct bytes piece); /* false: enough */
    bool (*idle)(
        void *ctx); /* about once a second, whether something comes or not; false: enough */
    void *ctx;
};

/**
 * http_client_follow() - GET of what has no end, as events
 * @ret: as of http_client_call(); its body only if the status is not 200
 *
 * Return: 0 when the answer has ended or it was enough; HTTP_CLIENT_E_UNREACHABLE also when the connection broke, or was silent for a minute.
 */
int http_client_follow(struct http_client *client,
                       const char *path,
                       const struct http_follow *follow,
                       struct http_answer *ret);

/**
 * http_client_json() - the same with JSON both ways
 * @body: borrowed; NULL: no body
 * @ret_status: HTTP status
 * @ret: owned by the caller; NULL when the answer has no body; a problem+json comes as it is
 *
 * Return: 0, an outcome, or -EBADMSG if the answer is not JSON.
 */
int http_client_json(struct http_client *client,
                     const char *method,
                     const char *path,
                     const json_t *body,
                     unsigned *ret_status,
                     json_t **ret);
