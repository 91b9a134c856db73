/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * How much of smsts.log is written and kept: SMSTS.ini, and variables, which win (docs/protocol/logs.md)
 */

#include "format/cmtrace/log_settings.h"

#include <stdio.h>

#include "agent/run/journal.h"
#include "agent/run/runner.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/vars.h"

enum {
    PATH_MAX_BYTES = 4096,
};

static void read_file(const struct runner *rn, struct log_settings *ret)
{
    OWN(buf_fini) struct buf ini = BUF_INIT(LOG_SETTINGS_FILE_MAX);
    const char *root = rn->options->is_full_os ? rn->platform->full_os_root : "";
    char path[PATH_MAX_BYTES];

    if (!rn->platform->log_settings_path)
        return;
    (void)snprintf(path, sizeof(path), "%s%s", root, rn->platform->log_settings_path);
    if (file_read(path, &ini) == 0)
        log_settings_parse(buf_bytes(&ini), ret);
}

void runner_set_log(struct runner *rn)
{
    static const char *const variables[][2] = {
        {"SLWLogMaxSize", "LOGMAXSIZE"},
        {"SLWLogMaxHistory", "LOGMAXHISTORY"},
        {"SLWLogLevel", "LOGLEVEL"},
    };
    struct log_settings settings;

    log_settings_init(&settings);
    read_file(rn, &settings);
    for (size_t i = 0; rn->state && i < sizeof(variables) / sizeof(variables[0]); i++)
        (void)log_settings_set(&settings,
                               bytes_of(variables[i][1]),
                               bytes_of(ts_vars_get(rn->state->vars, variables[i][0])));
    journal_set(rn->journal, &settings);
}
