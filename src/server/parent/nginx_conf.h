/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The configuration of nginx, the only HTTP server that faces a network
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct nginx_conf_options {
    const char *state_folder; /* absolute, without quotes, backslashes, '$' or line breaks */
    uint16_t http_port;
    uint16_t https_port;
    bool is_dp_on;
};

/* Whether a path can stand in nginx.conf between double quotes. */
bool nginx_conf_is_path_plain(const char *path);

void nginx_conf_put(const struct nginx_conf_options *options, struct buf *dst);
