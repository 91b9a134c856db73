/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/apply_network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/run/machine.h"
#include "agent/steps/inside.h"
#include "agent/steps/step.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    FILE_MAX_BYTES = 64 * 1024,
    NAME_MAX_BYTES = 64,
};

static const struct inside_mode public_file = {0644, 0, 0};
static const struct inside_mode private_file = {0600, 0, 0};

static void add_list(struct buf *dst, const struct network_list *list, const char *between)
{
    for (size_t i = 0; i < list->n; i++)
        buf_addf(dst, "%s%s", i > 0 ? between : "", list->items[i]);
}

static void add_addresses(struct buf *dst, const struct network_adapter *a, const char *between)
{
    for (size_t i = 0; i < a->addresses.n; i++)
        buf_addf(dst, "%s%s/%u", i > 0 ? between : "", a->addresses.items[i], a->prefixes[i]);
}

static void
put_networkd(struct buf *dst, const struct network_settings *s, const struct network_adapter *a)
{
    buf_addf(dst, "# Written by Slipway\n[Match]\nMACAddress=%s\n\n[Network]\n", a->mac);
    buf_adds(dst, a->is_dhcp ? "DHCP=yes\n" : "DHCP=no\n");
    for (size_t i = 0; i < a->addresses.n; i++)
        buf_addf(dst, "Address=%s/%u\n", a->addresses.items[i], a->prefixes[i]);
    for (size_t i = 0; i < a->gateways.n; i++)
        buf_addf(dst, "Gateway=%s\n", a->gateways.items[i]);
    for (size_t i = 0; i < a->dns.n; i++)
        buf_addf(dst, "DNS=%s\n", a->dns.items[i]);
    if (s->search.n > 0) {
        buf_adds(dst, "Domains=");
        add_list(dst, &s->search, " ");
        buf_adds(dst, "\n");
    }
}

static void put_network_manager(struct buf *dst,
                                const struct network_settings *s,
                                const struct network_adapter *a,
                                size_t i)
{
    buf_addf(dst,
             "# Written by Slipway\n[connection]\nid=slipway-%zu\ntype=ethernet\n\n"
             "[ethernet]\nmac-address=%s\n\n[ipv4]\nmethod=%s\n",
             i,
             a->mac,
             a->is_dhcp ? "auto" : "manual");
    for (size_t k = 0; k < a->addresses.n; k++)
        buf_addf(dst, "address%zu=%s/%u\n", k + 1, a->addresses.items[k], a->prefixes[k]);
    if (a->gateways.n > 0)
        buf_addf(dst, "gateway=%s\n", a->gateways.items[0]);
    if (a->dns.n > 0) {
        buf_adds(dst, "dns=");
        add_list(dst, &a->dns, ";");
        buf_adds(dst, ";\n");
    }
    if (s->search.n > 0) {
        buf_adds(dst, "dns-search=");
        add_list(dst, &s->search, ";");
        buf_adds(dst, ";\n");
    }
    buf_adds(dst, "\n[ipv6]\nmethod=auto\n");
}

static void put_netplan(struct buf *dst, const struct network_settings *s)
{
    buf_adds(dst, "# Written by Slipway\nnetwork:\n  version: 2\n  ethernets:\n");
    for (size_t i = 0; i < s->n_adapters; i++) {
        const struct network_adapter *a = &s->adapters[i];

        buf_addf(dst,
                 "    slipway%zu:\n      match:\n        macaddress: \"%s\"\n      dhcp4: %s\n",
                 i,
                 a->mac,
                 a->is_dhcp ? "true" : "false");
        if (a->addresses.n > 0) {
            buf_adds(dst, "      addresses: [");
            add_addresses(dst, a, ", ");
            buf_adds(dst, "]\n");
        }
        if (a->gateways.n > 0)
            buf_addf(dst,
                     "      routes:\n        - to: \"0.0.0.0/0\"\n          via: \"%s\"\n",
                     a->gateways.items[0]);
        if (a->dns.n > 0 || s->search.n > 0) {
            buf_adds(dst, "      nameservers:\n        addresses: [");
            add_list(dst, &a->dns, ", ");
            buf_adds(dst, "]\n        search: [");
            add_list(dst, &s->search, ", ");
            buf_adds(dst, "]\n");
        }
    }
}

/* Where udev renames interfaces only the MAC address is sure, and Debian's ifupdown can match it. Others
   (Alpine's) cannot, and leave the kernel its names. */
