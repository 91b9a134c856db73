/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/notice.h"

#include "agent/steps/step.h"
#include "base/buf.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/process.h"
#include "ts/vars.h"

enum {
    NOTICE_MAX_BYTES = 1024,
    WALL_TIMEOUT_US = 10 * 1000 * 1000,
    US_PER_S = 1000 * 1000,
};

void notice_give(struct step_context *c, const char *message, unsigned seconds)
{
    OWN(buf_fini) struct buf text = BUF_INIT(NOTICE_MAX_BYTES);
    OWN(buf_fini) struct buf ignored = BUF_INIT(NOTICE_MAX_BYTES);
    struct process_result result;

    if (c->environment != STEP_IN_FULL_OS)
        return;
    ts_vars_mask(c->vars, message, &text);
    buf_addf(&text, " (in %u seconds)\n", seconds);
    if (text.failed)
        return;
    /* by standard input: so it cannot be taken for a file or an option */
    (void)process_run(&(struct process_options){.argv = (const char *const[]){"wall", NULL},
                                                .folder = "/",
                                                .input = buf_bytes(&text),
                                                .output = &ignored,
                                                .timeout_us = WALL_TIMEOUT_US},
                      &result);
}

bool notice_wait(struct step_context *c, unsigned seconds, const char *what)
{
    for (unsigned i = 0; i < seconds; i++) {
        if (!c->progress(c->ctx, i * 100 / seconds, 0, what))
            return false;
        clock_sleep_us(US_PER_S);
    }
    return true;
}
