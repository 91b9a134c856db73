/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * XXH3-128, by xxHash: finds what a wire or a disk has damaged, as fast as memory is read
 *
 * Anybody can make bytes that have a given sum: against that there is plat/digest.h.
 */

#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"

enum {
    CHECKSUM_BYTES = 16,
};

struct checksum; /* a running sum */

int checksum_new(struct checksum **ret);
void checksum_free(struct checksum *sum);
DEFINE_FREEP(struct checksum *, checksum_free);

/* Start again from nothing. */
void checksum_begin(struct checksum *sum);
void checksum_add(struct checksum *sum, struct bytes src);

/* The result so far, in the canonical form (most significant byte first). */
void checksum_end(const struct checksum *sum, uint8_t ret[static CHECKSUM_BYTES]);

/* In one go. */
void checksum_of(struct bytes src, uint8_t ret[static CHECKSUM_BYTES]);
