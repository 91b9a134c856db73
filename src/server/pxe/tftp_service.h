/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The TFTP server of the role `pxe`: sockets, files and time around proto/tftp's machines
 *
 *     struct tftp_service_options options = {.loop = loop, .socket_fd = fd, .boot_folder = "…/dp/boot",
 *                                            .resolve = on_ask, .event = on_event, .ctx = role};
 *     r = tftp_service_new(&options, &service);
 *
 * Every well-formed read request is shown to @resolve, which answers it now or later, once, by one of
 * tftp_service_reply_file(), _bytes() or _missing() with the ticket of the ask. A ticket that was evicted, has
 * expired or was answered already is ignored, so a late answer needs no care. A request that nobody answers
 * within TFTP_RESOLVE_MAX_US is dropped. What is malformed, refused or a write request never gets here.
 *
 * Everything is called on the loop's thread, and every callback may call back into the service, except that it
 * must not free it. Transfers under way are worked by threads of the service's own, of which its user sees nothing.
 */

#include <netinet/in.h>
#include <stdint.h>
#include <uv.h>

#include "base/bytes.h"

enum {
    TFTP_SESSIONS_MAX = 512,          /* in all */
    TFTP_SESSIONS_PER_SOURCE_MAX = 8, /* of one source address */
    TFTP_REPLY_BYTES_MAX = 64 * 1024, /* of a generated answer */
    TFTP_PATCH_MAX_BYTES = 64,        /* of a patch */
    TFTP_RESOLVE_MAX_US = 10 * 1000 * 1000,
};

struct tftp_service;

/* A read request; borrowed for the call. Addresses and port in network byte order. */
struct tftp_ask {
    uint64_t ticket;     /* names the request in the answer; never 0, never used twice */
    const char *name;    /* cleaned: "grub/grub.cfg"; no leading slash, no "..", printable ASCII */
    struct in_addr peer; /* who asks */
    in_port_t peer_port;
    struct in_addr local; /* our address that was asked, and from which the answer goes */
    unsigned interface;   /* index of the interface it came in on; 0: unknown */
};

/**
 * tftp_resolve - decide what @ask gets; may answer before it returns, or later
 */
typedef void tftp_resolve(void *ctx, const struct tftp_ask *ask);

enum tftp_event_kind {
    TFTP_EVENT_ASKED,    /* the transfer begins: the file is open, its first packet goes out */
    TFTP_EVENT_SIZE,     /* over: the client only wanted to know the size */
    TFTP_EVENT_FINISHED, /* over: the client has acknowledged the last block */
    TFTP_EVENT_MISSING,  /* over: there is no such file */
    TFTP_EVENT_FAILED,   /* over, unfinished: @why */
};

/* What became of a request: ASKED and then one of the others, or just MISSING or FAILED. Borrowed. */
struct tftp_event {
    enum tftp_event_kind kind;
    const char *name; /* as asked for, cleaned; "" if the request could not be read */
    struct in_addr peer;
    in_port_t peer_port;
    struct in_addr local;
    uint64_t size_bytes;  /* of the file; 0 if there is none */
    uint64_t acked_bytes; /* of it, that the client has acknowledged */
    const char
        *why; /* English, a fragment: "the client stopped answering"; "" unless FAILED. May hold the
                             client's own text: escape it before it is logged */
};
typedef void tftp_event_hook(void *ctx, const struct tftp_event *event);

struct tftp_service_options {
    uv_loop_t *loop; /* borrowed */
    int socket_fd; /* UDP, bound to 0.0.0.0:69; owned by the service once tftp_service_new() did 0 */
    const char *boot_folder; /* only files below it are ever opened; opened once */
    tftp_resolve *resolve;   /* NULL: every name is that of a file in @boot_folder */
    tftp_event_hook *event;  /* may be NULL */
    void *ctx;               /* for both */
    unsigned n_workers;      /* threads at most; 0: TFTP_WORKERS_MAX (tftp_workers.h) */
};

/* Bytes replaced on the way out: @find, which must be in the file exactly once, becomes @replace. */
struct tftp_patch {
    struct bytes find;
    struct bytes replace; /* as long as @find, at most TFTP_PATCH_MAX_BYTES */
};

/**
 * tftp_service_new() - begin to answer
 *
 * Return: 0 with @ret set, -ENOENT or another -errno if the folder cannot be opened, -ENOMEM, …
 */
int tftp_service_new(const struct tftp_service_options *options, struct tftp_service **ret);

/**
 * tftp_service_stop() - end all transfers and close everything; memory is released by the loop's next turns
 *
 * The loop must run (uv_run) until it has nothing left to do. @service must not be used afterwards. Tickets
 * still open are void, no event is given. NULL does nothing.
 */
void tftp_service_stop(struct tftp_service *service);

/* Transfers and requests under way. */
unsigned tftp_service_count(const struct tftp_service *service);

/**
 * tftp_service_reply_file() - answer with a file of the boot folder
 * @name:  relative, in the same form as tftp_ask.name; need not be the name asked for. A missing file is answered
 *         as tftp_service_reply_missing() would
 * @patch: copied; NULL for the plain file
 */
void tftp_service_reply_file(struct tftp_service *service,
                             uint64_t ticket,
                             const char *name,
                             const struct tftp_patch *patch);

/**
 * tftp_service_reply_bytes() - answer with @content, which is copied
 *
 * More than TFTP_REPLY_BYTES_MAX ends the request with an error, as does a lack of memory.
 */
void tftp_service_reply_bytes(struct tftp_service *service, uint64_t ticket, struct bytes content);

/* Answer "file not found" (error 1), at once. */
void tftp_service_reply_missing(struct tftp_service *service, uint64_t ticket);
