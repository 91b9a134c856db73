/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Apply Network Settings (SMS_TaskSequence_ApplyNetworkSettingsAction)
 *
 * The adapters and the workgroup are written into the volume. A domain is joined by Setup, when the system runs: it
 * finds name, unit, account and password in variables of its own (agent/steps/join.h).
 */

#include "agent/steps/apply_network.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/run/machine.h"
#include "agent/steps/cloud_init.h"
#include "agent/steps/inside.h"
#include "agent/steps/join.h"
#include "agent/steps/step.h"
#include "agent/steps/without_effect.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/step_forms.h"

enum {
    CONFIG_MAX_BYTES = 1024 * 1024,
    WHY_MAX_BYTES = 512,
};

#define SAMBA_FILE "etc/samba/smb.conf"

static const char *get(void *ctx, const char *name)
{
    return step_value(ctx, name);
}

/* By its MAC address; else by the name that it has here; else in the order that they have. */
static bool find_mac(struct step_context *c, size_t i, uint8_t mac[static MAC_BYTES])
{
    const struct machine *m = c->machine;
    char variable[64];

    (void)snprintf(variable, sizeof(variable), "OSDAdapter%zuMacAddress", i);
    const char *text = step_value(c, variable);

    if (text[0] != '\0')
        return mac_parse(bytes_of(text), mac);
    (void)snprintf(variable, sizeof(variable), "OSDAdapter%zuName", i);
    text = step_value(c, variable);
    for (size_t k = 0; k < m->n_nics; k++)
        if (text[0] != '\0' && strcmp(m->nics[k].name, text) == 0) {
            memcpy(mac, m->nics[k].mac, MAC_BYTES);
            return true;
        }
    if (i == 0 && m->has_boot_mac)
        memcpy(mac, m->boot_mac, MAC_BYTES);
    else if (i < m->n_nics)
        memcpy(mac, m->nics[i].mac, MAC_BYTES);
    return i < m->n_nics || (i == 0 && m->has_boot_mac);
}

static bool find_adapter(struct step_context *c, size_t i, struct ts_adapter *ret)
{
    const struct machine *m = c->machine;
    uint8_t mac[MAC_BYTES];

    if (!find_mac(c, i, mac))
        return false;
    mac_put(ret->mac, mac);
    (void)snprintf(ret->name, sizeof(ret->name), "eth%zu", i);
    for (size_t k = 0; k < m->n_nics; k++)
        if (memcmp(m->nics[k].mac, mac, MAC_BYTES) == 0)
            (void)snprintf(ret->name, sizeof(ret->name), "%.31s", m->nics[k].name);
    return true;
}

static void
read_adapter(struct step_context *c, size_t i, struct ts_adapter *ret, struct step_result *result)
{
    const struct ts_values source = {get, c};
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);

    if (ts_adapter_read(&source, i, ret, &why) != 0 ||
        ts_adapter_read_search(&source, i, &ret->search, &why) != 0)
        (void)step_fail(result, "SLW-0433", "adapter %zu: %s", i, buf_str(&why));
    else if (!find_adapter(c, i, ret))
        (void)step_fail(result,
                        "SLW-0433",
                        "adapter %zu: this computer has no such adapter; name it by "
                        "OSDAdapter%zuMacAddress",
                        i,
                        i);
}

static void read_names(const struct machine *m, struct network_settings *ret)
{
    for (size_t i = 0; i < m->n_nics && ret->n_names < TS_ADAPTERS_MAX; i++)
        (void)snprintf(ret->names[ret->n_names++], TS_ADAPTER_NAME_MAX, "%.31s", m->nics[i].name);
    if (ret->n_names == 0)
        (void)snprintf(ret->names[ret->n_names++], TS_ADAPTER_NAME_MAX, "eth0");
}

void network_read(struct step_context *c, struct network_settings *ret, struct step_result *result)
{
    const struct ts_values source = {get, c};
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    size_t n = ts_adapter_count(&source);

    *ret = (struct network_settings){.boot_resolv_conf = "/etc/resolv.conf"};
    read_names(c->machine, ret);
    if (ts_adapter_read_search(&source, SIZE_MAX, &ret->search, &why) != 0) {
        (void)step_fail(result, "SLW-0433", "%s", buf_str(&why));
        return;
    }
    if (n > TS_ADAPTERS_MAX) {
        (void)step_fail(
            result, "SLW-0433", "%zu adapters are more than %d", n, (int)TS_ADAPTERS_MAX);
        return;
    }
    ret->n_adapters = n > 0 ? n : 1;
    if (n == 0)
        ret->adapters[0] = (struct ts_adapter){.is_dhcp = true, .search = ret->search};
    for (size_t i = 0; i < n && !result->error_id; i++)
        read_adapter(c, i, &ret->adapters[i], result);
}

