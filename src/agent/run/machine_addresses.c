/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "agent/run/machine.h"
#include "base/err.h"

enum {
    ADDRESSES_MAX = 4, /* of one adapter */
};

static unsigned prefix_bits(const struct sockaddr *mask)
{
    struct sockaddr_in v4;
    uint32_t bits;

    memcpy(&v4, mask, sizeof(v4));
    bits = ntohl(v4.sin_addr.s_addr);
    return (unsigned)__builtin_popcount(bits);
}

static int add_address(const struct ifaddrs *a, json_t *dst)
{
    struct sockaddr_in v4;
    char text[INET_ADDRSTRLEN];

    memcpy(&v4, a->ifa_addr, sizeof(v4));
    if (json_array_size(dst) >= ADDRESSES_MAX ||
        !inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text)))
        return 0;
    return json_array_append_new(dst, json_sprintf("%s/%u", text, prefix_bits(a->ifa_netmask))) < 0
               ? ERR(-ENOMEM)
               : 0;
}

static int add_addresses(const struct ifaddrs *all, json_t *nic)
{
    const char *name = json_string_value(json_object_get(nic, "name"));
    json_t *list;
    int r = 0;

    if (!name)
        return 0;
    list = json_array();
    if (json_object_set_new(nic, "addresses", list) < 0) /* also if there is none */
        return ERR(-ENOMEM);
    for (const struct ifaddrs *a = all; r == 0 && a; a = a->ifa_next)
        if (a->ifa_addr && a->ifa_netmask && a->ifa_addr->sa_family == AF_INET &&
            strcmp(a->ifa_name, name) == 0)
            r = add_address(a, list);
    return r;
}

int machine_add_addresses(json_t *nics)
{
    struct ifaddrs *all = NULL;
    int r = 0;

    if (getifaddrs(&all) != 0)
        return 0; /* an inventory is never refused */
    for (size_t i = 0; r == 0 && i < json_array_size(nics); i++)
        r = add_addresses(all, json_array_get(nics, i));
    freeifaddrs(all);
    return TRACE(r);
}
