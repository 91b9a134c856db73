/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "plat/random.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"

enum {
    TOKEN_BYTES = 32,
    TOKEN_PREFIX_MAX = 16,
    US_PER_MS = 1000,
};

void random_bytes(uint8_t *dst, size_t len)
{
    while (len > 0) {
        ssize_t n = getrandom(dst, len, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            abort();
        dst += n;
        len -= (size_t)n;
    }
}

/* base64url without padding (RFC 4648, section 5). */
static void put_base64url(char *dst, const uint8_t *src, size_t len)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    unsigned n_bits = 0;

    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | src[i];
        n_bits += 8;
        while (n_bits >= 6) {
            n_bits -= 6;
            *dst++ = alphabet[bits >> n_bits & 63];
        }
    }
    if (n_bits > 0)
        *dst++ = alphabet[bits << (6 - n_bits) & 63];
    *dst = '\0';
}

void random_token(char dst[static TOKEN_TEXT_MAX], const char *prefix)
{
    uint8_t secret[TOKEN_BYTES];
    size_t len = strlen(prefix);

    assert(len <= TOKEN_PREFIX_MAX);
    random_bytes(secret, sizeof(secret));
    (void)snprintf(dst, TOKEN_PREFIX_MAX + 2, "%s_", prefix);
    put_base64url(dst + len + 1, secret, sizeof(secret));
    explicit_bzero(secret, sizeof(secret));
}

void random_uuid(char *dst, uint64_t wall_us)
{
    uint8_t uuid[UUID_BYTES];
    uint64_t ms = wall_us / US_PER_MS;

    random_bytes(uuid, sizeof(uuid));
    for (unsigned i = 0; i < 6; i++)
        uuid[i] = (uint8_t)(ms >> (40 - 8 * i));
    uuid[6] = (uint8_t)(0x70 | (uuid[6] & 0x0f)); /* version 7 */
    uuid[8] = (uint8_t)(0x80 | (uuid[8] & 0x3f)); /* variant of RFC 9562 */
    uuid_put(dst, uuid);
}
