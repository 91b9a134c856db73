/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/network_texts.h"

#include <stdio.h>

enum {
    METRIC_BASE = 1024, /* of gateways that have none, behind the first of all */
};

static bool has_dns_of_its_own(const struct ts_adapter *a)
{
    return a->is_dhcp && a->dns.n > 0;
}

/* @v6: those of IPv6, otherwise those of IPv4. */
static size_t count(const struct ts_words *words, bool v6)
{
    size_t n = 0;

    for (size_t i = 0; i < words->n; i++)
        n += ts_address_is_v6(words->items[i]) == v6 ? 1 : 0;
    return n;
}

static void add_words(struct buf *dst, const struct ts_words *words, const char *between)
{
    for (size_t i = 0; i < words->n; i++)
        buf_addf(dst, "%s%s", i > 0 ? between : "", words->items[i]);
}

/* Two routes to the same place need different metrics: the first gateway of all counts most. 0: that of the system. */
static unsigned metric_of(const struct network_settings *s, size_t i, size_t k)
{
    const struct ts_adapter *a = &s->adapters[i];

    if (a->metrics[k] > 0)
        return a->metrics[k];
    for (size_t before = 0; before < i; before++)
        if (s->adapters[before].gateways.n > 0)
            return METRIC_BASE + (unsigned)(i * TS_WORDS_MAX + k);
    return k > 0 ? METRIC_BASE + (unsigned)(i * TS_WORDS_MAX + k) : 0;
}

static const char *everywhere(const char *gateway)
{
    return ts_address_is_v6(gateway) ? "::/0" : "0.0.0.0/0";
}

void network_put_networkd(struct buf *dst, const struct network_settings *s, size_t i)
{
    const struct ts_adapter *a = &s->adapters[i];

    buf_adds(dst, NETWORK_HEADER "[Match]\n");
    if (a->mac[0] != '\0')
        buf_addf(dst, "MACAddress=%s\n", a->mac);
    else
        buf_adds(dst, "Type=ether\nName=en* eth*\n");
    buf_addf(dst, "\n[Network]\nDHCP=%s\n", a->is_dhcp ? "yes" : "no");
    for (size_t k = 0; k < a->addresses.n; k++)
        buf_addf(dst, "Address=%s/%u\n", a->addresses.items[k], a->prefixes[k]);
    for (size_t k = 0; k < a->dns.n; k++)
        buf_addf(dst, "DNS=%s\n", a->dns.items[k]);
    if (a->search.n > 0) {
        buf_adds(dst, "Domains=");
        add_words(dst, &a->search, " ");
        buf_adds(dst, "\n");
    }
    if (has_dns_of_its_own(a))
        buf_adds(dst,
                 "\n[DHCPv4]\nUseDNS=no\n\n[DHCPv6]\nUseDNS=no\n\n[IPv6AcceptRA]\nUseDNS=no\n");
    for (size_t k = 0; k < a->gateways.n; k++) {
        buf_addf(dst, "\n[Route]\nGateway=%s\n", a->gateways.items[k]);
        if (metric_of(s, i, k) > 0)
            buf_addf(dst, "Metric=%u\n", metric_of(s, i, k));
    }
}

/* @v6: as count(), or -1 for what is no address. */
static void
add_manager_words(struct buf *dst, const char *key, const struct ts_words *words, int v6)
{
    size_t n = 0;

    for (size_t i = 0; i < words->n; i++) {
        if (v6 >= 0 && ts_address_is_v6(words->items[i]) != (v6 > 0))
            continue;
        if (n++ == 0)
            buf_addf(dst, "%s=", key);
        buf_addf(dst, "%s;", words->items[i]);
    }
    if (n > 0)
        buf_adds(dst, "\n");
}

