/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The parent: takes the state folder and the ports, starts the roles and nginx, starts them again, ends them
 */

#include "server/config.h"
#include "server/parent/remote.h"

struct parent_options {
    const struct server_config *config;
    const char *config_file;  /* its name, for messages */
    const char *config_text;  /* as it was read: the roles read the same */
    const char *state_folder; /* absolute; made if it is missing */
    struct remote remote;     /* is_on: a distribution point of that site, and nothing else */
};

/**
 * parent_run() - be the server until SIGTERM or SIGINT
 *
 * Return: exit status, an enum parent_exit; whatever is not 0 has been said on standard error.
 */
int parent_run(const struct parent_options *options);

/* Say on standard output what parent_run() would do. Return: exit status. */
int parent_explain(const struct parent_options *options);
