/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "proto/wol/magic_packet.h"

#include <string.h>

enum {
    SYNC_BYTES = 6,
};

void magic_packet_put(uint8_t dst[static MAGIC_PACKET_BYTES], const uint8_t mac[static MAC_BYTES])
{
    memset(dst, 0xff, SYNC_BYTES);
    for (size_t at = SYNC_BYTES; at < MAGIC_PACKET_BYTES; at += MAC_BYTES)
        memcpy(&dst[at], mac, MAC_BYTES);
}
