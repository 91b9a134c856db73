/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "proto/dhcp/dhcp_packet.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(const struct dhcp_packet *a, const struct dhcp_packet *b)
{
    if (a->op != b->op || a->htype != b->htype || a->hlen != b->hlen || a->hops != b->hops ||
        a->xid != b->xid || a->secs != b->secs || a->flags != b->flags || a->ciaddr != b->ciaddr ||
        a->yiaddr != b->yiaddr || a->siaddr != b->siaddr || a->giaddr != b->giaddr ||
        memcmp(a->chaddr, b->chaddr, sizeof(a->chaddr)) != 0 ||
        memcmp(a->sname, b->sname, sizeof(a->sname)) != 0 ||
        memcmp(a->file, b->file, sizeof(a->file)) != 0)
        abort();

    for (unsigned code = 0; code < DHCP_OPTION_COUNT; code++) {
        struct bytes left = {0};
        struct bytes right = {0};

        if (dhcp_packet_get(a, (uint8_t)code, &left) != dhcp_packet_get(b, (uint8_t)code, &right) ||
            !bytes_eq(left, right))
            abort();
    }
}

/* Whatever was parsed must survive being written without overloading and read again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dhcp_packet packet;
    static struct dhcp_packet again;
    uint8_t raw[DHCP_PACKET_MAX_BYTES];
    struct sink dst = {.ptr = raw, .cap = sizeof(raw)};

    if (dhcp_packet_parse((struct bytes){data, size}, &packet) != 0)
        return 0;
    if (!dhcp_packet_put(&dst, &packet)) /* an overloaded packet can grow beyond the limit */
        return 0;
    if (dhcp_packet_parse((struct bytes){raw, dst.len}, &again) != 0)
        abort();
    compare(&packet, &again);
    return 0;
}