static void put_ifupdown(struct buf *dst, const struct network_settings *s, bool has_patterns)
{
    buf_adds(dst, "# Written by Slipway\nauto lo\niface lo inet loopback\n");
    for (size_t i = 0; i < s->n_adapters; i++) {
        const struct network_adapter *a = &s->adapters[i];

        if (has_patterns)
            buf_addf(dst, "\nauto mac/%s=slipway%zu\niface slipway%zu", a->mac, i, i);
        else
            buf_addf(dst, "\n# %s\nauto %s\niface %s", a->mac, a->name, a->name);
        buf_addf(dst, " inet %s\n", a->is_dhcp ? "dhcp" : "static");
        if (a->addresses.n > 0)
            buf_addf(dst, "    address %s/%u\n", a->addresses.items[0], a->prefixes[0]);
        for (size_t k = 1; k < a->addresses.n; k++)
            buf_addf(dst,
                     "    up ip address add %s/%u dev $IFACE\n",
                     a->addresses.items[k],
                     a->prefixes[k]);
        if (a->gateways.n > 0)
            buf_addf(dst, "    gateway %s\n", a->gateways.items[0]);
        if (a->dns.n > 0) {
            buf_adds(dst, "    dns-nameservers ");
            add_list(dst, &a->dns, " ");
            buf_adds(dst, "\n");
        }
    }
}

static int write_text(int root, const char *path, const struct buf *text, struct inside_mode mode)
{
    if (text->failed)
        return ERR(-ENOMEM);
    return TRACE(inside_write(root, path, buf_bytes(text), mode));
}

static int write_each(int root, const struct network_settings *s, bool is_network_manager)
{
    for (size_t i = 0; i < s->n_adapters; i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);
        char path[NAME_MAX_BYTES + 64];
        int r;

        if (is_network_manager) {
            put_network_manager(&text, s, &s->adapters[i], i);
            (void)snprintf(path,
                           sizeof(path),
                           "etc/NetworkManager/system-connections/slipway-%zu.nmconnection",
                           i);
            r = write_text(root, path, &text, private_file);
        } else {
            put_networkd(&text, s, &s->adapters[i]);
            (void)snprintf(path, sizeof(path), "etc/systemd/network/10-slipway-%zu.network", i);
            r = write_text(root, path, &text, public_file);
        }
        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

static const char *find_unit(int root, const char *const paths[2])
{
    return inside_exists(root, paths[0] + 1)   ? paths[0]
           : inside_exists(root, paths[1] + 1) ? paths[1]
                                               : NULL;
}

static int enable(int root, const char *unit, const char *link)
{
    return TRACE(inside_link(root, link, unit));
}

/* With nobody who keeps resolv.conf, it is written once: the addresses that were asked for, else what
   the boot image got by DHCP. */
static int write_resolv_conf(int root, const struct network_settings *s)
{
    OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);
    size_t n = 0;
    int r;

    for (size_t i = 0; i < s->n_adapters; i++)
        for (size_t k = 0; k < s->adapters[i].dns.n; k++, n++)
            buf_addf(&text, "nameserver %s\n", s->adapters[i].dns.items[k]);
    if (s->search.n > 0) {
        buf_adds(&text, "search ");
        add_list(&text, &s->search, " ");
        buf_adds(&text, "\n");
    }
    if (n == 0) {
        r = file_read(s->boot_resolv_conf, &text);
        if (r < 0)
            return TRACE(r);
    }
    return text.len > 0 ? TRACE(write_text(root, "etc/resolv.conf", &text, public_file)) : 0;
}

static int write_networkd(int root, const struct network_settings *s)
{
    static const char *const networkd[2] = {"/usr/lib/systemd/system/systemd-networkd.service",
                                            "/lib/systemd/system/systemd-networkd.service"};
    static const char *const resolved[2] = {"/usr/lib/systemd/system/systemd-resolved.service",
                                            "/lib/systemd/system/systemd-resolved.service"};
    const char *unit = find_unit(root, networkd);
    int r = write_each(root, s, false);

    if (r == 0)
        r = enable(
            root, unit, "etc/systemd/system/multi-user.target.wants/systemd-networkd.service");
    if (r < 0)
        return TRACE(r);
    unit = find_unit(root, resolved);
    if (!unit)
        return TRACE(write_resolv_conf(root, s));
    r = enable(root, unit, "etc/systemd/system/multi-user.target.wants/systemd-resolved.service");
    if (r == 0)
        r = inside_link(root, "etc/resolv.conf", "/run/systemd/resolve/stub-resolv.conf");
    return TRACE(r);
}

