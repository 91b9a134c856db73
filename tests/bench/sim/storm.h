/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Machines that are switched on together: each looks for something to boot, fetches it, and registers
 *
 * PXE: DISCOVER, OFFER, REQUEST to 4011, ACK, the boot file by TFTP, the menu by TFTP, registration with its ticket. UEFI HTTP
 * Boot: DISCOVER, OFFER, the boot file by HTTP, registration without a ticket. Then each takes its order.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "connection.h"

struct storm_options {
    const char *interface;    /* where DHCP is spoken */
    const struct place *site; /* NULL: the machines boot, and that is all */
    uint64_t n_machines;
    uint64_t first;     /* number of the first one */
    uint64_t spread_us; /* they are switched on evenly in this time */
    uint32_t network;   /* the machines' addresses begin here, in host byte order */
    uint64_t
        tftp_each; /* one in so many boots by PXE, the others by UEFI HTTP Boot; 0: none, 1: all */
    struct bytes boot_file; /* what must arrive, byte by byte */
    uint64_t limit_us;      /* whoever has not registered by then is lost */
};

/* Prints one line of JSON. Return: 0; 1: machines were lost; or -errno. */
int storm_run(const struct storm_options *options);
