/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Requests with a password: what takes long about it is done by a thread of its own, so each is begun and ended
 */

#include "server/site/api.h"
#include "site/password.h"

struct password_request {
    unsigned status;                                        /* of the answer */
    int (*enter)(struct api *api, struct http_exchange *x); /* who calls; both times */
    int (*begin)(struct api *api,
                 struct http_exchange *x,
                 const json_t *body,
                 struct password_work *ret);
    int (*end)(struct api *api,
               struct http_exchange *x,
               const json_t *body,
               const struct password_work *work,
               json_t **ret);
};

/* A handler; it is called twice: before the work, and after it. */
int password_request_serve(struct api *api,
                           struct http_exchange *x,
                           const struct password_request *request);
