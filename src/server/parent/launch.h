/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * How each process of the server is started
 */

#include <sys/types.h>

#include "server/parent/parent.h"
#include "server/parent/prepare.h"

extern const char *const launch_names[N_CHILDREN]; /* "site", "dp", "pxe", "nginx", "token" */

/**
 * launch() - start one
 * @pipe_fd: for the site, its first_start_fd, and for the process `token`, its token_fd (server/role.h); -1: not given
 */
int launch(const struct parent_options *options,
           const struct prepared *prepared,
           enum parent_child child,
           int pipe_fd,
           pid_t *ret);
