/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Chunks on their way to a distribution point: asked for, packed, compressed and sent, on threads of their own
 */

#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "format/recipe/recipe.h"
#include "rt/http_client.h"

struct sender;

/* Outcome of the functions below, beside 0 */
enum {
    SENDER_E_FAILED = 1, /* the site is away or says no: sender_why() */
};

struct sender_counts {
    uint64_t new_bytes;  /* plain, of chunks that were not there */
    uint64_t sent_bytes; /* of packs, compressed */
};

/**
 * sender_new() - start the threads
 * @http: how to reach the site; what it points to is borrowed until sender_free()
 */
int sender_new(const struct http_client_options *http, struct sender **ret);

/* What is not sent yet is dropped. */
void sender_free(struct sender *sender);
DEFINE_FREEP(struct sender *, sender_free);

/* Hand in a chunk, each one once; waits while too much is on its way. */
int sender_put(struct sender *sender, const struct recipe_chunk *chunk, struct bytes plain);

/**
 * sender_end() - wait until everything is sent, and durable
 *
 * Return: 0, SENDER_E_FAILED, or -errno.
 */
int sender_end(struct sender *sender, struct sender_counts *ret);

/* A sentence, with the error id where the site gave one; after SENDER_E_FAILED. */
const char *sender_why(const struct sender *sender);

struct sender_request {
    const char *method;
    const char *path;
    struct bytes body;        /* may be empty */
    const char *content_type; /* NULL if there is no body */
};

/**
 * sender_call() - one request, repeated while nobody answers or the site cannot now
 * @why: on SENDER_E_FAILED, what the site says
 * @ret: the answer's body, emptied before; NULL if nobody wants it
 *
 * Return: 0 if the answer is 2xx, SENDER_E_FAILED, or -errno.
 */
int sender_call(struct http_client *client,
                const struct sender_request *request,
                struct buf *why,
                struct buf *ret);
