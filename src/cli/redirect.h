/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Where the browser comes back to after signing in somewhere else: a loopback address of this computer (RFC 8252, 7.3)
 */

#include <stdint.h>

#include "base/bytes.h"
#include "rt/http_values.h"

enum {
    REDIRECT_REQUEST_MAX_BYTES = 16 * 1024,
    REDIRECT_URI_MAX = 40, /* "http://127.0.0.1:65535/" and the NUL */
};

/* Outcome of the functions below beside 0 */
enum {
    REDIRECT_E_OTHER = 1, /* another request than the one that is waited for */
    REDIRECT_E_LATE = 2,  /* none came in time */
};

/**
 * redirect_parse() - the head of a request, to the empty line
 * @port:  at which we listen: of another host than this one a page of somebody else's may have made the request
 * @state: which sign-in it must be
 * @ret:   http_values_fini() releases it, always; its parameters
 *
 * Return: 0, REDIRECT_E_OTHER or -ENOMEM.
 */
int redirect_parse(struct bytes head, unsigned port, const char *state, struct http_values *ret);

/* Listen at 127.0.0.1. @ret_uri: its address. Return: a descriptor, or -errno. */
int redirect_listen(char ret_uri[static REDIRECT_URI_MAX], unsigned *ret_port);

/**
 * redirect_wait() - until the browser comes with this state; what else comes is answered with 404
 * @until_us: of clock_monotonic_us()
 * @ret:      http_values_fini() releases it, always
 *
 * Return: 0, REDIRECT_E_LATE or -errno.
 */
int redirect_wait(
    int fd, unsigned port, const char *state, uint64_t until_us, struct http_values *ret);
