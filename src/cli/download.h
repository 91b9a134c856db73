/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Fetching a large file in parts, written aside and checked before it gets its name
 *
 * The part that has come lies in TARGET.HASH.part, where HASH begins the file's SHA-256: a later run that wants the same
 * bytes goes on with it.
 */

#include <stdint.h>

#include "base/text.h"
#include "rt/http_client.h"

enum {
    DOWNLOAD_PART_BYTES = 8 * 1024 * 1024,
    DOWNLOAD_TRIES_MAX = 8, /* in a row without a byte gained */
};

/* Outcomes of download_run() beside 0 */
enum {
    DOWNLOAD_E_UNREACHABLE = 1, /* all tries used up */
    DOWNLOAD_E_PIN = 2,
    DOWNLOAD_E_REFUSED = 3,  /* the site said no: @answer */
    DOWNLOAD_E_CONFUSED = 4, /* what it sent is not what was asked for */
    DOWNLOAD_E_CORRUPT = 5,  /* the whole has another hash; nothing of it is kept */
};

struct download {
    struct http_client *client; /* borrowed */
    const char *path;           /* "/api/v1/exports/ID"; borrowed */
    const char *target;         /* of the file; replaced if there is one; borrowed */
    uint64_t size_bytes;
    uint8_t sha256[SHA256_BYTES];
    size_t part_bytes; /* at most DOWNLOAD_PART_BYTES */
    uint64_t retry_us; /* before the first retry; twice as long before the next */
    void (*on_progress)(void *ctx, const struct download *d);
    void *ctx;
    uint64_t first_offset;     /* out: where this run began */
    uint64_t offset;           /* out: what is there */
    unsigned status;           /* out: of the last answer; 0: the last request had none */
    struct http_answer answer; /* out: on DOWNLOAD_E_REFUSED; http_answer_fini() */
};

/**
 * download_run() - fetch, check, name
 *
 * Return: 0: the file is durable; an outcome; or -errno about the file.
 */
int download_run(struct download *d);
