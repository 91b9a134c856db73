/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Capture Network Settings (SMS_TaskSequence_CaptureNetworkSettingsAction)
 *
 * Of the system that runs: the membership, and each adapter that has an address, become the variables that Apply Network
 * Settings uses instead of what the step says.
 */

#include "agent/steps/capture_network.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/run/machine.h"
#include "agent/steps/inside.h"
#include "agent/steps/step.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/vars.h"

enum {
    ANSWER_MAX_BYTES = 256 * 1024,
    PIECE_BYTES = 32 * 1024,
    FILE_MAX_BYTES = 64 * 1024,
    ROUTES_MAX_BYTES = 1024 * 1024,
    TIMEOUT_S = 5,
};

static bool is_wanted(struct step_context *c, const char *name)
{
    return !bytes_eq_nocase(bytes_of(step_value(c, name)), "false");
}

/* Whether the last message of a piece ends the answer. */
static bool is_last(struct bytes piece)
{
    while (piece.len >= sizeof(struct nlmsghdr)) {
        struct nlmsghdr head;
        struct bytes one;

        memcpy(&head, piece.ptr, sizeof(head));
        if (head.nlmsg_type == NLMSG_DONE || head.nlmsg_type == NLMSG_ERROR)
            return true;
        if (head.nlmsg_len < sizeof(head) || !bytes_take(&piece, NLMSG_ALIGN(head.nlmsg_len), &one))
            return true;
    }
    return false;
}

/* All addresses, as the kernel says them. */
static int ask_for_addresses(struct buf *ret)
{
    OWN(fd_closep) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    const struct timeval timeout = {.tv_sec = TIMEOUT_S};
    struct {
        struct nlmsghdr head;
        struct ifaddrmsg message;
    } question = {
        .head = {.nlmsg_len = sizeof(question),
                 .nlmsg_type = RTM_GETADDR,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .message = {.ifa_family = AF_UNSPEC},
    };
    uint8_t piece[PIECE_BYTES];

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
        send(fd, &question, sizeof(question), 0) < 0)
        return ERR(-errno);
    for (;;) {
        ssize_t n = recv(fd, piece, sizeof(piece), 0);
        struct bytes got = {piece, n > 0 ? (size_t)n : 0};

        if (n < 0)
            return ERR(-errno);
        buf_add(ret, got);
        if (ret->failed)
            return ERR(-ENOBUFS);
        if (n == 0 || is_last(got))
            return 0;
    }
}

/* The servers that a local resolver asks are in another file than the one that names it. */
static void read_resolvers(struct ts_words *dns, struct ts_words *search)
{
    static const char *const paths[] = {"/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"};

    for (size_t i = 0; dns->n == 0 && i < sizeof(paths) / sizeof(paths[0]); i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);

        if (file_read(paths[i], &text) == 0)
            capture_network_read_resolv_conf(buf_str(&text), dns, search);
    }
}

static bool has_v6(const struct ts_adapter *adapter)
{
    for (size_t i = 0; i < adapter->addresses.n; i++)
        if (ts_address_is_v6(adapter->addresses.items[i]))
            return true;
    return false;
}

static void fill(const struct machine_nic *nic,
                 const struct ts_words *dns,
                 const char *routes,
                 const char *routes_v6,
                 struct ts_adapter *ret)
{
    mac_put(ret->mac, nic->mac);
    (void)snprintf(ret->name, sizeof(ret->name), "%.31s", nic->name);
    ret->dns = *dns;
    capture_network_read_routes(routes, nic->name, &ret->gateways);
    if (has_v6(ret)) /* of another one the router tells */
        capture_network_read_routes_v6(routes_v6, nic->name, &ret->gateways);
}

static int read_adapters(const struct machine *machine, struct network_settings *ret)
{
    OWN(buf_fini) struct buf answer = BUF_INIT(ANSWER_MAX_BYTES);
    OWN(buf_fini) struct buf routes = BUF_INIT(FILE_MAX_BYTES);
    OWN(buf_fini) struct buf routes_v6 = BUF_INIT(ROUTES_MAX_BYTES);
    struct ts_words dns = {.n = 0};
    int r = ask_for_addresses(&answer);

    if (r == 0)
        r = file_read("/proc/net/route", &routes);
    if (r < 0)
        return TRACE(r);
    (void)file_read("/proc/net/ipv6_route", &routes_v6); /* a kernel may know no IPv6 */
    read_resolvers(&dns, &ret->search);
    for (size_t i = 0; i < machine->n_nics && ret->n_adapters < TS_ADAPTERS_MAX; i++) {
        struct ts_adapter *adapter = &ret->adapters[ret->n_adapters];
        unsigned index = if_nametoindex(machine->nics[i].name);

        *adapter = (struct ts_adapter){.is_dhcp = false};
        capture_network_add_addresses(buf_bytes(&answer), index, adapter);
        if (index == 0 || adapter->addresses.n == 0)
            continue;
        fill(&machine->nics[i], &dns, buf_str(&routes), buf_str(&routes_v6), adapter);
        ret->n_adapters++;
    }
    return 0;
}

static int capture_adapters(struct step_context *c)
{
    struct network_settings settings = {0};
    int r = read_adapters(c->machine, &settings);

    if (r < 0)
        return TRACE(r);
    if (settings.n_adapters == 0) {
        c->log(c->ctx, "No adapter has an address: none is captured");
        return 0;
    }
    for (size_t i = 0; i < settings.n_adapters; i++)
        c->log(c->ctx,
               "Network of %s: %s",
               settings.adapters[i].mac,
               settings.adapters[i].is_dhcp ? "DHCP" : settings.adapters[i].addresses.items[0]);
    return TRACE(capture_network_put(&settings, c->vars));
}

static int capture_membership(struct step_context *c)
{
    OWN(fd_closep) int root = -1;
    OWN(buf_fini) struct buf name = BUF_INIT(FILE_MAX_BYTES);
    bool is_domain = false;
    int r = inside_open("/", &root);

    if (r == 0)
        r = capture_network_find_membership(root, &is_domain, &name);
    if (r < 0)
        return TRACE(r);
    if (name.len == 0) {
        c->log(c->ctx, "The system is in no domain and no workgroup");
        return 0;
    }
    c->log(c->ctx, "%s: %s", is_domain ? "Domain" : "Workgroup", buf_str(&name));
    r = ts_vars_set(c->vars, "OSDNetworkJoinType", is_domain ? "0" : "1", TS_BY_ENGINE);
    if (r == 0)
        r = ts_vars_set(c->vars,
                        is_domain ? "OSDDomainName" : "OSDWorkgroupName",
                        buf_str(&name),
                        TS_BY_ENGINE);
    return r < 0 ? TRACE(r) : 0;
}

int step_capture_network_run(struct step_context *c, struct step_result *ret)
{
    int r = 0;

    *ret = (struct step_result){0};
    if (is_wanted(c, "OSDMigrateAdapterSettings"))
        r = capture_adapters(c);
    if (r == 0 && is_wanted(c, "OSDMigrateNetworkMembership"))
        r = capture_membership(c);
    if (r < 0)
        return step_fail(ret,
                         "SLW-0483",
                         "the network settings of this system could not be read (error %d)",
                         -r);
    return 0;
}
