/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A tree of this computer becomes an OS image of the site (docs/protocol/content.md, Capturing)
 *
 * It is read once; what the site has is not sent; nothing of it is written to a disk here.
 */

#include <stdbool.h>
#include <stdint.h>

#include "agent/capture/sender.h"
#include "base/buf.h"
#include "rt/http_client.h"

struct capture_options {
    const char *source;     /* a folder, or a file or device with an NTFS volume */
    const char *name;       /* of the image, and of the package if it is a new one */
    const char *version;    /* of a new package; NULL: none */
    const char *package_id; /* make its next content version; NULL: a new package */
    struct http_client_options http;
    void (*tell)(void *ctx, uint64_t done_bytes); /* of the stream; may be NULL */
    bool (*is_stopped)(void *ctx);                /* may be NULL; called by any thread */
    void *ctx;
};

struct capture_result {
    struct sender_counts counts;
    char package_id[16];
};

/* Outcomes beside 0; @why is a sentence */
enum {
    CAPTURE_E_SOURCE = 1, /* SLW-0366 */
    CAPTURE_E_SITE = 2,   /* away, or said no; @why has its error id */
    CAPTURE_E_TOO_LARGE = 3,
    CAPTURE_E_STOPPED =
        4, /* is_stopped() said so; at the site nothing is left but chunks that nothing uses */
};

/**
 * capture_run() - capture, send, and wait until the site has made the content version
 *
 * Return: 0, an outcome, or -errno.
 */
int capture_run(const struct capture_options *options, struct capture_result *ret, struct buf *why);

/* One line: how long it took, and what it was bound by. */
void capture_put_stages(const struct sender_counts *counts, struct buf *ret);