int network_write(const char *root_path, const struct network_settings *s, const char **ret_how)
{
    static const char *const networkd[2] = {"/usr/lib/systemd/system/systemd-networkd.service",
                                            "/lib/systemd/system/systemd-networkd.service"};
    OWN(fd_closep) int root = -1;
    OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);
    int r = inside_open(root_path, &root);

    if (r < 0)
        return TRACE(r);
    if (inside_exists(root, "usr/sbin/netplan") && inside_exists(root, "etc/netplan")) {
        *ret_how = "netplan";
        put_netplan(&text, s);
        return TRACE(write_text(root, "etc/netplan/90-slipway.yaml", &text, private_file));
    }
    if (inside_exists(root, "usr/sbin/NetworkManager")) {
        *ret_how = "NetworkManager";
        return TRACE(write_each(root, s, true));
    }
    if (inside_exists(root, "sbin/ifup") || inside_exists(root, "usr/sbin/ifup")) {
        *ret_how = "ifupdown";
        put_ifupdown(&text, s, inside_exists(root, "lib/ifupdown"));
        r = write_text(root, "etc/network/interfaces", &text, public_file);
        return r < 0 ? TRACE(r) : TRACE(write_resolv_conf(root, s));
    }
    if (find_unit(root, networkd)) {
        *ret_how = "systemd-networkd";
        return TRACE(write_networkd(root, s));
    }
    return NETWORK_WRITE_E_NONE;
}

static bool is_address(const char *text)
{
    struct in_addr a;

    return inet_pton(AF_INET, text, &a) == 1;
}

static bool is_domain(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len < 254 && text[0] != '-' && text[0] != '.' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == len;
}

/* "a,b c" into a list of words that pass @is_good. */
static bool read_list(const char *text, bool (*is_good)(const char *), struct network_list *ret)
{
    ret->n = 0;
    while (*text) {
        size_t len = strcspn(text, ", ;");

        if (len > 0) {
            if (ret->n == NETWORK_LIST_MAX || len >= NETWORK_WORD_MAX)
                return false;
            memcpy(ret->items[ret->n], text, len);
            ret->items[ret->n][len] = '\0';
            if (!is_good(ret->items[ret->n]))
                return false;
            ret->n++;
        }
        text += len + (text[len] != '\0' ? 1 : 0);
    }
    return true;
}

bool network_prefix_of_mask(const char *mask, unsigned *ret)
{
    struct in_addr a;
    unsigned n = 0;

    if (inet_pton(AF_INET, mask, &a) != 1)
        return false;

    uint32_t bits = ntohl(a.s_addr);

    while (n < 32 && (bits & (UINT32_C(1) << (31 - n))) != 0)
        n++;
    if (n < 32 && (bits << n) != 0)
        return false;
    *ret = n;
    return n > 0;
}

static const char *adapter_value(struct step_context *c, size_t i, const char *property)
{
    char name[NAME_MAX_BYTES];

    (void)snprintf(name, sizeof(name), "OSDAdapter%zu%s", i, property);
    return step_value(c, name);
}

static bool find_mac(struct step_context *c, size_t i, uint8_t mac[static MAC_BYTES])
{
    const char *text = adapter_value(c, i, "MacAddress");
    const struct machine *m = c->machine;

    if (text[0] != '\0')
        return mac_parse(bytes_of(text), mac);
    if (i == 0 && m->has_boot_mac)
        memcpy(mac, m->boot_mac, MAC_BYTES);
    else if (i < m->n_nics)
        memcpy(mac, m->nics[i].mac, MAC_BYTES);
    return i < m->n_nics || (i == 0 && m->has_boot_mac);
}

static bool find_adapter(struct step_context *c, size_t i, struct network_adapter *ret)
{
    const struct machine *m = c->machine;
    uint8_t mac[MAC_BYTES];

    if (!find_mac(c, i, mac))
        return false;
    mac_put(ret->mac, mac);
    (void)snprintf(ret->name, sizeof(ret->name), "eth%zu", i);
    for (size_t k = 0; k < m->n_nics; k++)
        if (memcmp(m->nics[k].mac, mac, MAC_BYTES) == 0)
            (void)snprintf(ret->name, sizeof(ret->name), "%s", m->nics[k].name);
    return true;
}

