/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * SHA-256, by OpenSSL; and SHA-1, by which a WIM names its blobs
 */

#include <stdint.h>

#include "base/bytes.h"
#include "base/text.h"

struct digest; /* a running SHA-256, or SHA-1 */

int digest_new(struct digest **ret);
int digest_new_sha1(struct digest **ret);
void digest_free(struct digest *d);
int digest_add(struct digest *d, struct bytes src);

/* The result, of SHA-1 in the first SHA1_BYTES; the digest starts again from nothing. */
int digest_end(struct digest *d, uint8_t ret[static SHA256_BYTES]);

/* In one go. */
int digest_sha256(struct bytes src, uint8_t ret[static SHA256_BYTES]);
int digest_sha1(struct bytes src, uint8_t ret[static SHA1_BYTES]);
