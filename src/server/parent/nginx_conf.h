/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The configuration of nginx, the only HTTP server that faces a network
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct remote;

struct nginx_conf_options {
    const char *state_folder; /* absolute, without quotes, backslashes, '$' or line breaks */
    uint16_t http_port;
    uint16_t https_port;
    const char *load_balancers; /* IP addresses separated by spaces; NULL or "": none */
    uint16_t load_balancer_port;
    bool is_dp_on;
    const struct remote *remote; /* NULL: the site is here */
    const char
        *resolvers; /* remote, and the site's host is a name: name servers, "" if there are none */
};

/* Whether a path can stand in nginx.conf between double quotes. */
bool nginx_conf_is_path_plain(const char *path);

void nginx_conf_put(const struct nginx_conf_options *options, struct buf *dst);
