/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * How each process of the server is started
 */

#include <sys/types.h>

#include "server/parent/parent.h"
#include "server/parent/prepare.h"

extern const char *const launch_names[N_CHILDREN]; /* "site", "dp", "pxe", "nginx" */

/**
 * launch() - start one
 * @first_start_fd: for the site: see server/role.h; -1: not given
 */
int launch(const struct parent_options *options,
           const struct prepared *prepared,
           enum parent_child child,
           int first_start_fd,
           pid_t *ret);
