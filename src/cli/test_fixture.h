/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * For tests of commands: a site of the test's own making at a socket, and "slipway WORDS" run against it
 */

#include <pthread.h>

#include "base/buf.h"
#include "cli/args.h"
#include "rt/http_server.h"

enum {
    FIXTURE_BODY_MAX_BYTES = 4096,
    FIXTURE_PATH_MAX_BYTES = 256,
};

/* Routes for every path of up to five parts below /api/v1. */
#define FIXTURE_ROUTES(method, answer) \
    {method, "/api/v1/{a}", FIXTURE_BODY_MAX_BYTES, answer}, \
        {method, "/api/v1/{a}/{b}", FIXTURE_BODY_MAX_BYTES, answer}, \
        {method, "/api/v1/{a}/{b}/{c}", FIXTURE_BODY_MAX_BYTES, answer}, \
        {method, "/api/v1/{a}/{b}/{c}/{d}", FIXTURE_BODY_MAX_BYTES, answer}, \
    { \
        method, "/api/v1/{a}/{b}/{c}/{d}/{e}", FIXTURE_BODY_MAX_BYTES, answer \
    }

struct fixture {
    char folder[FIXTURE_PATH_MAX_BYTES];
    char socket[FIXTURE_PATH_MAX_BYTES + 16];
    char output[FIXTURE_PATH_MAX_BYTES + 16];
    struct http_server *server;
    pthread_t thread;
};

/* @ctx: what the handlers of @routes get; borrowed until fixture_stop() */
void fixture_start(struct fixture *f, const struct http_route *routes, void *ctx);
void fixture_stop(struct fixture *f);

/**
 * fixture_run() - run "slipway WORDS", which are separated by '|', with --output json unless they say another one
 * @output: gets what it printed; NULL: it is of no interest
 *
 * Return: the exit code of the program.
 */
enum args_exit fixture_run(struct fixture *f, const char *words, struct buf *output);
