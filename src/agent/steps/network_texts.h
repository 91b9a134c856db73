/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Network settings as the files of what manages a network. An adapter without a MAC address stands for all Ethernet
 * adapters.
 */

#include "agent/steps/apply_network.h"
#include "base/buf.h"

/* The first line of each file. */
#define NETWORK_HEADER "# Written by Slipway\n"

/* etc/systemd/network/10-slipway-@i.network */
void network_put_networkd(struct buf *dst, const struct network_settings *s, size_t i);

/* etc/NetworkManager/system-connections/slipway-@i.nmconnection */
void network_put_manager(struct buf *dst, const struct network_settings *s, size_t i);

/* etc/netplan/90-slipway.yaml, of all adapters */
void network_put_netplan(struct buf *dst, const struct network_settings *s);

/* etc/network/interfaces, of all adapters. @has_patterns: it can match MAC addresses, as Debian's does. */
void network_put_ifupdown(struct buf *dst, const struct network_settings *s, bool has_patterns);

/* Name servers and suffixes of all adapters, each once. Return: whether there is a server. */
bool network_put_resolv_conf(struct buf *dst, const struct network_settings *s);
