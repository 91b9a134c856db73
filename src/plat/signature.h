/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Signatures by Ed25519 (RFC 8032), by OpenSSL
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    SIGNATURE_KEY_BYTES = 32, /* of the secret half, and of the public one */
    SIGNATURE_BYTES = 64,
    SIGNATURE_KEY_TEXT_MAX = 65, /* in hexadecimal, with the NUL */
    SIGNATURE_TEXT_MAX = 129,
};

/* The public half of a key. @secret: 32 random bytes are one. */
int signature_public(const uint8_t secret[static SIGNATURE_KEY_BYTES],
                     uint8_t ret[static SIGNATURE_KEY_BYTES]);

int signature_make(const uint8_t secret[static SIGNATURE_KEY_BYTES],
                   struct bytes text,
                   uint8_t ret[static SIGNATURE_BYTES]);

/* @ret: whether it is one of this text by the key with this public half, which may be any bytes. */
int signature_check(const uint8_t public_half[static SIGNATURE_KEY_BYTES],
                    struct bytes text,
                    const uint8_t signature[static SIGNATURE_BYTES],
                    bool *ret);
