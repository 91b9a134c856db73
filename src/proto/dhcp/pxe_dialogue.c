/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "proto/dhcp/pxe_dialogue.h"

#include <assert.h>
#include <string.h>

#define BROADCAST  0xffffffffu
#define PXE_CLASS  "PXEClient"
#define HTTP_CLASS "HTTPClient"

enum {
    HTYPE_ETHERNET = 1,
    MAX_SIZE_UNASKED = 576, /* RFC 2132, 9.10: an IP datagram that everybody takes */
    IP_UDP_HEADERS = 28,
    VENDOR_DISCOVERY_CONTROL = 6, /* PXE 2.1, table 2-1: sub-options of option 43 */
    VENDOR_BOOT_ITEM = 71,
    VENDOR_END = 255,
    USE_THE_BOOT_FILE =
        8, /* bit 3 of the discovery control: load what the offer names, ask nobody else */
    ADDRESS_TEXT_MAX = 16,
};

static bool begins_with(struct bytes src, const char *prefix)
{
    size_t len = strlen(prefix);

    return src.len >= len && memcmp(src.ptr, prefix, len) == 0;
}

static bool read_class(const struct dhcp_packet *packet, struct pxe_question *ret)
{
    struct bytes class;
    struct bytes arch;

    if (!dhcp_packet_get(packet, DHCP_OPTION_CLASS, &class) ||
        !dhcp_packet_get(packet, DHCP_OPTION_ARCH, &arch) || !bytes_take_u16be(&arch, &ret->arch))
        return false;
    ret->is_http = begins_with(class, HTTP_CLASS);
    return ret->is_http || begins_with(class, PXE_CLASS);
}

/* iPXE says so in the user class, bare or with RFC 3004's length in front, and by its own option. */
static bool is_ipxe(const struct dhcp_packet *packet)
{
    struct bytes user;

    if (packet->has[DHCP_OPTION_IPXE])
        return true;
    if (!dhcp_packet_get(packet, DHCP_OPTION_USER_CLASS, &user))
        return false;
    return begins_with(user, "iPXE") || begins_with(user, "\x04iPXE");
}

static bool names_a_machine(const uint8_t uuid[static UUID_BYTES])
{
    bool is_zero = true;
    bool is_ones = true;

    for (size_t i = 0; i < UUID_BYTES; i++) {
        is_zero = is_zero && uuid[i] == 0;
        is_ones = is_ones && uuid[i] == 0xff;
    }
    return !is_zero && !is_ones;
}

/* SMBIOS keeps the first three fields of a UUID little-endian, and firmware sends them as they lie. */
static void read_uuid(const struct dhcp_packet *packet, struct pxe_question *ret)
{
    static const uint8_t from[UUID_BYTES] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    struct bytes raw;

    if (!dhcp_packet_get(packet, DHCP_OPTION_UUID, &raw) || raw.len == 0 ||
        raw.len > sizeof(ret->echo_uuid))
        return;
    memcpy(ret->echo_uuid, raw.ptr, raw.len);
    ret->echo_uuid_len = raw.len;

    if (raw.len != 1 + UUID_BYTES || raw.ptr[0] != 0)
        return;
    for (size_t i = 0; i < UUID_BYTES; i++)
        ret->uuid[i] = raw.ptr[1 + from[i]];
    ret->has_uuid = names_a_machine(ret->uuid);
}

static void read_boot_item(const struct dhcp_packet *packet, struct pxe_question *ret)
{
    struct bytes vendor;
    struct bytes value;
    uint8_t code;
    uint8_t len;

    if (!dhcp_packet_get(packet, DHCP_OPTION_VENDOR, &vendor))
        return;
    while (bytes_take_u8(&vendor, &code) && code != VENDOR_END) {
        if (code == DHCP_OPTION_PAD)
            continue;
        if (!bytes_take_u8(&vendor, &len) || !bytes_take(&vendor, len, &value))
            return;
        if (code == VENDOR_BOOT_ITEM && value.len == sizeof(ret->boot_item)) {
            memcpy(ret->boot_item, value.ptr, value.len);
            ret->has_boot_item = true;
        }
    }
}

static size_t read_max_bytes(const struct dhcp_packet *packet)
{
    uint16_t asked = 0;

    (void)dhcp_packet_get_u16(packet, DHCP_OPTION_MAX_SIZE, &asked);
    if (asked < MAX_SIZE_UNASKED)
        asked = MAX_SIZE_UNASKED;

    size_t most = (size_t)asked - IP_UDP_HEADERS;

    return most < PXE_ANSWER_MAX_BYTES ? most : PXE_ANSWER_MAX_BYTES;
}

