/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * IP addresses and ranges of them as text that compares as the addresses do
 *
 * An address is an IPv6 address in 32 hexadecimal digits; IPv4 is ::ffff:a.b.c.d. Both families so have their own place,
 * and one comparison serves them.
 */

#include <stdbool.h>

enum {
    BOUNDARY_ADDRESS_BYTES = 16,
    BOUNDARY_KEY_MAX = 33, /* 32 digits and the NUL */
};

enum boundary_kind {
    BOUNDARY_IPV4_SUBNET, /* "10.77.0.0/16" */
    BOUNDARY_IPV4_RANGE,  /* "10.77.0.10-10.77.0.99", both ends in it */
    BOUNDARY_IPV6_PREFIX, /* "fd00:77::/64" */
    BOUNDARY_KIND_COUNT,
};

/* Outcomes of boundary_range_parse() beside 0 */
enum {
    BOUNDARY_RANGE_E_MALFORMED = 1,
    BOUNDARY_RANGE_E_HOST_BITS = 2, /* the address is not the first of the subnet or prefix */
    BOUNDARY_RANGE_E_BACKWARDS = 3, /* the range ends before it begins */
};

struct boundary_range {
    char low[BOUNDARY_KEY_MAX];
    char high[BOUNDARY_KEY_MAX];
};

/* Dotted or with colons, nothing around it. An IPv6 address that embeds an IPv4 one (::ffff:…) is that IPv4 address. */
bool boundary_address_parse(const char *text, char ret[static BOUNDARY_KEY_MAX]);

/* @ret: unchanged unless 0 is returned. */
int boundary_range_parse(enum boundary_kind kind, const char *text, struct boundary_range *ret);
