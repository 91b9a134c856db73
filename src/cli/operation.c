/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/operation.h"

#include <string.h>

#include "base/own.h"
#include "cli/patience.h"
#include "cli/progress.h"
#include "plat/clock.h"

enum {
    POLL_US = 500 * 1000,
    PATH_MAX_BYTES = 1024,
};

static bool report_failure(struct session *s, const json_t *operation)
{
    const char *why = output_text(operation, "error");

    return session_fail(s,
                        ARGS_EXIT_FAILURE,
                        output_text(operation, "error_id"),
                        "%s of %s failed: %s",
                        output_text(operation, "kind"),
                        output_text(operation, "package_id"),
                        why[0] ? why : output_text(operation, "message"));
}

bool operation_follow(struct session *s, const char *id)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct patience patience = {0};
    struct progress progress;

    progress_init(&progress, s->is_err_terminal);
    buf_adds(&path, "/operations/");
    session_escape(&path, id);
    for (;;) {
        OWN(session_json_freep) json_t *operation = NULL;
        const char *state;

        if (!patience_get(&patience, s, buf_str(&path), &operation)) {
            progress_end(&progress);
            return false;
        }
        state = output_text(operation, "state");
        if (strcmp(state, "succeeded") == 0)
            return (progress_end(&progress), true);
        if (strcmp(state, "failed") == 0 || strcmp(state, "cancelled") == 0)
            return (progress_end(&progress), report_failure(s, operation));
        if (operation) {
            const char *message = output_text(operation, "message");

            progress_show(&progress,
                          message[0] ? message : state,
                          (unsigned)output_u64(operation, "percent"),
                          "");
        }
        clock_sleep_us(POLL_US);
    }
}
