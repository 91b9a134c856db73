/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* Whether the server of a network folder is there at all: the kernel waits for it for minutes, and cannot be told to stop */

#include <stdbool.h>

#include "agent/steps/network_folder.h"
#include "agent/steps/step.h"

struct connection; /* agent/steps/connections.h */

/**
 * network_folder_reach() - wait until the server answers, and say so
 * @why: of an outcome above 0
 *
 * A server that refuses is there: what it is asked later says why.
 *
 * Return: 0; NETWORK_FOLDER_E_NAME; NETWORK_FOLDER_E_UNREACHABLE: nobody has answered for a minute;
 * NETWORK_FOLDER_E_CANCELLED: the site has cancelled; or -errno.
 */
int network_folder_reach(struct step_context *c,
                         const struct ts_network_folder *f,
                         struct buf *why);

/* The folder of a step, as Connect To Network Folder connects it again after a restart: reached, then mounted. Outcomes of both. */
int network_folder_connect(struct step_context *c,
                           const struct connection *connection,
                           struct buf *why);

/* Whether a network folder is mounted there. Nobody is asked who may be away. */
bool network_folder_is_connected(const char *target);
