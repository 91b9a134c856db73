/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * One read transfer, server side (RFC 1350, 2347, 2348, 2349, 7440). Knows no socket, no file and no clock.
 *
 *     tftp_send_init(&t, &request.opts, &limits, size_bytes, now_us);
 *     for each packet of the client: tftp_send_feed(&t, packet, now_us);
 *     then, and at each deadline: poll until it says WAIT or DONE
 *
 * Blocks are counted in 64 bits, whatever the 16 bits of the wire do. How it sends:
 *
 *   - a window of blocks, then it waits for an ACK. An ACK of less than the window means that the block behind was
 *     lost: the next window starts there;
 *   - an ACK that says nothing new makes it send again only with a window above 1, only when it can be an answer to
 *     what was last sent (a round trip later), and only once until something new is acknowledged. In lockstep it is
 *     ignored. So duplicated packets never multiply (the Sorcerer's Apprentice);
 *   - without an ACK it sends again after TFTP_SEND_RETRY_US, then after twice that, …, or in the rhythm of
 *     the option `timeout`; it gives up after TFTP_SEND_RETRIES_MAX times, or TFTP_SEND_IDLE_US without anything new;
 *   - until the client has answered once it sends one packet at a time, and gives up sooner: the sender's address may
 *     be forged.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "proto/tftp/tftp_opts.h"
#include "proto/tftp/tftp_packet.h"

enum {
    TFTP_SEND_WINDOW_MAX = 64, /* blocks: the most that is granted */
    TFTP_SEND_WINDOW_BYTES_MAX =
        128 * 1024,                   /* granted window times block size; fits a socket's buffer */
    TFTP_SEND_TIMEOUT_MAX_S = 10,     /* a longer option `timeout` is not granted */
    TFTP_SEND_RETRY_US = 1000 * 1000, /* first retransmission */
    TFTP_SEND_RETRY_MAX_US = 8 * 1000 * 1000,
    TFTP_SEND_RETRIES_MAX = 6,          /* without anything new */
    TFTP_SEND_RETRIES_UNPROVEN_MAX = 3, /* before the client's first answer */
    TFTP_SEND_IDLE_US = 60 * 1000 * 1000,
    TFTP_SEND_BLOCK_BYTES_MIN = 8, /* RFC 2348 */
    TFTP_SEND_BLOCK_BYTES_MAX = 65464,
    TFTP_SEND_CONTROL_MAX = TFTP_ERROR_PACKET_MAX, /* bytes of the longest packet but DATA */
};

enum tftp_send_want {
    TFTP_SEND_WAIT, /* nothing to do before ret->deadline_us or the next packet */
    TFTP_SEND_EMIT, /* send what was appended to @out, then poll again */
    TFTP_SEND_DATA, /* to what was appended to @out append the file's ret->len bytes at ret->offset, send, poll again */
    TFTP_SEND_DONE, /* over; tftp_send_result() says how */
};

struct tftp_send_step {
    uint64_t deadline_us; /* with WAIT */
    uint64_t offset;      /* with DATA: in bytes from the start of the file */
    size_t len;           /* with DATA: 0 to the block size */
};

enum tftp_send_result {
    TFTP_SEND_RUNNING,
    TFTP_SEND_FINISHED, /* the last block was acknowledged */
    TFTP_SEND_SIZE_ONLY, /* the client learned the size from the OACK and went away: OVMF does that first */
    TFTP_SEND_REFUSED,    /* the client sent an ERROR: tftp_send.error_text */
    TFTP_SEND_UNANSWERED, /* the client stopped answering */
    TFTP_SEND_UNCONFIRMED, /* it stopped answering after the last block was sent: maybe it has everything */
    TFTP_SEND_FAILED, /* tftp_send_fail() */
};

struct tftp_send_limits {
    uint64_t
        block_bytes; /* the largest block that fits the way, TFTP_SEND_BLOCK_BYTES_MIN or more */
};

/* Fields are the machine's own; read what is needed, change nothing. */
struct tftp_send {
    struct tftp_opts opts; /* as granted */
    uint64_t size_bytes;   /* of the file */
    uint64_t n_blocks;     /* the last one is shorter than the others, perhaps empty */
    uint64_t acked;        /* blocks the client has, in a row from the first */
    uint64_t next;         /* block to send next, from 1 */
    uint64_t window_end;   /* last block of the window under way */
    uint64_t sent_max;     /* highest block ever sent */
    uint64_t sent_us;      /* when the window or OACK under way began */
    uint64_t progress_us;  /* when the client last said something new */
    uint64_t wait_us;      /* until the next retransmission */
    uint64_t rtt_us;       /* shortest round trip seen; 0: none yet */
    unsigned retries;      /* since something new was acknowledged */
    bool has_oack;         /* the transfer begins with an OACK */
    bool is_oack_due;      /* it has to be sent now */
    bool is_proven;        /* the client has answered, so its address is real */
    bool is_resent; /* the window under way is not the first try: no round trip can be measured */
    bool is_error_due; /* error_code and error_text have to be sent */
    enum tftp_send_result result;
    enum tftp_error error_code; /* the client's or ours */
    char error_text[TFTP_ERROR_TEXT_MAX];
};

/**
 * tftp_send_init() - a transfer that is about to send its first packet
 * @asked: options of the request; granted are a lower block size and window, and `tsize` is answered
 */
void tftp_send_init(struct tftp_send *t,
                    const struct tftp_opts *asked,
                    const struct tftp_send_limits *limits,
                    uint64_t size_bytes,
                    uint64_t now_us);

/**
 * tftp_send_feed() - a packet of the client of this transfer
 *
 * What is malformed, out of order or out of place is ignored.
 */
void tftp_send_feed(struct tftp_send *t, struct bytes packet, uint64_t now_us);

/**
 * tftp_send_poll() - what to do now
 * @out: an empty sink with room for TFTP_SEND_CONTROL_MAX bytes; with TFTP_SEND_DATA the block comes on top of
 *       TFTP_HEADER_BYTES
 * @ret: set as its fields say
 *
 * A packet handed out counts as sent: one that could not be sent is lost, and the deadline repairs it.
 */
enum tftp_send_want
tftp_send_poll(struct tftp_send *t, uint64_t now_us, struct sink *out, struct tftp_send_step *ret);

/**
 * tftp_send_fail() - the caller cannot go on: the next poll gives an ERROR packet, the one after it DONE
 * @text: for the client; cut at TFTP_ERROR_TEXT_MAX
 */
void tftp_send_fail(struct tftp_send *t, enum tftp_error code, const char *text);

enum tftp_send_result tftp_send_result(const struct tftp_send *t);

/* Bytes of the file that the client has acknowledged. */
uint64_t tftp_send_acked_bytes(const struct tftp_send *t);
