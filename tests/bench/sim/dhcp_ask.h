/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What firmware says and hears by DHCP when it looks for something to boot (PXE 2.1, UEFI 2.10 HTTP Boot). No socket.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/text.h"

enum {
    DHCP_ASK_MAX_BYTES = 1472,
    DHCP_ASK_BOOT_MAX = 256, /* of a file's name or URL, with its NUL */
};

struct dhcp_ask {
    uint8_t mac[MAC_BYTES];
    uint32_t xid;
    uint32_t address; /* its own; 0: none yet, as in a DISCOVER */
    bool is_http;     /* UEFI HTTP Boot; otherwise PXE of x64 UEFI */
    bool is_request;  /* to port 4011 of who has answered; otherwise a DISCOVER */
};

/* What a server says there is to boot. */
struct dhcp_heard {
    uint32_t xid;
    uint32_t server;
    bool is_ack;                  /* otherwise an OFFER */
    bool is_boot_server;          /* it is one for boot clients */
    char boot[DHCP_ASK_BOOT_MAX]; /* file or URL; "": none is named */
};

/* Return: whether it fits. */
bool dhcp_ask_put(const struct dhcp_ask *ask, struct sink *dst);

/* Return: whether it is an OFFER or ACK at all. */
bool dhcp_heard_read(struct bytes packet, struct dhcp_heard *ret);
