/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "agent/facts/parts.h"
#include "agent/run/sysfs.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "base/text.h"

enum {
    CONNECTED = 2, /* Win32_NetworkAdapter.NetConnectionStatus */
    MEDIA_DISCONNECTED = 7,
    BITS_PER_MBIT = 1000 * 1000,
    HEX_IP = 8, /* digits of an address in /proc/net/route */
};

/* Windows writes them in capitals. */
static void put_mac(struct gather *g, struct ts_instance *i, const struct machine_nic *nic)
{
    char text[MAC_TEXT_MAX];

    mac_put(text, nic->mac);
    for (size_t k = 0; text[k] != '\0'; k++)
        text[k] = (char)(text[k] >= 'a' ? text[k] - ('a' - 'A') : text[k]);
    gather_text(g, i, "MACAddress", text);
}

static void put_adapter(struct gather *g, size_t index)
{
    const struct machine_nic *nic = &g->machine->nics[index];
    struct ts_instance *i = gather_add(g, "Win32_NetworkAdapter");
    uint64_t mbit = sys_number(g->root, "sys/class/net", nic->name, "speed");
    char id[16];

    (void)snprintf(id, sizeof(id), "%zu", index);
    gather_text(g, i, "DeviceID", id);
    gather_number(g, i, "Index", index);
    gather_text(g, i, "Name", nic->driver);
    gather_text(g, i, "NetConnectionID", nic->name);
    gather_text(g, i, "ServiceName", nic->driver);
    gather_text(g, i, "AdapterType", "Ethernet 802.3");
    gather_number(g, i, "AdapterTypeId", 0);
    gather_number(g, i, "NetConnectionStatus", nic->has_link ? CONNECTED : MEDIA_DISCONNECTED);
    ts_instance_add_boolean(g->table, i, "NetEnabled", nic->has_link);
    ts_instance_add_boolean(g->table, i, "PhysicalAdapter", true);
    gather_text(g, i, "Description", nic->driver);
    gather_text(g, i, "ProductName", nic->driver);
    gather_nulls(g, i, "Manufacturer PNPDeviceID GUID Installed");
    gather_number(g, i, "Speed", mbit <= UINT32_MAX ? mbit * BITS_PER_MBIT : 0);
    put_mac(g, i, nic);
}

static void put_address(struct gather *g, struct ts_instance *i, const struct ifaddrs *a)
{
    char text[INET6_ADDRSTRLEN];
    int family = a->ifa_addr->sa_family;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (family == AF_INET) {
        memcpy(&v4, a->ifa_addr, sizeof(v4));
        if (inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text)))
            gather_text(g, i, "IPAddress", text);
        if (!a->ifa_netmask)
            return;
        memcpy(&v4, a->ifa_netmask, sizeof(v4));
        if (inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text)))
            gather_text(g, i, "IPSubnet", text);
    } else if (family == AF_INET6) {
        memcpy(&v6, a->ifa_addr, sizeof(v6));
        if (inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text)))
            gather_text(g, i, "IPAddress", text);
    }
}

/* Return: whether it has one. Only of this computer: addresses are no files. */
static bool put_addresses(struct gather *g, struct ts_instance *i, const char *name)
{
    struct ifaddrs *all = NULL;
    bool has_any = false;

    ts_instance_add_array(g->table, i, "IPAddress");
    ts_instance_add_array(g->table, i, "IPSubnet");
    if (g->root[0] != '\0' || getifaddrs(&all) != 0)
        return false;
    for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
        if (!a->ifa_addr || strcmp(a->ifa_name, name) != 0)
            continue;
        has_any |= a->ifa_addr->sa_family == AF_INET;
        put_address(g, i, a);
    }
    freeifaddrs(all);
    return has_any;
}

/* A line of /proc/net/route: interface, destination, gateway, ...; addresses as the CPU has them in memory. */
static void put_route(struct gather *g, struct ts_instance *i, const char *name, const char *line)
{
    size_t len = strcspn(line, "\t");
    uint8_t bytes[4];
    char text[INET_ADDRSTRLEN];

    if (len != strlen(name) || strncmp(line, name, len) != 0 ||
        strncmp(line + len, "\t00000000\t", HEX_IP + 2) != 0)
        return;
    line += len + HEX_IP + 2;
    if (strspn(line, "0123456789ABCDEF") < HEX_IP ||
        !hex_parse((struct bytes){(const uint8_t *)line, HEX_IP}, sizeof(bytes), bytes))
        return;

    const uint8_t address[] = {bytes[3], bytes[2], bytes[1], bytes[0]};

    if (inet_ntop(AF_INET, address, text, sizeof(text)) && strcmp(text, "0.0.0.0") != 0)
        gather_text(g, i, "DefaultIPGateway", text);
}

