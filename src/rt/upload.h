/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Sending a file in parts, so that a broken connection costs one part (docs/protocol/content.md)
 */

#include <stdint.h>

#include "rt/http_client.h"

enum {
    UPLOAD_PART_BYTES = 8 * 1024 * 1024,
    UPLOAD_TRIES_MAX = 8, /* in a row without a byte gained */
};

/* Outcomes of upload_run() beside 0 */
enum {
    UPLOAD_E_UNREACHABLE = 1, /* all tries used up */
    UPLOAD_E_PIN = 2,
    UPLOAD_E_REFUSED = 3,  /* the site said no: @answer */
    UPLOAD_E_FILE = 4,     /* the file is shorter than it was */
    UPLOAD_E_CONFUSED = 5, /* the site's offsets make no sense */
};

struct upload {
    struct http_client *client; /* borrowed */
    const char *path;           /* "/api/v1/uploads/ID"; borrowed */
    int fd;                     /* borrowed; read by offset */
    uint64_t size_bytes;
    size_t part_bytes; /* at most UPLOAD_PART_BYTES */
    uint64_t retry_us; /* before the first retry; twice as long before the next */
    void (*on_progress)(void *ctx, uint64_t done_bytes);
    void *ctx;
    uint64_t offset;           /* out: what has arrived */
    unsigned status;           /* out: of the last answer; 0: the last request had none */
    struct http_answer answer; /* out: on UPLOAD_E_REFUSED; http_answer_fini() */
};

/**
 * upload_find() - ask where the upload stands, to go on from there
 *
 * Return: 0 with u->offset set, or an outcome (UPLOAD_E_REFUSED: there is no such upload), or -errno.
 */
int upload_find(struct upload *u);

/**
 * upload_run() - send everything from u->offset on
 *
 * Return: 0, an outcome, or -errno.
 */
int upload_run(struct upload *u);
