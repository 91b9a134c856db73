/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/facts/command.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/facts/facts.h"
#include "agent/run/machine.h"
#include "base/buf.h"
#include "base/own.h"
#include "ts/facts.h"
#include "ts/facts_json.h"
#include "ts/vars.h"

enum {
    SITE_MAX = 2048,
};

static void fini_file(struct ts_facts_file *file)
{
    ts_table_free(file->table);
    ts_vars_free(file->vars);
}

int facts_command(void)
{
    OWN(freep) struct machine *machine = calloc(1, sizeof(*machine));
    OWN(buf_fini) struct buf text = BUF_INIT(TS_FACTS_MAX_BYTES);
    OWN(fini_file) struct ts_facts_file file = {0};
    char site[SITE_MAX];
    bool is_full_os = !machine_argument("slipway.site", site, sizeof(site));

    if (!machine || machine_collect(machine) < 0 ||
        facts_describe("", machine, is_full_os, &file) < 0)
        return EXIT_FAILURE;
    return ts_facts_put(&file, &text) == 0 && puts(buf_str(&text)) >= 0 ? EXIT_SUCCESS
                                                                        : EXIT_FAILURE;
}
