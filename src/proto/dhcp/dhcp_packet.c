/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "proto/dhcp/dhcp_packet.h"

#include <assert.h>
#include <string.h>

#define COOKIE 0x63825363 /* RFC 2131, section 3 */

enum {
    OPTION_PIECE_MAX = 255,
    OVERLOAD_FILE = 1,
    OVERLOAD_SNAME = 2,
};

/* The next option of a field. Return: 1 with an option, 0 at the end, -1 if it crosses the end. */
static int take_option(struct bytes *field, uint8_t *code, struct bytes *value)
{
    uint8_t len;

    do {
        if (!bytes_take_u8(field, code) || *code == DHCP_OPTION_END)
            return 0;
    } while (*code == DHCP_OPTION_PAD);

    if (!bytes_take_u8(field, &len) || !bytes_take(field, len, value))
        return -1;
    return 1;
}

static bool measure(struct bytes field, struct dhcp_packet *packet, uint8_t *overload)
{
    uint8_t code;
    struct bytes value;
    int r;

    while ((r = take_option(&field, &code, &value)) > 0) {
        if (code == DHCP_OPTION_OVERLOAD) {
            if (overload && value.len == 1)
                *overload = value.ptr[0];
            continue;
        }
        packet->has[code] = true;
        packet->option[code].len = (uint16_t)(packet->option[code].len + value.len);
    }
    return r == 0;
}

/* Give every option its place; the lengths are counted anew by collect(). */
static void lay_out(struct dhcp_packet *packet)
{
    for (size_t code = 0; code < DHCP_OPTION_COUNT; code++) {
        packet->option[code].at = (uint16_t)packet->store_len;
        packet->store_len += packet->option[code].len;
        packet->option[code].len = 0;
    }
    assert(packet->store_len <= sizeof(packet->store));
}

static void collect(struct bytes field, struct dhcp_packet *packet)
{
    uint8_t code;
    struct bytes value;

    while (take_option(&field, &code, &value) > 0) {
        if (code == DHCP_OPTION_OVERLOAD || value.len == 0)
            continue;
        memcpy(packet->store + packet->option[code].at + packet->option[code].len,
               value.ptr,
               value.len);
        packet->option[code].len = (uint16_t)(packet->option[code].len + value.len);
    }
}

static bool
take_header(struct bytes *src, struct dhcp_packet *ret, struct bytes *sname, struct bytes *file)
{
    struct bytes chaddr;
    uint32_t cookie;

    if (!bytes_take_u8(src, &ret->op) || !bytes_take_u8(src, &ret->htype) ||
        !bytes_take_u8(src, &ret->hlen) || !bytes_take_u8(src, &ret->hops) ||
        !bytes_take_u32be(src, &ret->xid) || !bytes_take_u16be(src, &ret->secs) ||
        !bytes_take_u16be(src, &ret->flags) || !bytes_take_u32be(src, &ret->ciaddr) ||
        !bytes_take_u32be(src, &ret->yiaddr) || !bytes_take_u32be(src, &ret->siaddr) ||
        !bytes_take_u32be(src, &ret->giaddr) || !bytes_take(src, DHCP_CHADDR_BYTES, &chaddr) ||
        !bytes_take(src, DHCP_SNAME_BYTES, sname) || !bytes_take(src, DHCP_FILE_BYTES, file) ||
        !bytes_take_u32be(src, &cookie))
        return false;

    memcpy(ret->chaddr, chaddr.ptr, chaddr.len);
    return cookie == COOKIE && ret->hlen <= DHCP_CHADDR_BYTES;
}

int dhcp_packet_parse(struct bytes src, struct dhcp_packet *ret)
{
    struct bytes sname;
    struct bytes file;
    uint8_t overload = 0;

    *ret = (struct dhcp_packet){0};
    if (src.len > DHCP_PACKET_MAX_BYTES || !take_header(&src, ret, &sname, &file))
        return DHCP_PACKET_E_MALFORMED;

    if (!measure(src, ret, &overload) ||
        ((overload & OVERLOAD_FILE) && !measure(file, ret, NULL)) ||
        ((overload & OVERLOAD_SNAME) && !measure(sname, ret, NULL)))
        return DHCP_PACKET_E_MALFORMED;

    lay_out(ret);
    collect(src, ret);
    if (overload & OVERLOAD_FILE)
        collect(file, ret);
    else
        memcpy(ret->file, file.ptr, file.len);
    if (overload & OVERLOAD_SNAME)
        collect(sname, ret);
    else
        memcpy(ret->sname, sname.ptr, sname.len);
    return 0;
}

