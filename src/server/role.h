/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the parent gives to a role
 *
 * A role is a process of its own: slipwayd executes itself anew with --role, the role's user and groups, no
 * capabilities and the descriptors named here. By the time a role's main is called, the log is set up, the
 * privileges are dropped and the filter for system calls is on; SIGTERM ends the role, which is its main
 * returning. SIGPIPE is ignored.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/config.h"

enum role {
    ROLE_SITE,
    ROLE_DP,
    ROLE_PXE,
    N_ROLES,
};

/* Exit statuses of a role that the parent understands; any other end is a reason to start it again. */
enum role_exit {
    ROLE_EXIT_DONE = 0,   /* it was told to end */
    ROLE_EXIT_FAILED = 1, /* it has logged why */
    ROLE_EXIT_SCHEMA =
        40, /* the database is from a newer program: ends the whole server (SLW-0014) */
    ROLE_EXIT_DISK_FULL =
        41, /* nothing can be written: ends the server while it starts (SLW-0013) */
    ROLE_EXIT_STORE =
        42, /* the content store is of another format: as for the database (SLW-0360) */
};

enum {
    ROLE_PXE_RT_PRIORITY =
        1, /* SCHED_RR, of the threads that answer by TFTP; no other role may have one */
};

struct role_options {
    const struct server_config *config;
    const char *state_folder; /* absolute; "/var/lib/slipway" */
    const char *self;         /* path of slipwayd, for a worker: SELF --role=worker */
    int first_start_fd; /* site: a one-time administrator's token is written here, as one line, as long
                           as nobody has signed in, and it is closed either way; -1: nobody is listening */
    int dhcp_fd; /* pxe: UDP sockets bound to 0.0.0.0, with IP_PKTINFO and SO_BROADCAST; -1: */
    int boot_server_fd; /* not given */
    int tftp_fd;
    int lease_fd; /* pxe: UDP socket bound to 255.255.255.255:68 (not to 0.0.0.0), SO_REUSEADDR, IP_PKTINFO:
                     hears what the LAN's own DHCP server tells the clients; -1: not given, and the role does
                     without (docs/protocol/boot.md, Secure Boot) */
    int key_fd; /* token: the secret key of a remote distribution point (server/parent/dp_key.h) */
    int old_token_fd;       /* token: what it was let in with before it had one; -1: nothing */
    int token_fd;           /* token: tokens are written here, each as one line */
    uint32_t uids[N_ROLES]; /* who the roles run as: SO_PEERCRED on run/roles.sock */
};

/* Entry points, each in src/server/ROLE/main.c. Return: an exit status, see enum role_exit. */
int server_site_main(const struct role_options *options);
int server_dp_main(const struct role_options *options);
int server_pxe_main(const struct role_options *options);
int server_token_main(const struct role_options *options); /* in src/server/parent */

/**
 * server_worker_main() - one job of the distribution point
 *
 * Executed by the role dp as the same user: slipwayd --role=worker --state=FOLDER --config=FILE. The job is JSON on
 * standard input, progress and result are lines of JSON on standard output, diagnostics go to standard error
 * (docs/protocol/content.md).
 */
int server_worker_main(const struct role_options *options);
