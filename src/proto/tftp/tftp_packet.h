/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * TFTP packets: their numbers, and the ERROR packet (RFC 1350, RFC 2347)
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum tftp_opcode {
    TFTP_RRQ = 1,
    TFTP_WRQ = 2,
    TFTP_DATA = 3,
    TFTP_ACK = 4,
    TFTP_ERROR = 5,
    TFTP_OACK = 6,
};

enum tftp_error {
    TFTP_ERROR_OTHER = 0, /* the text says what */
    TFTP_ERROR_MISSING = 1,
    TFTP_ERROR_ACCESS = 2,
    TFTP_ERROR_FULL = 3,
    TFTP_ERROR_ILLEGAL = 4,
    TFTP_ERROR_PORT = 5,
    TFTP_ERROR_EXISTS = 6,
    TFTP_ERROR_USER = 7,
    TFTP_ERROR_OPTIONS = 8, /* RFC 2347: the client does not like the OACK */
};

enum {
    TFTP_HEADER_BYTES = 4,     /* of DATA, ACK and ERROR */
    TFTP_ERROR_TEXT_MAX = 128, /* of a text we send or keep, with its NUL */
    TFTP_ERROR_PACKET_MAX = TFTP_HEADER_BYTES + TFTP_ERROR_TEXT_MAX,
};

/**
 * tftp_error_put() - append an ERROR packet
 * @text: ASCII, for a person in front of the firmware
 *
 * Return: whether it fits; if not, @dst must not be sent.
 */
bool tftp_error_put(struct sink *dst, enum tftp_error code, const char *text);
