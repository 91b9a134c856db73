/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/capture_network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/route.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "agent/steps/inside.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "ts/vars.h"

enum {
    FILE_MAX_BYTES = 256 * 1024,
    NAME_MAX_BYTES = 64,
    LIST_MAX_BYTES = TS_WORDS_MAX * TS_WORD_MAX,
    HEX_IP = 8, /* digits of an address in /proc/net/route */
    BITS_OF_IPV4 = 32,
    DOMAIN_MAX_BYTES = 255,
};

static void add_word(struct ts_words *list, const char *word, size_t len)
{
    if (list->n == TS_WORDS_MAX || len == 0 || len >= TS_WORD_MAX)
        return;
    memcpy(list->items[list->n], word, len);
    list->items[list->n++][len] = '\0';
}

static const char *next_line(const char *line)
{
    line += strcspn(line, "\n");
    return line + (*line == '\n' ? 1 : 0);
}

/* An address of a link means nothing without the link. */
static bool is_server(const char *word)
{
    struct in6_addr a;

    return inet_pton(AF_INET, word, &a) == 1 ||
           (inet_pton(AF_INET6, word, &a) == 1 && !IN6_IS_ADDR_LINKLOCAL(&a));
}

/* The words behind @key in a line that begins with it. */
static void add_words(const char *line, const char *key, bool is_address, struct ts_words *ret)
{
    size_t len = strlen(key);

    if (strncmp(line, key, len) != 0 || (line[len] != ' ' && line[len] != '\t'))
        return;
    for (line += len; *line && *line != '\n';) {
        char word[TS_WORD_MAX] = "";
        line += strspn(line, " \t\r");
        len = strcspn(line, " \t\r\n");
        if (len < sizeof(word))
            memcpy(word, line, len);
        if (!is_address || is_server(word))
            add_word(ret, line, len);
        line += len;
    }
}

void capture_network_read_resolv_conf(const char *text,
                                      struct ts_words *dns,
                                      struct ts_words *search)
{
    for (; *text; text = next_line(text)) {
        add_words(text, "nameserver", true, dns);
        add_words(text, "search", false, search);
        add_words(text, "domain", false, search);
    }
}

/* Of IPv6 only what somebody has set: what a router or a DHCP server gave, and the link's own address, come again. */
static bool is_of_interest(const struct ifaddrmsg *message)
{
    return message->ifa_family == AF_INET ||
           (message->ifa_family == AF_INET6 && message->ifa_scope == RT_SCOPE_UNIVERSE &&
            (message->ifa_flags & IFA_F_PERMANENT) != 0);
}

static void add_address(struct ifaddrmsg *message, size_t len, struct ts_adapter *ret)
{
    bool is_v6 = message->ifa_family == AF_INET6;
    size_t n_bytes = is_v6 ? sizeof(struct in6_addr) : sizeof(struct in_addr);
    int wanted = is_v6 ? IFA_ADDRESS : IFA_LOCAL;
    char text[INET6_ADDRSTRLEN];

    for (struct rtattr *a = IFA_RTA(message); RTA_OK(a, len); a = RTA_NEXT(a, len)) {
        if (a->rta_type != wanted || RTA_PAYLOAD(a) != n_bytes ||
            ret->addresses.n == TS_WORDS_MAX ||
            !inet_ntop(message->ifa_family, RTA_DATA(a), text, sizeof(text)))
            continue;
        ret->prefixes[ret->addresses.n] = message->ifa_prefixlen;
        add_word(&ret->addresses, text, strlen(text));
        ret->is_dhcp |= !is_v6 && (message->ifa_flags & IFA_F_PERMANENT) == 0;
    }
}