/* Which stage a packet belongs to, if it is for us at all. */
static bool
read_stage(const struct dhcp_packet *packet, uint16_t port, uint32_t local, enum pxe_stage *ret)
{
    uint8_t type;
    uint32_t server = 0;
    bool names_server = dhcp_packet_get_u32(packet, DHCP_OPTION_SERVER, &server);

    if (packet->op != DHCP_OP_REQUEST || !dhcp_packet_get_u8(packet, DHCP_OPTION_TYPE, &type))
        return false;
    if (names_server && server != local)
        return false;

    *ret = type == DHCP_TYPE_DISCOVER ? PXE_STAGE_DISCOVER : PXE_STAGE_REQUEST;
    if (port == PXE_PORT_BOOT_SERVER)
        return type == DHCP_TYPE_REQUEST || type == DHCP_TYPE_INFORM;
    /* On 67 a REQUEST is the client's talk with its DHCP server, unless it names us. */
    return type == DHCP_TYPE_DISCOVER || type == DHCP_TYPE_INFORM ||
           (type == DHCP_TYPE_REQUEST && names_server);
}

static void read_rest(const struct dhcp_packet *packet, struct pxe_question *ret)
{
    struct bytes relay;
    uint32_t wanted;

    memcpy(ret->mac, packet->chaddr, MAC_BYTES);
    memcpy(ret->chaddr, packet->chaddr, sizeof(ret->chaddr));
    ret->xid = packet->xid;
    ret->flags = packet->flags;
    ret->ciaddr = packet->ciaddr;
    ret->relay = packet->giaddr;
    ret->client_address = packet->ciaddr;
    if (ret->client_address == 0 &&
        dhcp_packet_get_u32(packet, DHCP_OPTION_REQUESTED_ADDRESS, &wanted))
        ret->client_address = wanted;
    ret->is_ipxe = is_ipxe(packet);
    ret->max_bytes = read_max_bytes(packet);
    read_uuid(packet, ret);
    read_boot_item(packet, ret);
    if (dhcp_packet_get(packet, DHCP_OPTION_RELAY, &relay) && relay.len > 0 &&
        relay.len <= sizeof(ret->echo_relay)) {
        memcpy(ret->echo_relay, relay.ptr, relay.len);
        ret->echo_relay_len = relay.len;
    }
}

int pxe_question_read(struct bytes src, uint16_t port, uint32_t local, struct pxe_question *ret)
{
    struct dhcp_packet packet;

    *ret = (struct pxe_question){.port = port, .local = local};
    if (dhcp_packet_parse(src, &packet) != 0)
        return PXE_E_MALFORMED;
    if (packet.op != DHCP_OP_REQUEST)
        return PXE_E_NOT_OURS;
    if (!read_class(&packet, ret))
        return PXE_E_NOT_PXE;
    if (packet.htype != HTYPE_ETHERNET || packet.hlen != MAC_BYTES)
        return PXE_E_HARDWARE;
    if (!read_stage(&packet, port, local, &ret->stage))
        return PXE_E_NOT_OURS;

    read_rest(&packet, ret);
    return 0;
}

const char *pxe_why_not(int outcome)
{
    static const char *const words[] = {
        [PXE_E_MALFORMED] = "malformed",
        [PXE_E_NOT_PXE] = "not-a-boot-client",
        [PXE_E_NOT_OURS] = "for-another-server",
        [PXE_E_HARDWARE] = "not-ethernet",
    };

    assert(outcome > 0 && (size_t)outcome < sizeof(words) / sizeof(words[0]));
    return words[outcome];
}

/* "10.77.0.1", without a NUL: the pure layers have no inet_ntop(). */
static void put_address(struct sink *dst, uint32_t address)
{
    for (unsigned shift = 24;; shift -= 8) {
        unsigned n = address >> shift & 0xff;

        if (n >= 100)
            sink_u8(dst, (uint8_t)('0' + n / 100));
        if (n >= 10)
            sink_u8(dst, (uint8_t)('0' + n / 10 % 10));
        sink_u8(dst, (uint8_t)('0' + n % 10));
        if (shift == 0)
            return;
        sink_u8(dst, '.');
    }
}