/* The section [ipv4] or [ipv6]: the first gateway has a key of its own, others are routes. */
static void add_manager_family(struct buf *dst, const struct network_settings *s, size_t i, bool v6)
{
    const struct ts_adapter *a = &s->adapters[i];
    const char *without = v6 ? "auto" : "disabled";
    size_t n = 0;

    buf_addf(dst,
             "\n[%s]\nmethod=%s\n",
             v6 ? "ipv6" : "ipv4",
             a->is_dhcp                     ? "auto"
             : count(&a->addresses, v6) > 0 ? "manual"
                                            : without);
    for (size_t k = 0; k < a->addresses.n; k++)
        if (ts_address_is_v6(a->addresses.items[k]) == v6)
            buf_addf(dst, "address%zu=%s/%u\n", ++n, a->addresses.items[k], a->prefixes[k]);
    n = 0;
    for (size_t k = 0; k < a->gateways.n; k++) {
        unsigned metric = metric_of(s, i, k);

        if (ts_address_is_v6(a->gateways.items[k]) != v6)
            continue;
        if (n++ == 0) {
            buf_addf(dst, "gateway=%s\n", a->gateways.items[k]);
            if (metric > 0)
                buf_addf(dst, "route-metric=%u\n", metric);
        } else {
            buf_addf(dst,
                     "route%zu=%s,%s,%u\n",
                     n - 1,
                     everywhere(a->gateways.items[k]),
                     a->gateways.items[k],
                     metric);
        }
    }
    add_manager_words(dst, "dns", &a->dns, v6 ? 1 : 0);
    if (has_dns_of_its_own(a))
        buf_adds(dst, "ignore-auto-dns=true\n");
    if (!v6 || count(&a->addresses, false) == 0)
        add_manager_words(dst, "dns-search", &a->search, -1);
}

void network_put_manager(struct buf *dst, const struct network_settings *s, size_t i)
{
    const struct ts_adapter *a = &s->adapters[i];

    buf_addf(dst, NETWORK_HEADER "[connection]\nid=slipway-%zu\ntype=ethernet\n", i);
    if (a->mac[0] == '\0')
        buf_adds(dst, "multi-connect=3\n\n[ethernet]\n");
    else
        buf_addf(dst, "\n[ethernet]\nmac-address=%s\n", a->mac);
    add_manager_family(dst, s, i, false);
    add_manager_family(dst, s, i, true);
}

static void add_netplan_list(struct buf *dst, const char *key, const struct ts_words *words)
{
    if (words->n == 0)
        return;
    buf_addf(dst, "        %s: [\"", key);
    add_words(dst, words, "\", \"");
    buf_adds(dst, "\"]\n");
}

static void put_netplan_adapter(struct buf *dst, const struct network_settings *s, size_t i)
{
    const struct ts_adapter *a = &s->adapters[i];

    buf_addf(dst, "    slipway%zu:\n      match:\n", i);
    if (a->mac[0] != '\0')
        buf_addf(dst, "        macaddress: \"%s\"\n", a->mac);
    else
        buf_adds(dst, "        name: \"e*\"\n      optional: true\n"); /* one may have no cable */
    buf_addf(dst, "      dhcp4: %s\n", a->is_dhcp ? "true" : "false");
    if (has_dns_of_its_own(a))
        buf_adds(dst, "      dhcp4-overrides:\n        use-dns: false\n");
    if (a->addresses.n > 0)
        buf_adds(dst, "      addresses:\n");
    for (size_t k = 0; k < a->addresses.n; k++)
        buf_addf(dst, "        - \"%s/%u\"\n", a->addresses.items[k], a->prefixes[k]);
    if (a->gateways.n > 0)
        buf_adds(dst, "      routes:\n");
    for (size_t k = 0; k < a->gateways.n; k++) {
        buf_addf(dst,
                 "        - to: \"%s\"\n          via: \"%s\"\n",
                 everywhere(a->gateways.items[k]),
                 a->gateways.items[k]);
        if (metric_of(s, i, k) > 0)
            buf_addf(dst, "          metric: %u\n", metric_of(s, i, k));
    }
    if (a->dns.n > 0 || a->search.n > 0)
        buf_adds(dst, "      nameservers:\n");
    add_netplan_list(dst, "addresses", &a->dns);
    add_netplan_list(dst, "search", &a->search);
}

void network_put_netplan(struct buf *dst, const struct network_settings *s)
{
    buf_adds(dst, NETWORK_HEADER "network:\n  version: 2\n  ethernets:\n");
    for (size_t i = 0; i < s->n_adapters; i++)
        put_netplan_adapter(dst, s, i);
}

/* A stanza of one family. The commands are those that every ip knows; the first address and gateway need none. */
static void add_ifupdown_family(
    struct buf *dst, const struct network_settings *s, size_t i, const char *name, bool v6)
{
    const struct ts_adapter *a = &s->adapters[i];
    size_t n = 0;

