/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/journal.h"
#include "agent/run/report.h"
#include "agent/run/runner.h"
#include "base/bytes.h"
#include "plat/clock.h"
#include "ts/sequence.h"
#include "ts/vars.h"

enum {
    WAIT_MAX_S = 24 * 60 * 60,
    US_PER_S = 1000 * 1000,
};

int runner_wait_for_second_restart(struct runner *rn)
{
    uint64_t seconds = 0;

    if (!rn->options->is_full_os ||
        !bytes_parse_u64(bytes_of(ts_vars_get(rn->state->vars, "SMSTSWaitForSecondReboot")),
                         1,
                         WAIT_MAX_S,
                         &seconds))
        return 0;
    journal_write(rn->journal,
                  CMTRACE_INFORMATION,
                  "TSManager",
                  "Waiting %u seconds for a second restart (SMSTSWaitForSecondReboot)",
                  (unsigned)seconds);
    rn->current = ts_sequence_position(rn->sequence);
    for (uint64_t i = 0; i < seconds; i++) {
        if (!runner_progress(rn, (unsigned)(i * 100 / seconds), 0, "Waiting for a second restart"))
            return RUNNER_E_OVER;
        clock_sleep_us(US_PER_S);
    }
    return 0;
}
