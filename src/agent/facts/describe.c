/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>

#include "agent/facts/facts.h"
#include "agent/run/machine.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/document.h"
#include "ts/engine_vars.h"
#include "ts/facts.h"
#include "ts/facts_json.h"
#include "ts/vars.h"

DEFINE_FREEP(struct ts_table *, ts_table_free);
DEFINE_FREEP(struct ts_vars *, ts_vars_free);

static int set_variables(const struct machine *m, bool is_full_os, struct ts_vars *vars)
{
    const char *const values[][2] = {
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
        if (ts_vars_set(vars, values[i][0], values[i][1], TS_BY_ENGINE) < 0)
            return ERR(-ENOMEM);
    return 0;
}

int facts_describe(const char *root,
                   const struct machine *machine,
                   bool is_full_os,
                   struct ts_facts_file *ret)
{
    OWN(ts_table_freep) struct ts_table *table = NULL;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    int r = facts_gather(root, machine, &table);

    if (r == 0)
        r = ts_vars_new(&vars);
    if (r == 0)
        r = set_variables(machine, is_full_os, vars);
    if (r == 0) {
        const struct ts_facts facts = ts_table_facts(table);

        r = ts_engine_set_machine(&facts, vars);
    }
    if (r < 0)
        return TRACE(r);
    *ret = (struct ts_facts_file){
        TAKE(table), TAKE(vars), is_full_os ? TS_RUN_IN_FULL_OS : TS_RUN_IN_BOOT_IMAGE};
    return 0;
}

int facts_for_registration(const char *root,
                           const struct machine *machine,
                           bool is_full_os,
                           json_t **ret)
{
    OWN(json_decrefp) json_t *json = NULL;
    struct ts_facts_file file = {0};
    int r = facts_describe(root, machine, is_full_os, &file);

    if (r == 0)
        r = ts_facts_json(&file, &json);
    ts_table_free(file.table);
    ts_vars_free(file.vars);
    if (r == 0)
        r = ts_facts_bound(json, TS_FACTS_REGISTERED_MAX_BYTES);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(json);
    return r;
}
