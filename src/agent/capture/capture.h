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

struct folder_filter; /* image/folder_capture.h */

struct capture_volume {                 /* one index of the image */
    const char *source;                 /* a folder, or a file or device with an NTFS volume */
    const char *name;                   /* of the index */
    const char *description;            /* NULL: what the source says */
    const struct folder_filter *filter; /* NULL: all of it */
};

struct capture_options {
    const struct capture_volume *volumes; /* in the order of their indexes */
    size_t n_volumes;
    const char *name;       /* of the package if it is a new one */
    const char *version;    /* of a new package; NULL: none */
    const char *comment;    /* of a device's; NULL: none */
    const char *package_id; /* make its next content version; NULL: a new package */
    const char
        *order_id; /* a device captures, because this order says so; NULL: an administrator */
    struct http_client_options http;
    void (*tell)(void *ctx, uint64_t done_bytes); /* of the stream; may be NULL */
    bool (*is_stopped)(void *ctx);                /* may be NULL; called by any thread */
    void *ctx;
};

struct capture_result {
    struct sender_counts counts;
    char package_id[16];
    bool was_there; /* all was sent before: nothing was read */
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
