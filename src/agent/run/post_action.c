/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/runner.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/process.h"
#include "ts/vars.h"

enum {
    COMMAND_MAX_BYTES = 32 * 1024,
};

void runner_post_action(struct runner *rn)
{
    OWN(buf_fini) struct buf command = BUF_INIT(COMMAND_MAX_BYTES);
    struct process_result result;

    if (!rn->state || !rn->state->vars)
        return;
    (void)ts_vars_expand(
        rn->state->vars, ts_vars_get(rn->state->vars, "SMSTSPostAction"), &command);
    if (command.len == 0 || command.failed)
        return;

    /* a session of its own, nothing to read, nobody to talk to: it outlives the agent, which does not wait */
    const char *const argv[] = {"/bin/sh",
                                "-c",
                                "setsid /bin/sh -c \"$1\" </dev/null >/dev/null 2>&1 &",
                                "sh",
                                buf_str(&command),
                                NULL};

    (void)process_run(&(struct process_options){.argv = argv, .folder = "/"}, &result);
}