void capture_network_add_addresses(struct bytes answer, unsigned index, struct ts_adapter *ret)
{
    while (answer.len >= sizeof(struct nlmsghdr)) {
        struct nlmsghdr head;
        struct bytes whole;
        union { /* aligned as the attributes want it */
            struct ifaddrmsg message;
            uint8_t bytes[1024];
        } body;

        memcpy(&head, answer.ptr, sizeof(head));
        if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > answer.len)
            return;
        (void)bytes_take(&answer,
                         NLMSG_ALIGN(head.nlmsg_len) < answer.len ? NLMSG_ALIGN(head.nlmsg_len)
                                                                  : answer.len,
                         &whole);

        size_t len = head.nlmsg_len - NLMSG_HDRLEN;

        if (head.nlmsg_type != RTM_NEWADDR || len < sizeof(body.message) || len > sizeof(body))
            continue;
        memcpy(body.bytes, whole.ptr + NLMSG_HDRLEN, len);
        if (is_of_interest(&body.message) && body.message.ifa_index == index)
            add_address(&body.message, len - NLMSG_ALIGN(sizeof(body.message)), ret);
    }
}

void capture_network_read_routes(const char *text, const char *name, struct ts_words *ret)
{
    size_t len = strlen(name);

    for (; *text; text = next_line(text)) {
        const char *gateway = text + len + HEX_IP + 2;
        char address[INET_ADDRSTRLEN];
        uint8_t bytes[4];

        if (strncmp(text, name, len) != 0 || strncmp(text + len, "\t00000000\t", HEX_IP + 2) != 0 ||
            strspn(gateway, "0123456789ABCDEF") < HEX_IP ||
            !hex_parse((struct bytes){(const uint8_t *)gateway, HEX_IP}, sizeof(bytes), bytes))
            continue;

        const uint8_t in_order[] = {bytes[3], bytes[2], bytes[1], bytes[0]};

        if (inet_ntop(AF_INET, in_order, address, sizeof(address)) &&
            strcmp(address, "0.0.0.0") != 0)
            add_word(ret, address, strlen(address));
    }
}

/* A line of /proc/net/ipv6_route. */
struct ipv6_route {
    uint8_t gateway[sizeof(struct in6_addr)];
    uint32_t flags;
    char device[TS_ADAPTER_NAME_MAX];
};

/* The word that a line is at; behind it, and the blanks after it, then. */
static struct bytes take_word(const char **line)
{
    struct bytes word = {(const uint8_t *)*line, strcspn(*line, " \t\n")};

    *line += word.len;
    *line += strspn(*line, " \t");
    return word;
}

/* Destination, its bits, source, its bits, gateway, metric, two counters, flags, device. */
static bool parse_route_v6(const char *line, struct ipv6_route *ret)
{
    struct bytes words[10];
    uint8_t flags[sizeof(uint32_t)];

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        words[i] = take_word(&line);
    if (words[9].len == 0 || words[9].len >= sizeof(ret->device) ||
        !hex_parse(words[4], sizeof(ret->gateway), ret->gateway) ||
        !hex_parse(words[8], sizeof(flags), flags))
        return false;
    ret->flags =
        (uint32_t)flags[0] << 24 | (uint32_t)flags[1] << 16 | (uint32_t)flags[2] << 8 | flags[3];
    memcpy(ret->device, words[9].ptr, words[9].len);
    ret->device[words[9].len] = '\0';
    return true;
}

void capture_network_read_routes_v6(const char *text, const char *name, struct ts_words *ret)
{
    static const char any[] = "00000000000000000000000000000000 00 ";

    for (; *text; text = next_line(text)) {
        struct ipv6_route route = {.flags = 0};
        char address[INET6_ADDRSTRLEN];

        if (strncmp(text, any, strlen(any)) != 0 || !parse_route_v6(text, &route) ||
            strcmp(route.device, name) != 0 || (route.flags & RTF_GATEWAY) == 0 ||
            (route.flags & RTF_ADDRCONF) != 0)
            continue;
        if (inet_ntop(AF_INET6, route.gateway, address, sizeof(address)))
            add_word(ret, address, strlen(address));
    }
}

