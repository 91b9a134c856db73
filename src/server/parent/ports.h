/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The ports of the server: taken or checked before anything is started
 */

#include <stdbool.h>
#include <stdint.h>

#include "server/config.h"

struct ports {
    int dhcp_fd; /* owned; UDP, bound to 0.0.0.0, IP_PKTINFO, SO_BROADCAST, not blocking; -1: not wanted */
    int boot_server_fd; /* owned; the same */
    int tftp_fd;        /* owned; the same */
    int lease_fd; /* owned; UDP, bound to 255.255.255.255:68; -1: not wanted, or not to be had, which is no failure */
};

#define PORTS_INIT \
    ((struct ports){.dhcp_fd = -1, .boot_server_fd = -1, .tftp_fd = -1, .lease_fd = -1})

void ports_fini(struct ports *ports);

/* What could not be had. */
struct ports_failure {
    const char *protocol; /* "udp" or "tcp" */
    uint16_t port;
    const char *setting; /* "[site] http-port" */
};

/* Outcome of ports_take() beside 0 */
enum {
    PORTS_E_IN_USE = 1,
    PORTS_E_FORBIDDEN = 2, /* a port below 1024 without root */
};

/**
 * ports_take() - bind the UDP ports, and see that nobody listens on the TCP ports, which are nginx's
 * @is_https_on: whether the API is served here
 * @http_folder: nginx of a server that died, known by its working directory, is ended if it is in the way
 * @ret_failure: set on an outcome
 */
int ports_take(const struct server_config *config,
               bool is_https_on,
               const char *http_folder,
               struct ports *ret,
               struct ports_failure *ret_failure);