static int
read_static(struct step_context *c, size_t i, struct network_adapter *a, struct step_result *ret)
{
    struct network_list masks;

    if (!read_list(adapter_value(c, i, "IPAddressList"), is_address, &a->addresses) ||
        !read_list(adapter_value(c, i, "SubnetMask"), is_address, &masks) || a->addresses.n == 0 ||
        masks.n != a->addresses.n)
        return step_fail(
            ret,
            "SLW-0433",
            "adapter %zu: OSDAdapter%zuIPAddressList and ...SubnetMask must be equally many "
            "IPv4 addresses and masks, separated by commas",
            i,
            i);
    for (size_t k = 0; k < masks.n; k++)
        if (!network_prefix_of_mask(masks.items[k], &a->prefixes[k]))
            return step_fail(
                ret, "SLW-0433", "adapter %zu: \"%s\" is no subnet mask", i, masks.items[k]);
    if (!read_list(adapter_value(c, i, "Gateways"), is_address, &a->gateways))
        return step_fail(ret, "SLW-0433", "adapter %zu: the gateways are no IPv4 addresses", i);
    return 0;
}

static int
read_adapter(struct step_context *c, size_t i, struct network_adapter *a, struct step_result *ret)
{
    const char *dhcp = adapter_value(c, i, "EnableDHCP");

    if (!find_adapter(c, i, a))
        return step_fail(
            ret,
            "SLW-0433",
            "adapter %zu: this computer has no such adapter, or OSDAdapter%zuMacAddress is no "
            "MAC address",
            i,
            i);
    a->is_dhcp = !bytes_eq_nocase(bytes_of(dhcp), "false");
    if (!a->is_dhcp)
        (void)read_static(c, i, a, ret);
    if (!ret->error_id && !read_list(adapter_value(c, i, "DNSServerList"), is_address, &a->dns))
        return step_fail(ret, "SLW-0433", "adapter %zu: the DNS servers are no IPv4 addresses", i);
    return 0;
}

static int
read_settings(struct step_context *c, struct network_settings *s, struct step_result *ret)
{
    uint64_t n = 0;
    const char *domain = step_value(c, "OSDDNSDomain");

    (void)bytes_parse_u64(bytes_of(step_value(c, "OSDAdapterCount")), 0, NETWORK_ADAPTERS_MAX, &n);
    s->n_adapters = n > 0 ? (size_t)n : 1;
    s->boot_resolv_conf = "/etc/resolv.conf";
    if (step_value(c, "OSDDomainName")[0] != '\0' &&
        strcmp(step_value(c, "OSDNetworkJoinType"), "1") != 0)
        return step_fail(
            ret,
            "SLW-0435",
            "joining the domain \"%s\" is not possible on Linux; choose a workgroup in the "
            "step",
            step_value(c, "OSDDomainName"));
    for (size_t i = 0; i < s->n_adapters && !ret->error_id; i++)
        (void)read_adapter(c, i, &s->adapters[i], ret);
    if (ret->error_id)
        return 0;
    if (!read_list(step_value(c, "OSDDNSSuffixSearchOrder"), is_domain, &s->search))
        return step_fail(ret, "SLW-0433", "OSDDNSSuffixSearchOrder is no list of domains");
    if (s->search.n == 0 && !read_list(domain, is_domain, &s->search))
        return step_fail(ret, "SLW-0433", "OSDDNSDomain \"%s\" is no domain", domain);
    return 0;
}

/* Apply Network Settings */
int step_apply_network_run(struct step_context *c, struct step_result *ret)
{
    struct network_settings settings = {0};
    const char *how = "";
    int r;

    *ret = (struct step_result){0};
    if (!c->target->is_mounted)
        return step_fail(
            ret,
            "SLW-0436",
            "there is no operating system to write to; put the step behind Apply Operating "
            "System Image");
    (void)read_settings(c, &settings, ret);
    if (ret->error_id)
        return 0;
    r = network_write(TARGET_ROOT, &settings, &how);
    if (r < 0)
        return TRACE(r);
    if (r == NETWORK_WRITE_E_NONE)
        return step_fail(
            ret,
            "SLW-0434",
            "the image has neither netplan, NetworkManager, ifupdown nor systemd-networkd; add "
            "one of them to the image");
    for (size_t i = 0; i < settings.n_adapters; i++)
        c->log(c->ctx,
               "Network of %s: %s, written for %s",
               settings.adapters[i].mac,
               settings.adapters[i].is_dhcp ? "DHCP" : settings.adapters[i].addresses.items[0],
               how);
    return 0;
}
