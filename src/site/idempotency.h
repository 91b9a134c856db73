/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Requests that have a name, so that they can be sent again when their answer was lost
 *
 * What was answered is kept in the transaction that did it, for a day, encrypted with the name, of which only a hash is kept: an
 * answer may have a secret in it.
 */

#include <jansson.h>

#include "base/bytes.h"

struct site;

enum {
    IDEMPOTENCY_KEY_MIN = 16, /* characters of a name */
    IDEMPOTENCY_KEY_MAX = 128,
    IDEMPOTENCY_OF_ONE_MAX = 5000, /* answers of one administrator; the oldest make way */
    IDEMPOTENCY_OF_ONE_MAX_BYTES = 16 * 1024 * 1024,
    IDEMPOTENCY_MAX_BYTES = 256 * 1024 * 1024, /* of all */
    IDEMPOTENCY_TRIM_EVERY = 64, /* answers: so many of one may be there beyond his share */
};

/* What a request is. */
struct idempotency_request {
    const char *key; /* its name */
    const char *method;
    const char *target; /* path and query */
    struct bytes body;
};

/* Outcome of idempotency_find() beside 0 and SITE_E_REFUSED. */
enum {
    IDEMPOTENCY_E_DONE = 2, /* it was done, and this was the answer */
};

/**
 * idempotency_find() - was this done already
 * @ret_status, @ret: set with IDEMPOTENCY_E_DONE; *ret is NULL if the answer was empty, otherwise owned by the caller
 *
 * Return: 0: no; IDEMPOTENCY_E_DONE; SITE_E_REFUSED: the key is not fit, or another request had it; -errno.
 */
int idempotency_find(struct site *site,
                     const struct idempotency_request *request,
                     unsigned *ret_status,
                     json_t **ret);

/* It is done now. @answer: NULL: empty */
int idempotency_keep(struct site *site,
                     const struct idempotency_request *request,
                     unsigned status,
                     const json_t *answer);

/* What is older than a day goes; for site_tick(). */
int idempotency_tick(struct site *site);