static bool set_vendor(struct dhcp_packet *packet, const struct pxe_question *question)
{
    uint8_t raw[16];
    struct sink vendor = {.ptr = raw, .cap = sizeof(raw)};

    if (question->is_http)
        return true;
    sink_u8(&vendor, VENDOR_DISCOVERY_CONTROL);
    sink_u8(&vendor, 1);
    sink_u8(&vendor, USE_THE_BOOT_FILE);
    if (question->has_boot_item) {
        sink_u8(&vendor, VENDOR_BOOT_ITEM);
        sink_u8(&vendor, sizeof(question->boot_item));
        sink_bytes(&vendor, (struct bytes){question->boot_item, sizeof(question->boot_item)});
    }
    sink_u8(&vendor, VENDOR_END);
    return dhcp_packet_set(packet, DHCP_OPTION_VENDOR, (struct bytes){raw, vendor.len});
}

static bool set_options(struct dhcp_packet *packet,
                        const struct pxe_question *question,
                        const struct pxe_decision *decision)
{
    uint8_t raw[ADDRESS_TEXT_MAX];
    struct sink address = {.ptr = raw, .cap = sizeof(raw)};
    uint8_t type = question->stage == PXE_STAGE_DISCOVER ? DHCP_TYPE_OFFER : DHCP_TYPE_ACK;
    const char *class = question->is_http ? HTTP_CLASS : PXE_CLASS;

    put_address(&address, question->local);
    if (!dhcp_packet_set_u8(packet, DHCP_OPTION_TYPE, type) ||
        !dhcp_packet_set_u32(packet, DHCP_OPTION_SERVER, question->local) ||
        !dhcp_packet_set(packet, DHCP_OPTION_CLASS, bytes_of(class)) ||
        !dhcp_packet_set(packet, DHCP_OPTION_BOOT_FILE, bytes_of(decision->boot)) ||
        !set_vendor(packet, question))
        return false;
    if (!question->is_http &&
        !dhcp_packet_set(packet, DHCP_OPTION_TFTP_SERVER, (struct bytes){raw, address.len}))
        return false;
    if (question->echo_uuid_len > 0 &&
        !dhcp_packet_set(
            packet, DHCP_OPTION_UUID, (struct bytes){question->echo_uuid, question->echo_uuid_len}))
        return false;
    return question->echo_relay_len == 0 ||
           dhcp_packet_set(packet,
                           DHCP_OPTION_RELAY,
                           (struct bytes){question->echo_relay, question->echo_relay_len});
}

/* A ProxyDHCP answer has no address to be sent to yet: broadcast, unless there is one for certain. */
static struct pxe_target choose_target(const struct pxe_question *question, struct pxe_target peer)
{
    if (question->relay != 0)
        return (struct pxe_target){question->relay, PXE_PORT_DHCP};
    if (question->port == PXE_PORT_BOOT_SERVER && peer.address != 0)
        return peer;
    if (question->ciaddr != 0)
        return (struct pxe_target){question->ciaddr, PXE_PORT_CLIENT};
    return (struct pxe_target){BROADCAST, PXE_PORT_CLIENT};
}

int pxe_answer_put(const struct pxe_question *question,
                   const struct pxe_decision *decision,
                   struct pxe_target peer,
                   struct sink *dst,
                   struct pxe_target *ret)
{
    size_t start = dst->len;
    size_t boot_len = strlen(decision->boot);
    struct dhcp_packet packet = {
        .op = DHCP_OP_REPLY,
        .htype = HTYPE_ETHERNET,
        .hlen = MAC_BYTES,
        .xid = question->xid,
        .flags = question->flags,
        .ciaddr = question->stage == PXE_STAGE_REQUEST ? question->ciaddr : 0,
        .siaddr = question->local,
        .giaddr = question->relay,
    };

    memcpy(packet.chaddr, question->chaddr, sizeof(packet.chaddr));
    if (!question->is_http && boot_len < sizeof(packet.file))
        memcpy(packet.file, decision->boot, boot_len);
    if (!set_options(&packet, question, decision) || !dhcp_packet_put(dst, &packet) ||
        dst->len - start > question->max_bytes)
        return PXE_E_TOO_LARGE;

    *ret = choose_target(question, peer);
    return 0;
}

bool pxe_lease_read(struct bytes src, struct pxe_lease *ret)
{
    struct dhcp_packet packet;
    uint8_t type;

    if (dhcp_packet_parse(src, &packet) != 0 || packet.op != DHCP_OP_REPLY ||
        packet.htype != HTYPE_ETHERNET || packet.hlen != MAC_BYTES || packet.yiaddr == 0 ||
        !dhcp_packet_get_u8(&packet, DHCP_OPTION_TYPE, &type) || type != DHCP_TYPE_ACK)
        return false;

    memcpy(ret->mac, packet.chaddr, sizeof(ret->mac));
    ret->address = packet.yiaddr;
    ret->next_server = packet.siaddr;
    return true;
}
