/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/boundary_range.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

enum {
    IPV4_BITS = 32,
    IPV6_BITS = 128,
    IPV4_OFFSET = 12, /* of an IPv4 address in its IPv6 form */
    ADDRESS_TEXT_MAX = 64,
};

static bool parse_v4(const char *text, uint8_t ret[static BOUNDARY_ADDRESS_BYTES])
{
    memset(ret, 0, BOUNDARY_ADDRESS_BYTES);
    ret[IPV4_OFFSET - 2] = 0xff;
    ret[IPV4_OFFSET - 1] = 0xff;
    return inet_pton(AF_INET, text, ret + IPV4_OFFSET) == 1;
}

static bool parse_v6(const char *text, uint8_t ret[static BOUNDARY_ADDRESS_BYTES])
{
    return inet_pton(AF_INET6, text, ret) == 1;
}

static void put_key(char dst[static BOUNDARY_KEY_MAX],
                    const uint8_t address[static BOUNDARY_ADDRESS_BYTES])
{
    hex_put(dst, (struct bytes){address, BOUNDARY_ADDRESS_BYTES});
}

bool boundary_address_parse(const char *text, char ret[static BOUNDARY_KEY_MAX])
{
    uint8_t address[BOUNDARY_ADDRESS_BYTES];

    if (!parse_v4(text, address) && !parse_v6(text, address))
        return false;
    put_key(ret, address);
    return true;
}

/* Split at the one @mark. @ret_head: room for ADDRESS_TEXT_MAX; @ret_tail: borrows from @text. */
static bool split(const char *text, char mark, char *ret_head, const char **ret_tail)
{
    const char *at = strchr(text, mark);

    if (!at || at - text >= ADDRESS_TEXT_MAX)
        return false;
    (void)snprintf(ret_head, ADDRESS_TEXT_MAX, "%.*s", (int)(at - text), text);
    *ret_tail = at + 1;
    return true;
}

static int parse_prefix(const char *text, bool is_v4, struct boundary_range *ret)
{
    uint8_t low[BOUNDARY_ADDRESS_BYTES];
    uint8_t high[BOUNDARY_ADDRESS_BYTES];
    char head[ADDRESS_TEXT_MAX];
    const char *tail;
    uint64_t bits;

    if (!split(text, '/', head, &tail) || !(is_v4 ? parse_v4(head, low) : parse_v6(head, low)) ||
        !bytes_parse_u64(bytes_of(tail), 0, is_v4 ? IPV4_BITS : IPV6_BITS, &bits))
        return BOUNDARY_RANGE_E_MALFORMED;
    if (is_v4)
        bits += IPV6_BITS - IPV4_BITS;
    memcpy(high, low, sizeof(high));
    for (unsigned bit = (unsigned)bits; bit < IPV6_BITS; bit++) {
        uint8_t mask = (uint8_t)(0x80u >> (bit % 8));

        if (low[bit / 8] & mask)
            return BOUNDARY_RANGE_E_HOST_BITS;
        high[bit / 8] |= mask;
    }
    put_key(ret->low, low);
    put_key(ret->high, high);
    return 0;
}

static int parse_range(const char *text, struct boundary_range *ret)
{
    uint8_t low[BOUNDARY_ADDRESS_BYTES];
    uint8_t high[BOUNDARY_ADDRESS_BYTES];
    char head[ADDRESS_TEXT_MAX];
    const char *tail;

    if (!split(text, '-', head, &tail) || !parse_v4(head, low) || !parse_v4(tail, high))
        return BOUNDARY_RANGE_E_MALFORMED;
    if (memcmp(low, high, sizeof(low)) > 0)
        return BOUNDARY_RANGE_E_BACKWARDS;
    put_key(ret->low, low);
    put_key(ret->high, high);
    return 0;
}

int boundary_range_parse(enum boundary_kind kind, const char *text, struct boundary_range *ret)
{
    return kind == BOUNDARY_IPV4_RANGE ? parse_range(text, ret)
                                       : parse_prefix(text, kind == BOUNDARY_IPV4_SUBNET, ret);
}
