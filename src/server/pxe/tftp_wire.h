/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The sockets of the TFTP service: the one on port 69, and one for each transfer
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "proto/tftp/tftp_send.h"

enum {
    TFTP_WIRE_REQUEST_MAX = 2048, /* bytes of a request; what is longer is cut */
    TFTP_WIRE_BATCH_BYTES = TFTP_SEND_WINDOW_BYTES_MAX + TFTP_SEND_WINDOW_MAX * TFTP_HEADER_BYTES,
    TFTP_WIRE_MTU_MIN = 576, /* RFC 791 */
    TFTP_WIRE_WAIT_US = 50 * 1000,
};

/* Who speaks with whom. Addresses and ports in network byte order. */
struct tftp_path {
    struct sockaddr_in peer;
    struct in_addr local;
    unsigned interface; /* index; 0: unknown */
};

/* Ask the kernel to tell which of our addresses a packet on @fd was sent to. Return: 0 or -errno. */
int tftp_wire_listen(int fd);

/* Outcomes of tftp_wire_take() beside 0 */
enum {
    TFTP_WIRE_E_NOTHING = 1, /* no packet is waiting */
    TFTP_WIRE_E_GONE = 2,    /* the other end has closed its port */
    TFTP_WIRE_E_USELESS = 3, /* a packet that nobody may answer, taken away */
};

/**
 * tftp_wire_take_request() - a packet from the socket of port 69
 * @buffer: room for it, TFTP_WIRE_REQUEST_MAX bytes
 * @ret: borrows @buffer
 */
int tftp_wire_take_request(int fd,
                           struct sink buffer,
                           struct bytes *ret,
                           struct tftp_path *ret_path);

/* A packet from a transfer's socket, likewise. */
int tftp_wire_take(int fd, struct sink buffer, struct bytes *ret);

/* Likewise, but waits for it: TFTP_WIRE_WAIT_US at most, or until tftp_wire_interrupt(). */
int tftp_wire_wait(int fd, struct sink buffer, struct bytes *ret);

/* Let nobody wait for packets on @fd, now or later. */
void tftp_wire_interrupt(int fd);

/**
 * tftp_wire_open() - a socket with a port of its own, from the address that was asked, to the client only
 * @ret_block_bytes: the largest block that goes through in one piece
 * @ret_fd: owned by the caller
 *
 * Packets from other ports never arrive at it: the kernel answers them.
 */
int tftp_wire_open(const struct tftp_path *path, uint64_t *ret_block_bytes, int *ret_fd);

/* Packets on their way to one client, laid one behind the other. */
struct tftp_batch {
    uint8_t bytes[TFTP_WIRE_BATCH_BYTES];
    size_t len;
    size_t ends[TFTP_SEND_WINDOW_MAX]; /* of each packet, in @bytes */
    unsigned n_packets;
};

/* Where the next packet goes: a sink with all the room that is left. */
struct sink tftp_batch_begin(struct tftp_batch *batch);

/* @packet, from tftp_batch_begin(), is complete. Return: whether there is room for another of @room bytes. */
bool tftp_batch_end(struct tftp_batch *batch, const struct sink *packet, size_t room);

/**
 * tftp_batch_send() - send all of it, and empty it
 *
 * What the kernel has no room for is lost, as on any wire.
 *
 * Return: 0, TFTP_WIRE_E_GONE, or -errno.
 */
int tftp_batch_send(struct tftp_batch *batch, int fd);
