/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * One request to an OpenID provider, over TLS or not at all
 */

#include <jansson.h>

#include "base/buf.h"
#include "site/oidc.h"

enum {
    OIDC_CONNECT_S = 5,
};

struct oidc_request {
    const char *url; /* https://... */
    const char *ca_file;
    const struct buf *form; /* a body of application/x-www-form-urlencoded; NULL: GET */
    const char *user;       /* percent-encoded, for Basic; NULL: none */
    const char *password;   /* the same */
    uint64_t timeout_us;    /* for the whole of it; not 0 */
};

/* "https://", a host, and nothing that no address has; not too long. */
bool oidc_is_https(const char *url);

/* "&name=value", encoded; without '&' at the beginning of @dst. */
void oidc_put_parameter(struct buf *dst, const char *name, const char *value);

/**
 * oidc_call() - ask, redirects not followed, at most OIDC_ANSWER_MAX_BYTES
 * @ret_status: of HTTP
 * @ret: the body; its max is OIDC_ANSWER_MAX_BYTES
 *
 * Return: 0; 1 with @why if there was no answer.
 */
int oidc_call(const struct oidc_request *request,
              unsigned *ret_status,
              struct buf *ret,
              char why[static OIDC_WHY_MAX]);
