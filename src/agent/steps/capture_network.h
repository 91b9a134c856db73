/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The parts of Capture Network Settings that need no network
 */

#include <stdbool.h>
#include <stddef.h>

#include "agent/steps/apply_network.h"
#include "base/buf.h"
#include "base/bytes.h"

struct ts_vars;

/**
 * capture_network_put() - the variables that Apply Network Settings reads
 *
 * Return: 0 or -errno.
 */
int capture_network_put(const struct network_settings *settings, struct ts_vars *vars);

/* The servers and suffixes that a resolv.conf names. @dns, @search: room for more is not there, the rest is left out. */
void capture_network_read_resolv_conf(const char *text,
                                      struct ts_words *dns,
                                      struct ts_words *search);

/**
 * capture_network_add_addresses() - what the kernel says of addresses
 * @answer: messages of RTM_NEWADDR
 * @index:  of the interface
 * @ret:    addresses with their prefixes; is_dhcp is set if one of IPv4 is lent, not for ever. Of IPv6 those that somebody
 *          has set
 */
void capture_network_add_addresses(struct bytes answer, unsigned index, struct ts_adapter *ret);

/* The gateways of an interface in /proc/net/route. */
void capture_network_read_routes(const char *text, const char *name, struct ts_words *ret);

/* The same in /proc/net/ipv6_route, but for those that a router has told. */
void capture_network_read_routes_v6(const char *text, const char *name, struct ts_words *ret);

/* The domain of a computer's account in a keytab of Kerberos (version 2), in small letters; nothing if there is none. */
void capture_network_read_keytab(struct bytes keytab, struct buf *ret);

/**
 * capture_network_find_membership() - of a system
 * @root: inside_open()
 * @ret:  the domain's or the workgroup's name; empty: neither is known
 *
 * Return: 0 or -errno.
 */
int capture_network_find_membership(int root, bool *ret_is_domain, struct buf *ret);
