/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/facts/command.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/facts/facts.h"
#include "agent/run/machine.h"
#include "base/buf.h"
#include "base/own.h"
#include "ts/document.h"
#include "ts/engine_vars.h"
#include "ts/facts.h"
#include "ts/facts_json.h"
#include "ts/vars.h"

enum {
    SITE_MAX = 2048,
};

DEFINE_FREEP(struct ts_table *, ts_table_free);
DEFINE_FREEP(struct ts_vars *, ts_vars_free);

static int set_variables(const struct machine *m, bool is_full_os, struct ts_vars *vars)
{
    const struct {
        const char *name;
        const char *value;
    } values[] = {
        {"_SMSTSInWinPE", is_full_os ? "false" : "true"},
        {"_SMSTSBootUEFI", m->is_uefi ? "true" : "false"},
        {"_TSSecureBoot",
         !m->is_uefi         ? "NA"
         : m->is_secure_boot ? "Enabled"
                             : "Disabled"},
        {"_SMSTSMake", m->manufacturer},
        {"_SMSTSModel", m->model},
        {"_SMSTSSerialNumber", m->serial},
        {"_SMSTSAssetTag", m->asset_tag},
        {"_SMSTSUUID", m->uuid},
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        if (ts_vars_set(vars, values[i].name, values[i].value, TS_BY_ENGINE) < 0)
            return -1;
    return 0;
}

int facts_command(void)
{
    OWN(freep) struct machine *machine = calloc(1, sizeof(*machine));
    OWN(ts_table_freep) struct ts_table *table = NULL;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(TS_FACTS_MAX_BYTES);
    char site[SITE_MAX];
    bool is_full_os = !machine_argument("slipway.site", site, sizeof(site));

    if (!machine || machine_collect(machine) < 0 || facts_gather("", machine, &table) < 0 ||
        ts_vars_new(&vars) < 0 || set_variables(machine, is_full_os, vars) < 0)
        return EXIT_FAILURE;

    const struct ts_facts facts = ts_table_facts(table);

    if (ts_engine_set_machine(&facts, vars) < 0)
        return EXIT_FAILURE;

    const struct ts_facts_file file = {
        table, vars, is_full_os ? TS_RUN_IN_FULL_OS : TS_RUN_IN_BOOT_IMAGE};

    return ts_facts_put(&file, &text) == 0 && puts(buf_str(&text)) >= 0 ? EXIT_SUCCESS
                                                                        : EXIT_FAILURE;
}
