/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Wake on LAN: the magic packet, which a sleeping network adapter looks for in all that it hears ("Magic Packet
 * Technology", AMD publication 20213)
 */

#include <stdint.h>

#include "base/text.h"

enum {
    MAGIC_PACKET_BYTES = 6 + 16 * MAC_BYTES,
    MAGIC_PACKET_PORT = 9, /* UDP "discard": a computer that runs throws it away */
};

/* Six bytes FF and sixteen times the address. */
void magic_packet_put(uint8_t dst[static MAGIC_PACKET_BYTES], const uint8_t mac[static MAC_BYTES]);
