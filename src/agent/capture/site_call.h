/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * One request to the site, as patient as it is worth
 */

#include <stdbool.h>

#include "base/buf.h"
#include "rt/http_client.h"

struct site {                      /* one connection; for one thread at a time */
    struct http_client *client;    /* borrowed */
    bool (*is_stopped)(void *ctx); /* whoever waits gives up then; may be NULL */
    void *ctx;
};

struct site_request {
    const char *method;
    const char *path;
    struct bytes body;        /* may be empty */
    const char *content_type; /* NULL if there is no body */
};

/* Outcomes beside 0 */
enum {
    SITE_E_FAILED =
        1, /* it is away for longer than anybody waits, or said no; @why is a sentence */
    SITE_E_STOPPED = 2, /* is_stopped() said so */
};

bool site_is_stopped(const struct site *site);

/**
 * site_call() - one request, repeated while nobody answers or the site cannot now
 * @why: on SITE_E_FAILED, what the site says
 * @ret: the answer's body, emptied before; NULL if nobody wants it
 *
 * Return: 0 if the answer is 2xx, an outcome, or -errno.
 */
int site_call(const struct site *site,
              const struct site_request *request,
              struct buf *why,
              struct buf *ret);

/* Wait. Return: 0, or SITE_E_STOPPED. */
int site_sleep(const struct site *site, uint64_t us);
