/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * All that must be in order before the first process is started
 */

#include <limits.h>

#include "base/text.h"
#include "server/parent/parent.h"
#include "server/parent/ports.h"
#include "server/parent/users.h"

struct prepared {
    struct users users;
    struct ports ports;
    int lock_fd;       /* owned */
    int config_fd;     /* owned; the text of slipway.conf */
    const char *nginx; /* path of the program */
    char pin[SHA256_TEXT_MAX];
};

#define PREPARED_INIT ((struct prepared){.ports = PORTS_INIT, .lock_fd = -1, .config_fd = -1})

void prepared_fini(struct prepared *prepared);

/* Return: PARENT_EXIT_OK, or the exit status, and then the reason has been said. */
int prepare(const struct parent_options *options, struct prepared *ret);

/* Path of nginx; NULL if it is not installed. */
const char *prepare_find_nginx(void);
