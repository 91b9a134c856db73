/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Any JSON as a command and as a kept debugger: what is taken can be applied, and is read back as it was written
 */

#include <stdlib.h>

#include "ts/debugger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_kept(const json_t *json)
{
    struct ts_debugger d;
    struct ts_debugger again;
    json_t *written;
    json_t *second;

    if (!ts_debugger_from_json(json, &d))
        return;
    written = ts_debugger_to_json(&d);
    if (!ts_debugger_from_json(written, &again))
        abort();
    second = ts_debugger_to_json(&again);
    if (!json_equal(written, second))
        abort();
    json_decref(second);
    json_decref(written);
}

static void check_command(const json_t *json)
{
    struct ts_debugger d = {0};
    struct ts_debug_command command;

    if (ts_debug_command_parse(json, &command) != 0)
        return;
    ts_debugger_begin(&d);
    (void)ts_debugger_apply(&d, &command, 3);
    if (d.n_breaks > 1)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);

    if (!json)
        return 0;
    check_kept(json);
    check_command(json);
    json_decref(json);
    return 0;
}
