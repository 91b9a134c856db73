/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * DHCP packets (RFC 2131, RFC 2132), whole: header, overloaded fields (option 52), long options (RFC 3396)
 *
 * A packet is a plain struct of fixed size that holds its options' bytes itself: nothing to release.
 * Addresses are numbers in host byte order: 10.77.0.1 is 0x0a4d0001.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    DHCP_PACKET_MAX_BYTES = 2048, /* longer ones are refused */
    DHCP_PACKET_MIN_BYTES = 300,  /* shorter ones are padded: BOOTP relays drop them (RFC 1542) */
    DHCP_OPTION_COUNT = 256,
    DHCP_CHADDR_BYTES = 16,
    DHCP_SNAME_BYTES = 64,
    DHCP_FILE_BYTES = 128,
};

enum dhcp_op {
    DHCP_OP_REQUEST = 1,
    DHCP_OP_REPLY = 2,
};

enum dhcp_type {
    DHCP_TYPE_DISCOVER = 1,
    DHCP_TYPE_OFFER = 2,
    DHCP_TYPE_REQUEST = 3,
    DHCP_TYPE_ACK = 5,
    DHCP_TYPE_INFORM = 8,
};

enum dhcp_option {
    DHCP_OPTION_PAD = 0,
    DHCP_OPTION_VENDOR = 43,
    DHCP_OPTION_REQUESTED_ADDRESS = 50,
    DHCP_OPTION_OVERLOAD = 52,
    DHCP_OPTION_TYPE = 53,
    DHCP_OPTION_SERVER = 54,
    DHCP_OPTION_MAX_SIZE = 57,
    DHCP_OPTION_CLASS = 60,
    DHCP_OPTION_TFTP_SERVER = 66,
    DHCP_OPTION_BOOT_FILE = 67,
    DHCP_OPTION_USER_CLASS = 77,
    DHCP_OPTION_RELAY = 82,
    DHCP_OPTION_ARCH = 93,
    DHCP_OPTION_UUID = 97,
    DHCP_OPTION_IPXE = 175,
    DHCP_OPTION_END = 255,
};

/* Outcomes of dhcp_packet_parse() beside 0 */
enum {
    DHCP_PACKET_E_MALFORMED =
        1, /* too short, too long, no cookie, or an option crosses its field's end */
};

struct dhcp_packet {
    uint8_t op; /* enum dhcp_op, or anything else */
    uint8_t htype;
    uint8_t hlen; /* at most DHCP_CHADDR_BYTES */
    uint8_t hops;
    uint32_t xid;
    uint16_t secs;
    uint16_t flags; /* the top bit: answer by broadcast */
    uint32_t ciaddr;
    uint32_t yiaddr;
    uint32_t siaddr;
    uint32_t giaddr;
    uint8_t chaddr[DHCP_CHADDR_BYTES];
    uint8_t sname[DHCP_SNAME_BYTES]; /* all zero where the field held options */
    uint8_t file[DHCP_FILE_BYTES];   /* the same */

    bool has[DHCP_OPTION_COUNT];
    struct {
        uint16_t at;
        uint16_t len;
    } option[DHCP_OPTION_COUNT]; /* where in @store; of a repeated option the joined whole */
    uint8_t store[DHCP_PACKET_MAX_BYTES];
    size_t store_len;
};

/**
 * dhcp_packet_parse() - read a UDP payload
 * @ret: only meaningful on 0
 *
 * Accepts a missing end mark: some firmware cuts it off. Options 0, 52 and 255 are never in @ret.
 *
 * Return: 0, or DHCP_PACKET_E_MALFORMED.
 */
int dhcp_packet_parse(struct bytes src, struct dhcp_packet *ret);

/* An option's bytes, borrowed from @packet; false if it is not there. @ret may be of length 0. */
bool dhcp_packet_get(const struct dhcp_packet *packet, uint8_t code, struct bytes *ret);

/* The same for options of a fixed size; false also if the option has another size. */
bool dhcp_packet_get_u8(const struct dhcp_packet *packet, uint8_t code, uint8_t *ret);
bool dhcp_packet_get_u16(const struct dhcp_packet *packet, uint8_t code, uint16_t *ret);
bool dhcp_packet_get_u32(const struct dhcp_packet *packet, uint8_t code, uint32_t *ret);

/**
 * dhcp_packet_set() - add an option that is not there yet
 * @code: neither 0, 52 nor 255
 *
 * Return: false if it is there, or if @packet has no room for it.
 */
bool dhcp_packet_set(struct dhcp_packet *packet, uint8_t code, struct bytes value);
bool dhcp_packet_set_u8(struct dhcp_packet *packet, uint8_t code, uint8_t value);
bool dhcp_packet_set_u32(struct dhcp_packet *packet, uint8_t code, uint32_t value);

/**
 * dhcp_packet_put() - write a UDP payload, padded to DHCP_PACKET_MIN_BYTES
 *
 * The type comes first, the relay's option last (RFC 3046), the others in ascending order. Nothing is overloaded.
 *
 * Return: whether it fits; if not, @dst must not be sent.
 */
bool dhcp_packet_put(struct sink *dst, const struct dhcp_packet *packet);