bool dhcp_packet_get(const struct dhcp_packet *packet, uint8_t code, struct bytes *ret)
{
    if (!packet->has[code])
        return false;
    *ret = (struct bytes){packet->store + packet->option[code].at, packet->option[code].len};
    return true;
}

bool dhcp_packet_get_u8(const struct dhcp_packet *packet, uint8_t code, uint8_t *ret)
{
    struct bytes value;

    return dhcp_packet_get(packet, code, &value) && value.len == 1 && bytes_take_u8(&value, ret);
}

bool dhcp_packet_get_u16(const struct dhcp_packet *packet, uint8_t code, uint16_t *ret)
{
    struct bytes value;

    return dhcp_packet_get(packet, code, &value) && value.len == 2 && bytes_take_u16be(&value, ret);
}

bool dhcp_packet_get_u32(const struct dhcp_packet *packet, uint8_t code, uint32_t *ret)
{
    struct bytes value;

    return dhcp_packet_get(packet, code, &value) && value.len == 4 && bytes_take_u32be(&value, ret);
}

bool dhcp_packet_set(struct dhcp_packet *packet, uint8_t code, struct bytes value)
{
    assert(code != DHCP_OPTION_PAD && code != DHCP_OPTION_OVERLOAD && code != DHCP_OPTION_END);

    if (packet->has[code] || value.len > sizeof(packet->store) - packet->store_len)
        return false;
    if (value.len > 0)
        memcpy(packet->store + packet->store_len, value.ptr, value.len);
    packet->has[code] = true;
    packet->option[code].at = (uint16_t)packet->store_len;
    packet->option[code].len = (uint16_t)value.len;
    packet->store_len += value.len;
    return true;
}

bool dhcp_packet_set_u8(struct dhcp_packet *packet, uint8_t code, uint8_t value)
{
    return dhcp_packet_set(packet, code, (struct bytes){&value, 1});
}

bool dhcp_packet_set_u32(struct dhcp_packet *packet, uint8_t code, uint32_t value)
{
    uint8_t raw[4];
    struct sink sink = {.ptr = raw, .cap = sizeof(raw)};

    sink_u32be(&sink, value);
    return dhcp_packet_set(packet, code, (struct bytes){raw, sizeof(raw)});
}

static void put_header(struct sink *dst, const struct dhcp_packet *packet)
{
    sink_u8(dst, packet->op);
    sink_u8(dst, packet->htype);
    sink_u8(dst, packet->hlen);
    sink_u8(dst, packet->hops);
    sink_u32be(dst, packet->xid);
    sink_u16be(dst, packet->secs);
    sink_u16be(dst, packet->flags);
    sink_u32be(dst, packet->ciaddr);
    sink_u32be(dst, packet->yiaddr);
    sink_u32be(dst, packet->siaddr);
    sink_u32be(dst, packet->giaddr);
    sink_bytes(dst, (struct bytes){packet->chaddr, sizeof(packet->chaddr)});
    sink_bytes(dst, (struct bytes){packet->sname, sizeof(packet->sname)});
    sink_bytes(dst, (struct bytes){packet->file, sizeof(packet->file)});
    sink_u32be(dst, COOKIE);
}

/* In pieces of at most 255 bytes; an empty option is one empty piece. */
static void put_option(struct sink *dst, const struct dhcp_packet *packet, uint8_t code)
{
    struct bytes rest;

    if (!dhcp_packet_get(packet, code, &rest))
        return;
    do {
        size_t len = rest.len < OPTION_PIECE_MAX ? rest.len : OPTION_PIECE_MAX;
        struct bytes piece = {rest.ptr, 0};

        (void)bytes_take(&rest, len, &piece);
        sink_u8(dst, code);
        sink_u8(dst, (uint8_t)len);
        sink_bytes(dst, piece);
    } while (rest.len > 0);
}

bool dhcp_packet_put(struct sink *dst, const struct dhcp_packet *packet)
{
    size_t start = dst->len;

    put_header(dst, packet);
    put_option(dst, packet, DHCP_OPTION_TYPE);
    for (unsigned code = DHCP_OPTION_PAD + 1; code < DHCP_OPTION_END; code++)
        if (code != DHCP_OPTION_TYPE && code != DHCP_OPTION_RELAY)
            put_option(dst, packet, (uint8_t)code);
    put_option(dst, packet, DHCP_OPTION_RELAY);
    sink_u8(dst, DHCP_OPTION_END);

    if (!dst->full && dst->len - start < DHCP_PACKET_MIN_BYTES)
        sink_zero(dst, DHCP_PACKET_MIN_BYTES - (dst->len - start));
    return !dst->full;
}
