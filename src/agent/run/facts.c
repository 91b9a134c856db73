/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <string.h>

#include "agent/run/order.h"
#include "agent/run/runner.h"
#include "base/err.h"
#include "ts/vars.h"

static int set_engine(struct runner *rn, const char *name, const char *value)
{
    int r = ts_vars_set(rn->state->vars, name, value, TS_BY_ENGINE);

    return r < 0 ? TRACE(r) : 0; /* too long a value from the firmware is no reason to stop */
}

/* Separated by commas, as conditions and commands expect them. */
static void put_macs(const struct machine *m, char *dst)
{
    for (size_t i = 0; i < m->n_nics; i++) {
        if (i > 0)
            *dst++ = ',';
        mac_put(dst, m->nics[i].mac);
        dst += strlen(dst);
    }
}

int runner_set_facts(struct runner *rn)
{
    const struct order *order = rn->state->order;
    const struct machine *m = &rn->machine;
    char macs[MACHINE_NICS_MAX * MAC_TEXT_MAX] = "";

    put_macs(m, macs);

    const struct {
        const char *name;
        const char *value;
    } values[] = {
        {"_SMSTSInWinPE", rn->options->is_full_os ? "false" : "true"},
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
        {"_SMSTSAdvertID", order->deployment_id},
        {"_SMSTSPackageID", order->task_sequence_id},
        {"_SMSTSPackageName", order->task_sequence_name},
        {"_SMSTSBootImageID", order->boot_image_id ? order->boot_image_id : ""},
        {"_SMSTSClientGUID", order->device_id},
        {"_SMSTSMacAddresses", macs},
        {"_SMSTSLaunchMode", "PXE"},
        {"_SMSTSMediaType", "PXE"},
        {"_SMSTSType", "2"},
        {"_SMSTSMP", link_get_options(rn->link)->urls[0]},
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(values) / sizeof(values[0]); i++)
        r = set_engine(rn, values[i].name, values[i].value);
    if (r == 0 && ts_vars_get(rn->state->vars, "_SMSTSMachineName")[0] == '\0')
        r = set_engine(rn, "_SMSTSMachineName", order->device_name);
    return r;
}