static void put_gateways(struct gather *g, struct ts_instance *i, const char *name)
{
    OWN(buf_fini) struct buf text = BUF_INIT(SYS_FILE_MAX);

    ts_instance_add_array(g->table, i, "DefaultIPGateway");
    sys_read(g->root, "proc/net/route", &text);
    for (const char *line = buf_str(&text); *line != '\0';) {
        size_t len = strcspn(line, "\n");

        put_route(g, i, name, line);
        line += len + (line[len] == '\n' ? 1 : 0);
    }
}

/* A word of a line of resolv.conf, cut off in place; NULL at its end. */
static char *take_word(char **line)
{
    char *word = *line + strspn(*line, " \t");
    size_t len = strcspn(word, " \t\r");

    if (len == 0)
        return NULL;
    *line = word + len + (word[len] != '\0' ? 1 : 0);
    word[len] = '\0';
    return word;
}

/* "search" counts as "domain": the first name of it is the computer's own. */
static void put_resolver_line(struct gather *g, struct ts_instance *i, char *line)
{
    char *key = take_word(&line);
    char *value = key ? take_word(&line) : NULL;

    if (!value)
        return;
    if (strcmp(key, "nameserver") == 0) {
        ts_instance_add_text(g->table, i, "DNSServerSearchOrder", value);
    } else if (strcmp(key, "search") == 0 || strcmp(key, "domain") == 0) {
        if (!ts_instance_find(i, "DNSDomain"))
            ts_instance_add_text(g->table, i, "DNSDomain", value);
        for (; value; value = take_word(&line))
            ts_instance_add_text(g->table, i, "DNSDomainSuffixSearchOrder", value);
    }
}

/* What all adapters share here: /etc/resolv.conf. */
static void put_resolver(struct gather *g, struct ts_instance *i)
{
    OWN(buf_fini) struct buf text = BUF_INIT(SYS_FILE_MAX);
    char name[MACHINE_TEXT_MAX];

    sys_line(g->root, "proc/sys", "kernel", "hostname", name, sizeof(name));
    gather_text(g, i, "DNSHostName", name);
    ts_instance_add_array(g->table, i, "DNSServerSearchOrder");
    ts_instance_add_array(g->table, i, "DNSDomainSuffixSearchOrder");
    sys_read(g->root, "etc/resolv.conf", &text);
    for (char *line = text.ptr; line && *line != '\0';) {
        size_t len = strcspn(line, "\n");
        char *next = line + len + (line[len] == '\n' ? 1 : 0);

        line[len] = '\0';
        put_resolver_line(g, i, line);
        line = next;
    }
    if (!ts_instance_find(i, "DNSDomain"))
        ts_instance_add_null(g->table, i, "DNSDomain");
}

static void put_configuration(struct gather *g, size_t index)
{
    const struct machine_nic *nic = &g->machine->nics[index];
    struct ts_instance *i = gather_add(g, "Win32_NetworkAdapterConfiguration");

    gather_number(g, i, "Index", index);
    gather_text(g, i, "Description", nic->driver);
    gather_text(g, i, "ServiceName", nic->driver);
    put_mac(g, i, nic);
    ts_instance_add_boolean(g->table, i, "IPEnabled", put_addresses(g, i, nic->name));
    put_gateways(g, i, nic->name);
    put_resolver(g, i);
    gather_nulls(
        g, i, "DHCPEnabled DHCPServer DHCPLeaseObtained WINSPrimaryServer WINSSecondaryServer");
}

void gather_network(struct gather *g)
{
    gather_class(g, "Win32_NetworkAdapter");
    gather_class(g, "Win32_NetworkAdapterConfiguration");
    for (size_t i = 0; i < g->machine->n_nics; i++) {
        put_adapter(g, i);
        put_configuration(g, i);
    }
}
