/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The first moments of a role's process: what slipwayd --role=NAME does
 */

#include "server/role.h"

/* Descriptors of a role, by number: see child.h. */
enum role_fd {
    ROLE_FD_CONFIG = 3,      /* the text of slipway.conf, as the parent read it */
    ROLE_FD_FIRST_START = 4, /* site */
    ROLE_FD_DHCP = 4,        /* pxe */
    ROLE_FD_BOOT_SERVER = 5,
    ROLE_FD_TFTP = 6,
    ROLE_FD_LEASE = 7,
    ROLE_FD_KEY = 4, /* token */
    ROLE_FD_OLD_TOKEN = 5,
    ROLE_FD_TOKEN = 6,
};

typedef int role_main(const struct role_options *options);

struct role_start {
    const char *name;         /* "site", "dp", "pxe", "token", "worker" */
    const char *state_folder; /* absolute */
    const char *config_file;  /* its name, for messages */
    const char *users;        /* users_put() */
    role_main *run;
};

/**
 * role_start() - take over what the parent gives, confine the process, run the role
 *
 * Return: exit status
 */
int role_start(const struct role_start *start);
