/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Network settings, written into a Linux system for whatever manages its network
 */

#include <stdbool.h>
#include <stddef.h>

#include "ts/adapter.h"

struct step_context;
struct step_result;

struct network_settings {
    struct ts_adapter adapters[TS_ADAPTERS_MAX];
    size_t n_adapters;
    char names[TS_ADAPTERS_MAX][TS_ADAPTER_NAME_MAX]; /* of all Ethernet adapters that there are */
    size_t n_names;
    struct ts_words search;       /* DNS suffixes of all adapters */
    const char *boot_resolv_conf; /* path of the boot image's resolv.conf */
};

/* Outcome of network_write() beside 0 */
enum {
    NETWORK_WRITE_E_NONE = 1, /* nothing that manages a network was found */
};

/**
 * network_write() - write the files, instead of those that an earlier call has written
 * @root_path: of the volume
 * @ret_how: what they were written for: "netplan", ...; a literal
 */
int network_write(const char *root_path, const struct network_settings *s, const char **ret_how);

/**
 * network_read() - the settings of the step
 * @ret: adapters, names and search; with no adapter listed there is one entry, of all Ethernet adapters by DHCP
 * @result: set if a value makes no sense (SLW-0433)
 */
void network_read(struct step_context *c, struct network_settings *ret, struct step_result *result);
