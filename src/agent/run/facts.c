/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <string.h>

#include "agent/run/order.h"
#include "agent/run/runner.h"
#include "agent/run/time_zone.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "ts/engine_vars.h"
#include "ts/vars.h"

enum {
    TIME_ZONE_MAX = 256,
};

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

/* What is true of the computer, wherever it runs. */
static int set_machine(struct runner *rn)
{
    const struct machine *m = &rn->machine;
    char macs[MACHINE_NICS_MAX * MAC_TEXT_MAX] = "";

    put_macs(m, macs);

    const char *const values[][2] = {
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
        {"_SMSTSMacAddresses", macs},
        {"_SMSTSIPAddresses", ""}, /* as they are now: below */
        {"_SMSTSDefaultGateways", ""},
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(values) / sizeof(values[0]); i++)
        r = set_engine(rn, values[i][0], values[i][1]);
    runner_forget_answers(rn); /* the network is up now */
    if (r == 0) {
        const struct ts_facts facts = runner_answers(rn);

        r = ts_engine_set_machine(&facts, rn->state->vars);
    }
    return TRACE(r);
}

static bool is_os_deployment(const struct runner *rn)
{
    bool is = ts_engine_is_os_deployment(rn->document);

    for (size_t i = 0; i < rn->n_children; i++)
        is |= ts_engine_is_os_deployment(rn->children[i].document);
    return is;
}

void runner_find_windows(struct runner *rn)
{
    if (!rn->options->is_full_os && rn->platform->find_windows)
        (void)rn->platform->find_windows(&rn->machine, rn->windows);
}

/* As at the start of the boot image; the installed system is what runs, not what was found. */
static int set_windows(struct runner *rn)
{
    int r;

    if (rn->options->is_full_os)
        return 0;
    r = set_engine(rn, "_OSDDetectedWinDrive", rn->windows);
    return r == 0 ? TRACE(set_engine(rn, "_OSDDetectedWinDir", rn->windows[0] ? "/Windows" : ""))
                  : TRACE(r);
}

int runner_set_facts(struct runner *rn)
{
    static const enum ts_engine_content options[ORDER_CONTENT_OPTION_COUNT] = {
        [ORDER_STREAM] = TS_ENGINE_STREAM,
        [ORDER_DOWNLOAD_WHEN_NEEDED] = TS_ENGINE_DOWNLOAD_WHEN_NEEDED,
        [ORDER_DOWNLOAD_ALL_FIRST] = TS_ENGINE_DOWNLOAD_ALL_FIRST,
    };
    const struct order *order = rn->state->order;
    OWN(buf_fini) struct buf time_zone = BUF_INIT(TIME_ZONE_MAX);
    int r;

    time_zone_put(&time_zone, clock_wall_us());
    r = ts_engine_set(
        &(struct ts_engine_start){
            .is_full_os = rn->options->is_full_os,
            .is_os_deployment = is_os_deployment(rn),
            .is_user_started = !order->is_required,
            .content = options[order->content_option],
            .package_id = order->task_sequence_id,
            .package_name = order->task_sequence_name,
            .deployment_id = order->deployment_id,
            .boot_image_id = order->boot_image_id ? order->boot_image_id : "",
            .client_id = order->device_id,
            .management_point = link_get_options(rn->link)->urls[0],
            .time_zone = buf_str(&time_zone),
        },
        rn->state->vars);
    if (r == 0)
        r = set_machine(rn);
    if (r == 0)
        r = set_windows(rn);
    if (r == 0 && ts_vars_get(rn->state->vars, "_SMSTSMachineName")[0] == '\0')
        r = set_engine(rn, "_SMSTSMachineName", order->device_name);
    return TRACE(r);
}