static int set(struct ts_vars *vars, const char *name, const char *value)
{
    int r = ts_vars_set(vars, name, value, TS_BY_ENGINE);

    return r < 0 ? TRACE(r) : 0;
}

static int set_of(struct ts_vars *vars, size_t i, const char *property, const char *value)
{
    char name[NAME_MAX_BYTES];

    (void)snprintf(name, sizeof(name), "OSDAdapter%zu%s", i, property);
    return TRACE(set(vars, name, value));
}

static void put_list(const struct ts_words *list, struct buf *ret)
{
    buf_clear(ret);
    for (size_t i = 0; i < list->n; i++)
        buf_addf(ret, "%s%s", i > 0 ? "," : "", list->items[i]);
}

static void put_masks(const struct ts_adapter *a, struct buf *ret)
{
    buf_clear(ret);
    for (size_t i = 0; i < a->addresses.n; i++) {
        if (ts_address_is_v6(a->addresses.items[i])) {
            buf_addf(ret, "%s%u", i > 0 ? "," : "", a->prefixes[i]);
            continue;
        }

        unsigned n = a->prefixes[i] <= BITS_OF_IPV4 ? a->prefixes[i] : BITS_OF_IPV4;
        struct in_addr mask = {htonl(n > 0 ? UINT32_MAX << (BITS_OF_IPV4 - n) : 0)};
        char text[INET_ADDRSTRLEN] = "";

        (void)inet_ntop(AF_INET, &mask, text, sizeof(text));
        buf_addf(ret, "%s%s", i > 0 ? "," : "", text);
    }
}

static int put_static(const struct ts_adapter *a, size_t i, struct ts_vars *vars)
{
    OWN(buf_fini) struct buf text = BUF_INIT(LIST_MAX_BYTES);
    int r;

    put_list(&a->addresses, &text);
    r = set_of(vars, i, "IPAddressList", buf_str(&text));
    put_masks(a, &text);
    if (r == 0)
        r = set_of(vars, i, "SubnetMask", buf_str(&text));
    put_list(&a->gateways, &text);
    if (r == 0)
        r = set_of(vars, i, "Gateways", buf_str(&text));
    put_list(&a->dns, &text);
    if (r == 0)
        r = set_of(vars, i, "DNSServerList", buf_str(&text));
    return TRACE(r);
}

static int put_adapter(const struct ts_adapter *a, size_t i, struct ts_vars *vars)
{
    int r = set_of(vars, i, "EnableDHCP", a->is_dhcp ? "true" : "false");

    if (r == 0)
        r = set_of(vars, i, "MacAddress", a->mac);
    if (r == 0)
        r = set_of(vars, i, "Name", a->name);
    return r == 0 && !a->is_dhcp ? TRACE(put_static(a, i, vars)) : TRACE(r);
}

int capture_network_put(const struct network_settings *settings, struct ts_vars *vars)
{
    OWN(buf_fini) struct buf search = BUF_INIT(LIST_MAX_BYTES);
    char count[NAME_MAX_BYTES];
    bool is_all_dhcp = true;
    int r;

    (void)snprintf(count, sizeof(count), "%zu", settings->n_adapters);
    r = set(vars, "OSDAdapterCount", count);
    for (size_t i = 0; r == 0 && i < settings->n_adapters; i++) {
        is_all_dhcp &= settings->adapters[i].is_dhcp;
        r = put_adapter(&settings->adapters[i], i, vars);
    }
    if (r < 0 || is_all_dhcp ||
        settings->search.n == 0) /* else the DHCP server said so, and will again */
        return TRACE(r);
    put_list(&settings->search, &search);
    r = set(vars, "OSDDNSSuffixSearchOrder", buf_str(&search));
    return r < 0 ? TRACE(r) : TRACE(set(vars, "OSDDNSDomain", settings->search.items[0]));
}

