/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Which streams of an image are made of which blob
 */

#include <stddef.h>
#include <stdint.h>

#include "image/apply_target.h"

struct apply_uses {         /* all zero: none */
    struct apply_use *uses; /* owned, sorted by SHA-1, then inode, then stream */
    size_t n_uses;
    struct apply_uses_blob *blobs; /* owned, sorted by SHA-1 */
    size_t n_blobs;
    size_t n_found;
    const struct metadata *image; /* borrowed */
};

/* Release; may be called twice. Fits OWN(). */
void apply_uses_fini(struct apply_uses *uses);

/* @image: borrowed as long as @ret. Return: 0, or -ENOMEM. */
int apply_uses_init(const struct metadata *image, struct apply_uses *ret);

/* Outcomes beside 0 */
enum {
    APPLY_USES_E_UNUSED = 1, /* no stream is made of it */
    APPLY_USES_E_TWICE = 2,  /* it was found before */
};

/**
 * apply_uses_find() - the streams that are made of a blob
 * @ret: its size_bytes is left alone, the rest borrows from @uses
 */
int apply_uses_find(struct apply_uses *uses,
                    const uint8_t sha1[static SHA1_BYTES],
                    struct apply_blob *ret);

/* A stream whose blob was not found, or NULL if every one was. */
const struct apply_use *apply_uses_missing(const struct apply_uses *uses);
