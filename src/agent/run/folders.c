/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Network folders after a restart: what Connect To Network Folder had connected is there again before the next step
 */

#include <stdio.h>

#include "agent/run/journal.h"
#include "agent/run/report.h"
#include "agent/run/runner.h"
#include "agent/steps/network_folder.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "ts/sequence.h"

#define COMPONENT "ConnectNetworkFolder"
#define US_PER_S  UINT64_C(1000000)

enum {
    PAUSE_S = 15,
    TEXT_MAX = 320,
};

/* Return: whether the order goes on. */
static bool wait_a_while(struct runner *rn, const char *path)
{
    char what[TEXT_MAX];

    (void)snprintf(what, sizeof(what), "Waiting for %.200s", path);
    for (unsigned i = 0; i < PAUSE_S; i++) {
        if (!runner_progress(rn, STEP_PERCENT_UNKNOWN, 0, what))
            return false;
        clock_sleep_us(US_PER_S);
    }
    return true;
}

/* Whoever went down with the same power needs a while. */
static bool is_away(int outcome)
{
    return outcome == NETWORK_FOLDER_E_UNREACHABLE || outcome == NETWORK_FOLDER_E_NAME;
}

static int connect_one(struct runner *rn,
                       struct step_context *c,
                       const struct connection *one,
                       struct buf *why)
{
    uint64_t until_us = clock_monotonic_us() + rn->platform->folder_patience_us;
    int r;

    for (;;) {
        buf_clear(why);
        r = rn->platform->connect_folder(c, one, why);
        if (!is_away(r) || clock_monotonic_us() >= until_us || !wait_a_while(rn, one->path))
            return r < 0 ? TRACE(r) : r;
    }
}

static int connect_again(struct runner *rn, struct step_context *c, const struct connection *one)
{
    OWN(buf_fini) struct buf why = BUF_INIT(STEP_MESSAGE_MAX);
    int r;

    if (rn->platform->is_folder_connected(one->target))
        return 0;
    journal_write(rn->journal,
                  CMTRACE_INFORMATION,
                  COMPONENT,
                  "Connecting %s to %s again%s%s",
                  one->path,
                  one->target,
                  one->account[0] != '\0' ? " as " : "",
                  one->account);
    r = connect_one(rn, c, one, &why);
    if (r > 0)
        journal_write(
            rn->journal,
            CMTRACE_ERROR,
            COMPONENT,
            "SLW-0448: \"%s\" cannot be connected to %s again: %s. Steps that need it fail",
            one->path,
            one->target,
            buf_str(&why));
    return r < 0 ? TRACE(r) : 0;
}

int runner_connect_folders(struct runner *rn)
{
    const struct connections *folders = &rn->state->connections;
    const struct ts_step *step;
    struct step_context c;
    int r = 0;

    rn->current = ts_sequence_position(rn->sequence);
    step = rn->current < rn->n_steps ? ts_sequence_step(rn->sequence, rn->current) : NULL;
    if (!step || !rn->platform->connect_folder)
        return 0;
    runner_fill_context(rn, step, &c);
    for (size_t i = 0; r == 0 && i < folders->n && !report_is_over(rn->report); i++)
        r = connect_again(rn, &c, &folders->list[i]);
    step_context_fini(&c);
    return TRACE(r);
}