/* The value of "key = value" in a file of sections. */
static void find_setting(const char *text, const char *key, struct buf *ret)
{
    for (; *text && ret->len == 0; text = next_line(text)) {
        const char *at = text + strspn(text, " \t");
        size_t len = strlen(key);

        if (!bytes_eq_nocase((struct bytes){(const uint8_t *)at, strnlen(at, len)}, key))
            continue;
        at += len;
        at += strspn(at, " \t");
        if (*at != '=')
            continue;
        at++;
        at += strspn(at, " \t");
        buf_add(ret, (struct bytes){(const uint8_t *)at, strcspn(at, " \t,\r\n")});
    }
}

/* It becomes a variable and lines of files: nothing but what a domain's name is made of. */
static bool is_domain(struct bytes realm)
{
    for (size_t i = 0; i < realm.len; i++) {
        uint8_t c = realm.ptr[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '-' && c != '.')
            return false;
    }
    return realm.len > 0 && realm.len <= DOMAIN_MAX_BYTES;
}

/* An entry of a keytab: whether it is the account of a computer in a domain of Windows, "LAB-PC$@LAB.EXAMPLE.ORG". */
static bool read_keytab_entry(struct bytes entry, struct bytes *ret_realm)
{
    struct bytes name;
    uint16_t n_names;
    uint16_t len;

    return bytes_take_u16be(&entry, &n_names) && n_names == 1 && bytes_take_u16be(&entry, &len) &&
           bytes_take(&entry, len, ret_realm) && bytes_take_u16be(&entry, &len) && len > 0 &&
           bytes_take(&entry, len, &name) && name.ptr[len - 1] == '$' && is_domain(*ret_realm);
}

void capture_network_read_keytab(struct bytes keytab, struct buf *ret)
{
    static const uint8_t version[] = {5, 2};
    struct bytes head;
    struct bytes realm;

    if (!bytes_take(&keytab, sizeof(version), &head) ||
        memcmp(head.ptr, version, sizeof(version)) != 0)
        return;
    for (;;) {
        struct bytes entry;
        uint32_t size;

        if (!bytes_take_u32be(&keytab, &size))
            return;

        bool is_hole = size > INT32_MAX; /* a negative number */

        if (!bytes_take(&keytab, is_hole ? 0 - size : size, &entry))
            return;
        if (is_hole || !read_keytab_entry(entry, &realm))
            continue;
        for (size_t i = 0; i < realm.len; i++) {
            uint8_t c = realm.ptr[i];

            if (c >= 'A' && c <= 'Z')
                c |= 'a' - 'A';
            buf_add(ret, (struct bytes){&c, 1});
        }
        return;
    }
}

/* Who joined without sssd and Samba, with adcli alone, has the computer's account there and nowhere else. */
static int find_in_keytab(int root, struct buf *ret)
{
    OWN(buf_fini) struct buf keytab = BUF_INIT(FILE_MAX_BYTES);
    int r = inside_read(root, "etc/krb5.keytab", &keytab);

    if (r == 0)
        capture_network_read_keytab(buf_bytes(&keytab), ret);
    return r < 0 ? TRACE(r) : 0;
}

int capture_network_find_membership(int root, bool *ret_is_domain, struct buf *ret)
{
    static const struct {
        const char *path;
        const char *key;
        bool is_domain;
    } places[] = {
        {"etc/sssd/sssd.conf", "domains", true},
        {"etc/samba/smb.conf", "realm", true},
        {NULL, NULL, true}, /* the keytab */
        {"etc/samba/smb.conf", "workgroup", false},
    };

    for (size_t i = 0; ret->len == 0 && i < sizeof(places) / sizeof(places[0]); i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);
        int r =
            places[i].path ? inside_read(root, places[i].path, &text) : find_in_keytab(root, ret);

        if (r < 0)
            return TRACE(r);
        if (r == 0 && places[i].path)
            find_setting(buf_str(&text), places[i].key, ret);
        *ret_is_domain = places[i].is_domain;
    }
    return ret->failed ? ERR(-ENOMEM) : 0;
}
