/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * HTTP/1.1 as a device speaks it: one connection that is kept open, one request at a time, TLS pinned to the site's key
 */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "loop.h"

enum {
    CONNECTION_HEAD_MAX_BYTES = 16 * 1024,
    CONNECTION_KEPT_MAX_BYTES =
        256 * 1024, /* of an answer; more is an error, unless it is taken by pieces */
    CONNECTION_TIMEOUT_US = 60 * 1000 * 1000,
};

/* Where requests go; shared by all connections to it. */
struct place {
    struct sockaddr_storage address;
    socklen_t address_len;
    SSL_CTX *tls;       /* NULL: none */
    const uint8_t *pin; /* SHA-256 of the key's SubjectPublicKeyInfo; NULL: any */
    const char *host;   /* for the header */
};

struct answer {
    unsigned status;   /* 0: none came */
    struct bytes body; /* borrowed; empty if it was taken by pieces */
};

struct connection_options {
    struct sim_loop *loop;
    void (*answer)(void *ctx, const struct answer *answer);
    bool (*piece)(
        void *ctx,
        struct bytes
            piece); /* of a body, in order; false: it is wrong, no answer came. NULL: kept */
    void *ctx;
};

struct connection {
    struct connection_options options;
    const struct place *place;
    uint32_t local; /* address it comes from, in host byte order; 0: any */
    struct sim_source source;
    struct sim_timer timeout;
    SSL *ssl; /* owned */
    enum {
        CONNECTION_CLOSED,
        CONNECTION_OPENING,
        CONNECTION_IDLE,
        CONNECTION_ASKING
    } state;
    struct buf out; /* the request */
    size_t n_sent;
    struct buf in;   /* head, then what is kept of the body */
    size_t head_len; /* 0: it is not whole yet */
    unsigned status;
    uint64_t body_len;
    uint64_t n_body; /* come so far */
    bool is_last;    /* the server closes behind this answer */
};

void connection_init(struct connection *c, const struct connection_options *options);

/* Closes; may be called twice. */
void connection_fini(struct connection *c);

/* From where to where, from the next request on; closes what is open. @local: 0 for any */
void connection_aim(struct connection *c, const struct place *place, uint32_t local);

/**
 * connection_ask() - send a request; the answer comes by options.answer, never from within this call
 * @token: NULL for none
 * @body:  JSON; empty: none
 *
 * A connection that is not open is opened first. Return: 0 or -errno, then no answer comes.
 */
int connection_ask(struct connection *c,
                   const char *method,
                   const char *path,
                   const char *token,
                   struct bytes body);

/* Contexts of clients that are pinned, and check nothing else. NULL: no memory */
SSL_CTX *connection_new_tls(void);