    buf_addf(dst, "iface %s %s %s\n", name, v6 ? "inet6" : "inet", a->is_dhcp ? "dhcp" : "static");
    for (size_t k = 0; k < a->addresses.n; k++)
        if (ts_address_is_v6(a->addresses.items[k]) == v6)
            buf_addf(dst,
                     n++ == 0 ? "    address %s/%u\n" : "    up ip address add %s/%u dev $IFACE\n",
                     a->addresses.items[k],
                     a->prefixes[k]);
    n = 0;
    for (size_t k = 0; k < a->gateways.n; k++) {
        const char *gateway = a->gateways.items[k];
        unsigned metric = metric_of(s, i, k);

        if (ts_address_is_v6(gateway) != v6)
            continue;
        if (n++ > 0)
            buf_addf(dst,
                     "    up ip %sroute add default via %s dev $IFACE metric %u\n",
                     v6 ? "-6 " : "",
                     gateway,
                     metric);
        else
            buf_addf(dst, "    gateway %s\n", gateway);
        if (n == 1 && metric > 0)
            buf_addf(dst, "    metric %u\n", metric);
    }
}

static void
add_ifupdown_adapter(struct buf *dst, const struct network_settings *s, size_t i, const char *name)
{
    const struct ts_adapter *a = &s->adapters[i];
    bool has_v4 = a->is_dhcp || count(&a->addresses, false) > 0;

    if (has_v4)
        add_ifupdown_family(dst, s, i, name, false);
    if (count(&a->addresses, true) > 0)
        add_ifupdown_family(dst, s, i, name, true);
    if (a->dns.n > 0) {
        buf_adds(dst, "    dns-nameservers ");
        add_words(dst, &a->dns, " ");
        buf_adds(dst, "\n");
    }
    if (a->search.n > 0) {
        buf_adds(dst, "    dns-search ");
        add_words(dst, &a->search, " ");
        buf_adds(dst, "\n");
    }
}

/* Where udev renames interfaces only the MAC address is sure, and Debian's ifupdown can match it. Others (Alpine's)
   cannot, and leave the kernel its names. */
void network_put_ifupdown(struct buf *dst, const struct network_settings *s, bool has_patterns)
{
    buf_adds(dst, NETWORK_HEADER "auto lo\niface lo inet loopback\n");
    for (size_t i = 0; i < s->n_adapters; i++) {
        const struct ts_adapter *a = &s->adapters[i];
        char name[32];

        (void)snprintf(name, sizeof(name), "slipway%zu", i);
        if (has_patterns && a->mac[0] != '\0')
            buf_addf(dst, "\nauto mac/%s=%s\n", a->mac, name);
        else if (has_patterns)
            buf_addf(dst, "\nauto /en*=%s /eth*=%s\n", name, name);
        else if (a->mac[0] != '\0')
            buf_addf(dst, "\n# %s\nauto %s\n", a->mac, a->name);
        if (has_patterns || a->mac[0] != '\0') {
            add_ifupdown_adapter(dst, s, i, has_patterns ? name : a->name);
            continue;
        }
        for (size_t k = 0; k < s->n_names; k++) {
            buf_addf(dst, "\nauto %s\n", s->names[k]);
            add_ifupdown_adapter(dst, s, i, s->names[k]);
        }
    }
}

bool network_put_resolv_conf(struct buf *dst, const struct network_settings *s)
{
    struct ts_words dns = {.n = 0};
    struct ts_words search = {.n = 0};

    for (size_t i = 0; i < s->n_adapters; i++) {
        for (size_t k = 0; k < s->adapters[i].dns.n; k++)
            ts_words_add(&dns, s->adapters[i].dns.items[k]);
        for (size_t k = 0; k < s->adapters[i].search.n; k++)
            ts_words_add(&search, s->adapters[i].search.items[k]);
    }
    for (size_t k = 0; k < dns.n; k++)
        buf_addf(dst, "nameserver %s\n", dns.items[k]);
    if (search.n > 0) {
        buf_adds(dst, "search ");
        add_words(dst, &search, " ");
        buf_adds(dst, "\n");
    }
    return dns.n > 0;
}
