/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Download all content before starting: before the first step may write anything, what the enabled steps use is here
 */

#include "agent/run/journal.h"
#include "agent/run/order.h"
#include "agent/run/report.h"
#include "agent/run/runner.h"
#include "base/err.h"
#include "ts/document.h"
#include "ts/sequence.h"

static int get_for(struct runner *rn, const struct ts_step *step)
{
    struct step_result result = {0};
    struct step_context c;
    int r;

    runner_fill_context(rn, step, &c);
    r = rn->platform->get_ahead(&c, &result);
    step_context_fini(&c);
    if (r < 0)
        return TRACE(r);
    if (report_is_over(rn->report))
        return RUNNER_E_OVER;
    if (!result.error_id)
        return 0;
    step_result_mask(&result, rn->state->vars);
    journal_write(rn->journal,
                  CMTRACE_ERROR,
                  "TSManager",
                  "Content could not be downloaded before the start. %s: %s",
                  result.error_id,
                  result.message);
    runner_remember_failure(rn, result.error_id, result.message);
    return RUNNER_E_FAILED;
}

int runner_get_ahead(struct runner *rn)
{
    if (rn->state->order->content_option != ORDER_DOWNLOAD_ALL_FIRST || !rn->platform->get_ahead)
        return 0;
    for (size_t i = 0; i < rn->n_steps; i++) {
        const struct ts_step *step = ts_sequence_step(rn->sequence, i);
        int r = step && ts_step_is_enabled(step) ? get_for(rn, step) : 0;

        if (r != 0)
            return r < 0 ? TRACE(r) : r;
    }
    return 0;
}
