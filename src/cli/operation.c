/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/operation.h"

#include <string.h>

#include "base/own.h"
#include "cli/commands.h"
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

    if (s->is_dry)
        return session_end_try(s);
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

static const struct output_column fields[] = {
    {"ID", "id", OUTPUT_TEXT},
    {"Kind", "kind", OUTPUT_TEXT},
    {"Content", "package_id", OUTPUT_TEXT},
    {"Content version", "version", OUTPUT_PLACE},
    {"Distribution point", "dp_id", OUTPUT_TEXT},
    {"State", "state", OUTPUT_TEXT},
    {"Percent", "percent", OUTPUT_TEXT},
    {"Message", "message", OUTPUT_TEXT},
    {"Error", "error_id", OUTPUT_TEXT},
    {"Cause", "error", OUTPUT_TEXT},
    {"Created (UTC)", "created_at", OUTPUT_TIME},
    {"Finished (UTC)", "finished_at", OUTPUT_TIME},
    {0},
};

/* "/operations/ID", or more behind it. */
static void put_path(struct buf *dst, const char *id, const char *more)
{
    buf_adds(dst, "/operations/");
    session_escape(dst, id);
    buf_adds(dst, more);
}

bool operation_list(struct session *s, const struct args *args)
{
    static const struct output_column columns[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"KIND", "kind", OUTPUT_TEXT},
        {"CONTENT", "package_id", OUTPUT_TEXT},
        {"VERSION", "version", OUTPUT_PLACE},
        {"DP", "dp_id", OUTPUT_TEXT},
        {"STATE", "state", OUTPUT_TEXT},
        {"%", "percent", OUTPUT_TEXT},
        {"CREATED (UTC)", "created_at", OUTPUT_TIME},
        {"ERROR", "error_id", OUTPUT_TEXT},
        {"CAUSE", "error", OUTPUT_TEXT},
        {0},
    };
    const char *path = args_get(args, "all") ? "/operations" : "/operations?state=open";

    return session_show_list(s, path, columns);
}

bool operation_show(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *operation = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args->operands[0], "");
    return session_open(s) && session_get(s, &operation, "%s", buf_str(&path)) &&
           session_print_fields(s, operation, fields);
}

bool operation_is_over(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *operation = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    const char *state;

    put_path(&path, args->operands[0], "");
    if (!session_get(s, &operation, "%s", buf_str(&path)))
        return true;
    state = output_text(operation, "state");
    return strcmp(state, "queued") != 0 && strcmp(state, "running") != 0;
}

bool operation_cancel(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *operation = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    put_path(&path, args->operands[0], "/cancellation");
    return session_open(s) && session_call(s, "POST", buf_str(&path), NULL, &operation) &&
           session_print_fields(s, operation, fields);
}
