/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The ProxyDHCP server's side of PXE 2.1 and UEFI HTTP Boot, without sockets and without memory
 *
 *     r = pxe_question_read(bytes, PXE_PORT_DHCP, local, &question);
 *     if (r == 0)
 *         ... ask the site what it says about question.mac ...
 *     r = pxe_answer_put(&question, &decision, &sink, &to);
 *
 * It never hands out an address, and answers nobody but clients that say PXEClient or HTTPClient.
 * Addresses are numbers in host byte order.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/text.h"
#include "proto/dhcp/dhcp_packet.h"

enum {
    PXE_PORT_DHCP = 67,
    PXE_PORT_CLIENT = 68,
    PXE_PORT_BOOT_SERVER = 4011,
    PXE_ECHO_UUID_MAX_BYTES = 17,
    PXE_ECHO_RELAY_MAX_BYTES = 255,
    PXE_ANSWER_MAX_BYTES =
        1472, /* an Ethernet frame's worth, whatever the client says it can take */
};

enum pxe_stage {
    PXE_STAGE_DISCOVER, /* on 67: answered by an OFFER, which holds everything already */
    PXE_STAGE_REQUEST,  /* answered by an ACK: on 4011, or an INFORM, or a REQUEST that names us */
};

/* A client's question, and what of it the answer must repeat. */
struct pxe_question {
    enum pxe_stage stage;
    uint8_t mac[MAC_BYTES];
    uint8_t uuid[UUID_BYTES]; /* in the order of its text */
    bool has_uuid;            /* false also for all zeros and all ones, which name no machine */
    bool is_http;             /* UEFI HTTP Boot; otherwise PXE */
    bool is_ipxe;             /* the client is iPXE, in ROM or loaded by us before */
    uint16_t arch;            /* option 93, RFC 4578: the first one named */
    uint32_t local;           /* our address the question came to */
    uint32_t relay;           /* giaddr; 0: none */
    uint32_t client_address;  /* ciaddr or the address it asks for (option 50); 0: it has none */
    size_t max_bytes;         /* no answer may be larger: from option 57 */

    uint16_t port; /* ours that was asked */
    uint32_t xid;
    uint16_t flags;
    uint32_t ciaddr;
    uint8_t chaddr[DHCP_CHADDR_BYTES];
    uint8_t echo_uuid[PXE_ECHO_UUID_MAX_BYTES]; /* option 97 as it came */
    size_t echo_uuid_len;                       /* 0: it was not there, or not sensible */
    uint8_t echo_relay[PXE_ECHO_RELAY_MAX_BYTES];
    size_t echo_relay_len;
    uint8_t boot_item[4]; /* option 43, sub-option 71: which menu item was chosen */
    bool has_boot_item;
};

/* Outcomes of pxe_question_read() beside 0: why the packet stays unanswered */
enum {
    PXE_E_MALFORMED = 1,
    PXE_E_NOT_PXE = 2, /* an ordinary DHCP client, or one without option 93: none of our business */
    PXE_E_NOT_OURS = 3, /* a reply, or meant for another server */
    PXE_E_HARDWARE = 4, /* not Ethernet */
};

/**
 * pxe_question_read() - is this a boot client's question to us?
 * @port:  ours that the packet came to
 * @local: our address that it came to; for a broadcast, the receiving interface's
 * @ret:   only meaningful on 0; holds no pointers
 */
int pxe_question_read(struct bytes src, uint16_t port, uint32_t local, struct pxe_question *ret);

/* A word for the log, of an outcome above. */
const char *pxe_why_not(int outcome);

/* What to tell it: a boot file's name for PXE, a URL for HTTP Boot. */
struct pxe_decision {
    const char *boot;
};

/* Where an answer goes. */
struct pxe_target {
    uint32_t address; /* 0xffffffff: broadcast on the interface the question came from */
    uint16_t port;
};

/* Outcomes of pxe_answer_put() beside 0 */
enum {
    PXE_E_TOO_LARGE = 1, /* larger than the client takes, or than @dst: must not be sent */
};

/**
 * pxe_answer_put() - write the OFFER or ACK
 * @peer:      where the question came from; on 4011 the answer goes back there
 * @ret:       only meaningful on 0
 */
int pxe_answer_put(const struct pxe_question *question,
                   const struct pxe_decision *decision,
                   struct pxe_target peer,
                   struct sink *dst,
                   struct pxe_target *ret);

/* What the LAN's own DHCP server told a client in an ACK. */
struct pxe_lease {
    uint8_t mac[MAC_BYTES];
    uint32_t address; /* the client's */
    uint32_t
        next_server; /* siaddr: the only server that Debian's signed GRUB asks for files; 0: none named */
};

/**
 * pxe_lease_read() - read an ACK that was broadcast to a client
 *
 * Return: false if the packet is anything else.
 */
bool pxe_lease_read(struct bytes src, struct pxe_lease *ret);