static void log_adapters(struct step_context *c, const struct network_settings *s, const char *how)
{
    for (size_t i = 0; i < s->n_adapters; i++) {
        const struct ts_adapter *a = &s->adapters[i];

        c->log(c->ctx,
               "Network of %s: %s, written for %s",
               a->mac[0] != '\0' ? a->mac : "all Ethernet adapters",
               a->is_dhcp ? "DHCP" : a->addresses.items[0],
               how);
    }
}

static int apply_workgroup(struct step_context *c, const char *name, struct step_result *ret)
{
    OWN(buf_fini) struct buf config = BUF_INIT(CONFIG_MAX_BYTES);
    OWN(buf_fini) struct buf changed = BUF_INIT(CONFIG_MAX_BYTES);
    OWN(fd_closep) int root = -1;
    int r;

    if (!ts_form_fits(TS_FORM_WORKGROUP, name))
        return step_fail(
            ret,
            "SLW-0433",
            "OSDWorkgroupName \"%.64s\" is no name of a workgroup: letters, digits, - _ .",
            name);
    r = inside_open(TARGET_ROOT, &root);
    if (r == 0)
        r = inside_read(root, SAMBA_FILE, &config);
    if (r == FILE_E_MISSING) {
        c->log(c->ctx, "The image has no Samba: there is no workgroup to set");
        return 0;
    }
    if (r != 0)
        return r < 0 ? TRACE(r)
                     : step_fail(ret, "SLW-0433", "/" SAMBA_FILE " is too long to be changed");
    join_set_workgroup(buf_str(&config), name, &changed);
    c->log(c->ctx, "The workgroup in /" SAMBA_FILE " becomes %s", name);
    return TRACE(
        inside_write(root, SAMBA_FILE, buf_bytes(&changed), (struct inside_mode){.bits = 0644}));
}

/* Setup finds it in the variables; without a domain, nothing. */
static int hand_over_domain(struct step_context *c, bool has_domain, struct step_result *ret)
{
    const struct join join = {.domain = step_value(c, "OSDDomainName"),
                              .unit = step_value(c, "OSDDomainOUName"),
                              .account = step_value(c, "OSDJoinAccount"),
                              .password = step_value(c, "OSDJoinPassword")};
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    int r;

    if (!has_domain)
        return TRACE(join_keep(&(struct join){"", "", "", ""}, c->vars));
    if (join_check(&join, &why) != 0)
        return step_fail(ret, "SLW-0435", "%s", buf_str(&why));
    r = join_keep(&join, c->vars);
    if (r > 0)
        return step_fail(
            ret, "SLW-0435", "the organizational unit, the account or the password is too long");
    c->log(c->ctx, "Setup will join the domain %s", join.domain);
    return TRACE(r);
}

static int apply_membership(struct step_context *c, struct step_result *ret)
{
    const char *type = step_value(c, "OSDNetworkJoinType");
    const char *workgroup = step_value(c, "OSDWorkgroupName");
    bool has_domain = strcmp(type, "0") == 0 ||
                      (strcmp(type, "1") != 0 && step_value(c, "OSDDomainName")[0] != '\0');
    int r = hand_over_domain(c, has_domain, ret);

    if (r < 0 || ret->error_id || has_domain || workgroup[0] == '\0')
        return TRACE(r);
    return TRACE(apply_workgroup(c, workgroup, ret));
}

/* Apply Network Settings */
int step_apply_network_run(struct step_context *c, struct step_result *ret)
{
    OWN(freep) struct network_settings *settings = calloc(1, sizeof(*settings));
    OWN(fd_closep) int root = -1;
    const char *how = "";
    int r;

    *ret = (struct step_result){0};
    if (!settings)
        return ERR(-ENOMEM);
    if (!c->target->is_mounted)
        return step_fail(
            ret,
            "SLW-0436",
            "there is no operating system to write to; put the step behind Apply Operating "
            "System Image");
    network_read(c, settings, ret);
    if (ret->error_id)
        return 0;
    r = apply_membership(c, ret);
    if (r < 0 || ret->error_id)
        return TRACE(r);
    r = network_write(TARGET_ROOT, settings, &how);
    if (r < 0)
        return TRACE(r);
    if (r == NETWORK_WRITE_E_NONE)
        return step_fail(
            ret,
            "SLW-0434",
            "the image has neither netplan, NetworkManager, ifupdown nor systemd-networkd; add "
            "one of them to the image");
    log_adapters(c, settings, how);
    step_log_without_effect(c);
    r = inside_open(TARGET_ROOT, &root);
    return r < 0 ? TRACE(r) : TRACE(cloud_init_keep_network(root));
}
