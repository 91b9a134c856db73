/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The first packet of a TFTP transfer: what is asked for, and whether we would ever give it (RFC 1350)
 */

#include <stdint.h>

#include "base/bytes.h"
#include "proto/tftp/tftp_opts.h"
#include "proto/tftp/tftp_packet.h"

enum {
    TFTP_NAME_MAX = 256, /* of a cleaned name, with its NUL */
};

/* Outcomes of tftp_request_parse() beside 0 */
enum {
    TFTP_REQUEST_E_IGNORE =
        1, /* not a request: no answer, or a spoofed sender makes us talk to others */
    TFTP_REQUEST_E_BROKEN = 2, /* a request cut short */
    TFTP_REQUEST_E_WRITE = 3,  /* wants to write: we never take files */
    TFTP_REQUEST_E_MODE = 4,   /* a transfer mode that is neither octet nor netascii */
    TFTP_REQUEST_E_NAME = 5,   /* empty, too long, with "..", or not printable ASCII */
};

/* A read request. */
struct tftp_request {
    char name
        [TFTP_NAME_MAX]; /* "SLP00001/x64/shimx64.efi": segments joined by one '/', none of them "." or ".." */
    struct tftp_opts opts; /* as asked for */
};

/**
 * tftp_request_parse() - read the packet that came to port 69
 * @ret: set on 0; on another outcome its content means nothing
 *
 * Slashes in front, at the end and doubled ones are dropped, and so are segments "."; backslashes are slashes. Mode
 * netascii is read as octet: the firmware that asks for it boots what it gets, and a converted program would not
 * run. Bytes behind the last whole option are ignored, because some firmware pads its requests.
 *
 * Return: 0 or an outcome.
 */
int tftp_request_parse(struct bytes packet, struct tftp_request *ret);

/**
 * tftp_request_refuse() - append the ERROR packet for an outcome of tftp_request_parse()
 * @outcome: TFTP_REQUEST_E_BROKEN or later
 *
 * Return: whether it fits.
 */
bool tftp_request_refuse(struct sink *dst, int outcome);

/* The outcome in words, for a log; any @outcome. */
const char *tftp_request_why(int outcome);
