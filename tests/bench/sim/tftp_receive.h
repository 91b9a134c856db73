/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * One read transfer, client side (RFC 1350, 2347, 2348, 2349), in lockstep as firmware does it. No socket, no clock.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    TFTP_RECEIVE_BLOCK_BYTES = 1468, /* what fits an Ethernet frame */
    TFTP_RECEIVE_PACKET_MAX = 512,   /* of what we send */
};

/* Outcomes of tftp_receive_feed() */
enum {
    TFTP_RECEIVE_WAIT = 0,  /* send what is in @out, if anything; then wait for the next packet */
    TFTP_RECEIVE_DONE = 1,  /* send what is in @out: the file is whole */
    TFTP_RECEIVE_ERROR = 2, /* the server refuses, or does not know what it does */
};

struct tftp_receive {
    uint64_t block_bytes; /* as granted */
    uint64_t size_bytes;  /* as the server said; UINT64_MAX: it did not */
    uint64_t n_blocks;    /* whole ones that are there, in a row */
    uint64_t n_bytes;
};

/* The request. Return: whether it fits. */
bool tftp_receive_begin(struct tftp_receive *t, const char *name, struct sink *out);

/**
 * tftp_receive_feed() - a packet of the server
 * @out: empty, with room for TFTP_RECEIVE_PACKET_MAX bytes
 * @ret_data: the next bytes of the file, borrowed from @packet; empty if it has none that are new
 */
int tftp_receive_feed(struct tftp_receive *t,
                      struct bytes packet,
                      struct sink *out,
                      struct bytes *ret_data);
