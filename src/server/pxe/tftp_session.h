/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * One request of the TFTP service, and then its transfer: a body, a machine of proto/tftp and a socket
 *
 * Knows no loop, no table and no thread: whoever has it, works it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "proto/tftp/tftp_request.h"
#include "proto/tftp/tftp_send.h"
#include "server/pxe/tftp_body.h"
#include "server/pxe/tftp_service.h"
#include "server/pxe/tftp_wire.h"

struct tftp_session {
    uint64_t ticket;
    unsigned row; /* in the service's table */
    uint64_t asked_us;
    struct tftp_path path;
    struct tftp_request request;
    struct tftp_body body; /* owned; valid from the start */
    bool is_running;       /* it has an answer; the fields below are valid */
    unsigned worker;       /* who has it */
    int fd;                /* owned; -1: not running */
    struct tftp_send send;
    uint64_t deadline_us; /* of the next tftp_session_pump() */
    bool is_over;
    enum tftp_event_kind end;       /* how it ended */
    const char *why;                /* a literal, or in @send; "" unless FAILED */
    struct tftp_session *next_over; /* of tftp_workers */
};

/**
 * tftp_session_new() - a request that has no answer yet
 *
 * Return: 0 or -ENOMEM; @ret belongs to the caller, who ends it with tftp_session_free()
 */
int tftp_session_new(const struct tftp_path *path,
                     const struct tftp_request *request,
                     struct tftp_session **ret);

/* NULL does nothing. */
void tftp_session_free(struct tftp_session *s);

/* Become a transfer of s->body: it has a socket, nothing is sent yet. Return: 0 or -errno. */
int tftp_session_open(struct tftp_session *s);

/* Send what is due; @batch is empty before and after. The session may be over then. */
void tftp_session_pump(struct tftp_session *s, struct tftp_batch *batch);

/**
 * tftp_session_feed() - a packet of the client, and send what follows from it; likewise
 * @outcome: of tftp_wire_take() or _wait(), which gave @packet
 */
void tftp_session_feed(struct tftp_session *s,
                       int outcome,
                       struct bytes packet,
                       struct tftp_batch *batch);

/* The clock of deadlines. */
uint64_t tftp_now_us(void);
