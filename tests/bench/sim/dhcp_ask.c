/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "dhcp_ask.h"

#include <stdio.h>
#include <string.h>

#include "proto/dhcp/dhcp_packet.h"
#include "proto/dhcp/pxe_dialogue.h"

enum {
    HTYPE_ETHERNET = 1,
    FLAG_BROADCAST = 0x8000,
    OPTION_WANTED = 55,
    OPTION_INTERFACE = 94, /* RFC 4578 */
    ARCH_X64_UEFI = 7,
    ARCH_X64_HTTP = 16,
};

/* Made of the MAC: the machine's, whatever it asks. */
static bool set_uuid(struct dhcp_packet *packet, const uint8_t mac[static MAC_BYTES])
{
    uint8_t raw[1 + UUID_BYTES] = {0, 's', 'l', 'i', 'p', 'w', 'a', 'y', '-', 's', 'i'};

    memcpy(raw + sizeof(raw) - MAC_BYTES, mac, MAC_BYTES);
    return dhcp_packet_set(packet, DHCP_OPTION_UUID, (struct bytes){raw, sizeof(raw)});
}

static bool set_options(struct dhcp_packet *packet, const struct dhcp_ask *ask)
{
    static const uint8_t wanted[] = {1, 3, 43, 54, 60, 66, 67, 97};
    static const uint8_t interface[] = {1, 3, 16};
    static const uint8_t size[] = {DHCP_ASK_MAX_BYTES >> 8, DHCP_ASK_MAX_BYTES & 0xff};
    const uint8_t arch[] = {0, ask->is_http ? ARCH_X64_HTTP : ARCH_X64_UEFI};
    const char *class =
        ask->is_http ? "HTTPClient:Arch:00016:UNDI:003016" : "PXEClient:Arch:00007:UNDI:003016";

    return dhcp_packet_set_u8(packet,
                              DHCP_OPTION_TYPE,
                              ask->is_request ? DHCP_TYPE_REQUEST : DHCP_TYPE_DISCOVER) &&
           dhcp_packet_set(packet, OPTION_WANTED, (struct bytes){wanted, sizeof(wanted)}) &&
           dhcp_packet_set(packet, DHCP_OPTION_MAX_SIZE, (struct bytes){size, sizeof(size)}) &&
           dhcp_packet_set(packet, DHCP_OPTION_CLASS, bytes_of(class)) &&
           dhcp_packet_set(packet, DHCP_OPTION_ARCH, (struct bytes){arch, sizeof(arch)}) &&
           dhcp_packet_set(
               packet, OPTION_INTERFACE, (struct bytes){interface, sizeof(interface)}) &&
           set_uuid(packet, ask->mac);
}

bool dhcp_ask_put(const struct dhcp_ask *ask, struct sink *dst)
{
    struct dhcp_packet packet = {
        .op = DHCP_OP_REQUEST,
        .htype = HTYPE_ETHERNET,
        .hlen = MAC_BYTES,
        .xid = ask->xid,
        .flags = ask->is_request ? 0 : FLAG_BROADCAST,
        .ciaddr = ask->is_request ? ask->address : 0,
    };

    memcpy(packet.chaddr, ask->mac, MAC_BYTES);
    return set_options(&packet, ask) && dhcp_packet_put(dst, &packet);
}

static void read_boot(const struct dhcp_packet *packet, char ret[static DHCP_ASK_BOOT_MAX])
{
    struct bytes option;

    if (dhcp_packet_get(packet, DHCP_OPTION_BOOT_FILE, &option))
        (void)snprintf(ret, DHCP_ASK_BOOT_MAX, "%.*s", (int)option.len, (const char *)option.ptr);
    else
        (void)snprintf(ret, DHCP_ASK_BOOT_MAX, "%.*s", DHCP_FILE_BYTES, (const char *)packet->file);
}

bool dhcp_heard_read(struct bytes src, struct dhcp_heard *ret)
{
    struct dhcp_packet packet;
    uint8_t type;

    if (dhcp_packet_parse(src, &packet) != 0 || packet.op != DHCP_OP_REPLY ||
        !dhcp_packet_get_u8(&packet, DHCP_OPTION_TYPE, &type) ||
        (type != DHCP_TYPE_OFFER && type != DHCP_TYPE_ACK))
        return false;
    *ret = (struct dhcp_heard){.xid = packet.xid,
                               .is_ack = type == DHCP_TYPE_ACK,
                               .is_boot_server = packet.has[DHCP_OPTION_CLASS]};
    if (!dhcp_packet_get_u32(&packet, DHCP_OPTION_SERVER, &ret->server))
        return false;
    read_boot(&packet, ret->boot);
    return true;
}
