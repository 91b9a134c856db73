/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The variables that the engine sets when a run starts, on a computer and in a simulation
 */

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/document.h"
#include "ts/engine_vars.h"
#include "ts/facts.h"
#include "ts/vars.h"

enum {
    SITE_CODE_MAX = 4, /* "SLP" */
};

static int set(struct ts_vars *vars, const char *name, const char *value)
{
    int r = value ? ts_vars_set(vars, name, value, TS_BY_ENGINE) : 0;

    return r < 0 ? TRACE(r) : 0; /* too long a value from the firmware is no reason to stop */
}

/* "443" of "https://10.77.0.1:443"; NULL of NULL */
static const char *port_of(const char *url)
{
    const char *colon = url ? strrchr(url, ':') : NULL;

    if (!url)
        return NULL;
    return colon && colon[1] != '/' && colon[1] != '\0' ? colon + 1 : "443";
}

static const char *word(bool is_true)
{
    return is_true ? "true" : "false";
}

/* Unless the site has sent one. */
static int set_progress_text(const struct ts_engine_start *start, struct ts_vars *vars)
{
    static const char name[] = "_SMSTSCustomProgressDialogMessage";
    OWN(buf_fini) struct buf text = BUF_INIT(TS_VAR_VALUE_MAX);

    if (!start->package_name || ts_vars_get(vars, name)[0] != '\0')
        return 0;
    buf_addf(&text, "Running: %s", start->package_name);
    return TRACE(set(vars, name, buf_str(&text)));
}

int ts_engine_set(const struct ts_engine_start *start, struct ts_vars *vars)
{
    char site_code[SITE_CODE_MAX];

    (void)snprintf(site_code, sizeof(site_code), "%s", start->package_id ? start->package_id : "");

    const struct {
        const char *name;
        const char *value;
    } values[] = {
        {"_SMSTSInWinPE", word(!start->is_full_os)},
        {"_SMSTSAdvertID", start->deployment_id},
        {"_SMSTSPackageID", start->package_id},
        {"_SMSTSPackageName", start->package_name},
        {"_SMSTSBootImageID", start->boot_image_id},
        {"_SMSTSClientGUID", start->client_id},
        {"_SMSTSSiteCode", start->package_id ? site_code : NULL},
        {"_SMSTSMP", start->management_point},
        {"_SMSTSMPPort", port_of(start->management_point)},
        {"_SMSTSUseSSL", "true"},
        {"_SMSTSUseCRL", "false"}, /* the site's key is pinned */
        {"_SMSTSLaunchMode", "PXE"},
        {"_SMSTSMediaType", "PXE"},
        {"_SMSTSStandAloneMode", "false"},
        {"_SMSTSWTG", "false"},
        {"_SMSTSType", start->is_os_deployment ? "2" : "1"},
        {"_SMSTSUserStarted", word(start->is_user_started)},
        {"_SMSTSDownloadOnDemand", word(start->content == TS_ENGINE_DOWNLOAD_WHEN_NEEDED)},
        {"_SMSTSRunFromDP", word(start->content == TS_ENGINE_STREAM)},
        {"_SMSTSTimezone", start->time_zone},
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(values) / sizeof(values[0]); i++)
        if (!start->keeps_values || ts_vars_get(vars, values[i].name)[0] == '\0')
            r = set(vars, values[i].name, values[i].value);
    return r == 0 ? TRACE(set_progress_text(start, vars)) : TRACE(r);
}

/* The values of a property of all instances, separated by commas; of addresses those of IPv4. */
static void
put_all(const struct ts_facts *facts, const char *class_name, const char *property, struct buf *ret)
{
    const struct ts_class *c = facts->find_class(facts->ctx, TS_CIMV2, class_name);

    for (size_t i = 0; c && i < c->n_instances; i++) {
        const struct ts_property *p = ts_instance_find(c->instances[i], property);

        for (size_t k = 0; p && k < p->n_values; k++)
            if (p->values[k].text && p->values[k].text[0] != '\0' &&
                (strcmp(property, "MACAddress") == 0 || !strchr(p->values[k].text, ':')))
                buf_addf(ret, "%s%s", ret->len > 0 ? "," : "", p->values[k].text);
    }
}

int ts_engine_set_machine(const struct ts_facts *facts, struct ts_vars *vars)
{
    static const char adapter[] = "Win32_NetworkAdapterConfiguration";
    static const struct {
        const char *name;
        const char *class_name;
        const char *property;
    } values[] = {
        {"_SMSTSMake", "Win32_ComputerSystem", "Manufacturer"},
        {"_SMSTSModel", "Win32_ComputerSystem", "Model"},
        {"_SMSTSSerialNumber", "Win32_BIOS", "SerialNumber"},
        {"_SMSTSAssetTag", "Win32_SystemEnclosure", "SMBIOSAssetTag"},
        {"_SMSTSUUID", "Win32_ComputerSystemProduct", "UUID"},
        {"_SMSTSMacAddresses", adapter, "MACAddress"},
        {"_SMSTSIPAddresses", adapter, "IPAddress"},
        {"_SMSTSDefaultGateways", adapter, "DefaultIPGateway"},
    };
    int r = 0;

    for (size_t i = 0; facts->find_class && r == 0 && i < sizeof(values) / sizeof(values[0]); i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(TS_VAR_VALUE_MAX);

        if (ts_vars_get(vars, values[i].name)[0] != '\0')
            continue;
        put_all(facts, values[i].class_name, values[i].property, &text);
        r = set(vars, values[i].name, buf_str(&text));
    }
    return TRACE(r);
}

bool ts_engine_is_os_deployment(const struct ts_document *doc)
{
    static const char *const types[] = {
        "SMS_TaskSequence_ApplyOperatingSystemAction",
        "SMS_TaskSequence_SetupWindowsAndSMSAction",
        "SMS_TaskSequence_UpgradeOperatingSystemAction",
        "SMS_TaskSequence_CaptureSystemImageAction",
    };
    size_t n;
    const struct ts_step *steps = ts_document_steps(doc, &n);

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < sizeof(types) / sizeof(types[0]); k++)
            if (strcmp(steps[i].type, types[k]) == 0)
                return true;
    return false;
}
