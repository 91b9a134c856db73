/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/role.h"

int server_worker_main(const struct role_options *options)
{
    (void)options;
    return ROLE_EXIT_FAILED;
}
