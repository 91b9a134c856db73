/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The network in the boot image: an address by DHCP on the interface that booted, else on any other
 * with a link. In the installed operating system the network is that system's business, and none of
 * this is called.
 */

#include <stddef.h>

#include "base/buf.h"

struct machine;

/* Outcomes of network_up() beside 0 */
enum {
    NETWORK_E_NO_INTERFACE = 1, /* no Ethernet interface: a driver is missing */
    NETWORK_E_NO_LINK = 2,      /* none has a link */
    NETWORK_E_NO_ADDRESS = 3,   /* no DHCP server answered on any of them */
};

/**
 * network_up() - bring up the loopback and one Ethernet interface
 * @ret_interface: name of the interface that got an address; at least MACHINE_NAME_MAX bytes
 * @why: on an outcome: a sentence for people that names the interfaces tried
 *
 * Tries the interface that booted first, then every other with a link, in their order. May be called
 * again after a failure. Takes up to a minute. The lease is renewed in the background from then on.
 */
int network_up(const struct machine *machine, char *ret_interface, size_t cap, struct buf *why);
