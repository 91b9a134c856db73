/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Randomness from the kernel, good for keys
 */

#include <stddef.h>
#include <stdint.h>

enum {
    TOKEN_TEXT_MAX = 64,
};

/* Fill; never fails: a kernel without randomness ends the process. */
void random_bytes(uint8_t *dst, size_t len);

/* A token of 256 bits: @prefix, '_', 43 characters of base64url. @prefix: at most 16 characters. */
void random_token(char dst[static TOKEN_TEXT_MAX], const char *prefix);

/* A random UUID, version 7 (RFC 9562): ordered by the time given. @dst: UUID_TEXT_MAX bytes. */
void random_uuid(char *dst, uint64_t wall_us);
