/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the role remembers of machines that boot: a table of fixed size, by MAC address
 *
 * The one unseen for longest makes room. Nothing here is worth keeping over a restart: a client that is not in
 * the table is served too, only with less knowledge. Addresses are numbers in host byte order.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum {
    BOOT_CLIENTS_MAX = 1024,
    BOOT_FOLDER_TEXT_MAX = 16, /* "SLP00001/x64" and the NUL */
};

/* What goes out under the name of shim's second stage, grubx64.efi; docs/protocol/boot.md, Secure Boot. */
enum second_stage {
    SECOND_STAGE_NONE,
    SECOND_STAGE_SIGNED,
    SECOND_STAGE_SLIPWAY,
};

enum secure_boot {
    SECURE_BOOT_UNKNOWN,
    SECURE_BOOT_ON,
    SECURE_BOOT_OFF,
};

struct boot_client {
    uint8_t mac[MAC_BYTES];
    uint64_t seen_us; /* clock_monotonic_us() of the last sign of life; 0: this slot is free */

    uint8_t uuid[UUID_BYTES];
    bool has_uuid;
    bool is_http;
    bool is_ipxe;
    uint16_t arch;
    uint32_t address; /* its own; 0: not known yet */
    uint32_t relay;   /* 0: none */

    char folder[BOOT_FOLDER_TEXT_MAX]; /* of the boot image it was offered; "": none yet */

    bool has_lease;       /* its DHCP server's ACK was heard: */
    uint32_t next_server; /* what that named; 0: nobody */

    enum secure_boot site_says;
    uint64_t needs_signed_until_us; /* it refused our GRUB; 0: it did not */
    enum second_stage served;       /* since it was switched on */
    bool is_served_whole;           /* ... to the last byte */
    bool is_grub_alive;             /* ... and that GRUB has asked for its configuration */
};

struct boot_clients {
    struct boot_client slots[BOOT_CLIENTS_MAX];
};

/* NULL if there is none. */
struct boot_client *boot_clients_find(struct boot_clients *clients,
                                      const uint8_t mac[static MAC_BYTES]);

/* The one seen last with that address; NULL if there is none. */
struct boot_client *boot_clients_find_address(struct boot_clients *clients, uint32_t address);

/* Find or make, and note that it was seen @now_us (never 0). */
struct boot_client *boot_clients_see(struct boot_clients *clients,
                                     const uint8_t mac[static MAC_BYTES],
                                     uint64_t now_us);
