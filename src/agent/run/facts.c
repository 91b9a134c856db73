/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stdio.h>
#include <string.h>

#include "agent/run/order.h"
#include "agent/run/runner.h"
#include "agent/run/time_zone.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "ts/vars.h"

enum {
    SITE_CODE_MAX = 4, /* "SLP" */
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

/* The values of a property of all network adapters, of IPv4, separated by commas. */
static int set_addresses(struct runner *rn, const char *variable, const char *property)
{
    OWN(buf_fini) struct buf list = BUF_INIT(TS_VAR_VALUE_MAX);
    const struct ts_facts facts = runner_answers(rn);
    const struct ts_class *c =
        facts.find_class(facts.ctx, TS_CIMV2, "Win32_NetworkAdapterConfiguration");

    for (size_t i = 0; c && i < c->n_instances; i++) {
        const struct ts_property *p = ts_instance_find(c->instances[i], property);

        for (size_t k = 0; p && k < p->n_values; k++)
            if (p->values[k].text && !strchr(p->values[k].text, ':'))
                buf_addf(&list, "%s%s", list.len > 0 ? "," : "", p->values[k].text);
    }
    return TRACE(set_engine(rn, variable, buf_str(&list)));
}

/* "443" of "https://10.77.0.1:443" */
static const char *port_of(const char *url)
{
    const char *colon = strrchr(url, ':');

    return colon && colon[1] != '/' && colon[1] != '\0' ? colon + 1 : "443";
}

int runner_set_facts(struct runner *rn)
{
    const struct order *order = rn->state->order;
    const struct machine *m = &rn->machine;
    char macs[MACHINE_NICS_MAX * MAC_TEXT_MAX] = "";
    char site_code[SITE_CODE_MAX];
    OWN(buf_fini) struct buf time_zone = BUF_INIT(TIME_ZONE_MAX);

    time_zone_put(&time_zone, clock_wall_us());
    put_macs(m, macs);
    (void)snprintf(
        site_code, sizeof(site_code), "%s", order->task_sequence_id); /* its first letters */

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
        {"_SMSTSMPPort", port_of(link_get_options(rn->link)->urls[0])},
        {"_SMSTSUseSSL", "true"},
        {"_SMSTSUseCRL", "false"}, /* the site's key is pinned */
        {"_SMSTSSiteCode", site_code},
        {"_SMSTSDownloadOnDemand", "true"},
        {"_SMSTSRunFromDP", "false"},
        {"_SMSTSWTG", "false"},
        {"_SMSTSStandAloneMode", "false"},
        {"_SMSTSTimezone", buf_str(&time_zone)},
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(values) / sizeof(values[0]); i++)
        r = set_engine(rn, values[i].name, values[i].value);
    runner_forget_answers(rn); /* the network is up now */
    if (r == 0)
        r = set_addresses(rn, "_SMSTSIPAddresses", "IPAddress");
    if (r == 0)
        r = set_addresses(rn, "_SMSTSDefaultGateways", "DefaultIPGateway");
    if (r == 0 && ts_vars_get(rn->state->vars, "_SMSTSMachineName")[0] == '\0')
        r = set_engine(rn, "_SMSTSMachineName", order->device_name);
    return r;
}
