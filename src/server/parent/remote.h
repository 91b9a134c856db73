/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Whether this host is a remote distribution point, and of which site: keys/site-url of the state folder
 *
 * `slipwayd join` writes it, with the token (keys/dp-token) and the site's certificate (keys/site.crt).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

enum {
    REMOTE_HOST_MAX = 256,
    REMOTE_URL_MAX = 300,
};

struct remote {
    bool is_on;               /* otherwise this host is the site itself, and nothing below holds */
    char url[REMOTE_URL_MAX]; /* "https://10.77.0.1:443" */
    char host[REMOTE_HOST_MAX]; /* "10.77.0.1" or a name */
    bool is_name;               /* the host must be resolved */
    uint16_t port;
};

/**
 * remote_parse() - read "https://HOST[:PORT]", with nothing behind it
 * @ret: set on true, with is_on
 *
 * HOST is an IPv4 address or a name of letters, digits, '-' and '.': nothing that means anything to nginx.
 */
bool remote_parse(const char *url, struct remote *ret);

/* Outcome of remote_load() beside 0 */
enum {
    REMOTE_E_DAMAGED = 1, /* keys/site-url is there, but is not what `slipwayd join` writes */
};

/* The name servers of a resolv.conf(5), separated by spaces, at most three, IPv4 only; "" if there are none. */
void remote_put_resolvers(struct bytes resolv_conf, struct buf *dst);

/* What this state folder is. It need not exist. */
int remote_load(const char *state_folder, struct remote *ret);

/**
 * remote_load_address() - where clients reach this host, if `slipwayd join` was told so: keys/address
 * @ret: replaced, and owned, if there is such a file
 */
int remote_load_address(const char *state_folder, char **ret);
