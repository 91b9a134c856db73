/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Network settings, written into a Linux system for whatever manages its network
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

enum {
    NETWORK_ADAPTERS_MAX = 8,
    NETWORK_LIST_MAX = 8,
    NETWORK_WORD_MAX = 256,
    NETWORK_NAME_MAX = 32,
};

struct network_list {
    char items[NETWORK_LIST_MAX][NETWORK_WORD_MAX]; /* checked: addresses or domain names */
    size_t n;
};

struct network_adapter {
    char mac[MAC_TEXT_MAX];
    char name[NETWORK_NAME_MAX]; /* the kernel's, "eth0" */
    bool is_dhcp;
    struct network_list addresses;       /* IPv4; none with DHCP */
    unsigned prefixes[NETWORK_LIST_MAX]; /* bits of each address's network */
    struct network_list gateways;
    struct network_list dns;
};

struct network_settings {
    struct network_adapter adapters[NETWORK_ADAPTERS_MAX];
    size_t n_adapters;
    struct network_list search;   /* DNS suffixes */
    const char *boot_resolv_conf; /* path of the boot image's resolv.conf */
};

/* Outcome of network_write() beside 0 */
enum {
    NETWORK_WRITE_E_NONE = 1, /* nothing that manages a network was found */
};

/**
 * network_write() - write the files
 * @root_path: of the volume
 * @ret_how: what they were written for: "netplan", ...; a literal
 */
int network_write(const char *root_path, const struct network_settings *s, const char **ret_how);

/* "255.255.255.0" is 24. Return: whether it is a mask with at least one bit. */
bool network_prefix_of_mask(const char *mask, unsigned *ret);
