/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Agents in the middle of their task sequences: policy and status traffic at a steady rate, or as fast as it is answered
 */

#include <stdint.h>

#include "connection.h"

struct traffic_options {
    const struct place *roles; /* the socket of the site's roles: where boot tickets come from */
    const struct place *site;
    uint64_t n_agents;
    uint64_t first;     /* number of the first one; the others follow */
    uint64_t n_at_once; /* so many begin at the same time */
    uint64_t
        rate_per_s; /* requests of all together; 0: each agent asks again as soon as it is answered */
    uint64_t duration_us; /* of the traffic, when all have begun */
    uint64_t renew_us;    /* agents get another token after so long; 0: after half of its life */
    const char *
        ack_file; /* NULL, or where "ORDER NUMBER" is written of each agent: its last report that was acknowledged */
    const char *server; /* what the devices call the server */
};

/* Prints one line of JSON. Return: 0; 1: something was lost or refused, which was said; or -errno. */
int traffic_run(const struct traffic_options *options);
