/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <signal.h>

#include "server/role.h"

int server_dp_main(const struct role_options *options)
{
    sigset_t ends;
    int got;

    (void)options;
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &ends, NULL);
    return sigwait(&ends, &got) == 0 ? ROLE_EXIT_DONE : ROLE_EXIT_FAILED;
}
