/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/network.h"

#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/run/machine.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "plat/process.h"

#define DHCP_TIMEOUT_US ((uint64_t)40 * 1000 * 1000)

enum {
    LINK_STEP_US = 100 * 1000,
    LINK_STEPS = 100, /* 10 s: switches with spanning tree, and PHYs that negotiate slowly */
    DHCP_OUTPUT_MAX = 16 * 1024,
};

static int set_up(const char *name, bool is_up)
{
    OWN(fd_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {0};

    if (fd < 0)
        return ERR(-errno);
    (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    if (ioctl(fd, SIOCGIFFLAGS, &request) != 0)
        return ERR(-errno);
    if (is_up)
        request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
    else
        request.ifr_flags = (short)(request.ifr_flags & ~IFF_UP);
    return ioctl(fd, SIOCSIFFLAGS, &request) == 0 ? 0 : ERR(-errno);
}

static bool has_link(const char *name)
{
    OWN(buf_fini) struct buf text = BUF_INIT(16);
    char path[128];

    (void)snprintf(path, sizeof(path), "/sys/class/net/%s/carrier", name);
    return file_read(path, &text) == 0 && buf_str(&text)[0] == '1';
}

/* Bring all up at once, so that they negotiate at the same time. */
static void raise_all(const struct machine *machine)
{
    (void)set_up("lo", true);
    for (size_t i = 0; i < machine->n_nics; i++)
        (void)set_up(machine->nics[i].name, true);
}

static bool wait_for_link(const char *name)
{
    for (int i = 0; i < LINK_STEPS; i++) {
        if (has_link(name))
            return true;
        clock_sleep_us(LINK_STEP_US);
    }
    return false;
}

/* Without -q udhcpc stays behind when it has an address, and renews the lease for as long as we run. */
static bool ask_dhcp(const char *name)
{
    OWN(buf_fini) struct buf output = BUF_INIT(DHCP_OUTPUT_MAX);
    const char *argv[] = {"udhcpc", "-i", name, "-n", "-t", "8", "-T", "2", NULL};
    struct process_result result;
    int r = process_run(
        &(struct process_options){.argv = argv, .output = &output, .timeout_us = DHCP_TIMEOUT_US},
        &result);

    return r == 0 && result.signal == 0 && result.exit_code == 0;
}

static bool is_boot_nic(const struct machine *machine, const struct machine_nic *nic)
{
    return machine->has_boot_mac && memcmp(machine->boot_mac, nic->mac, MAC_BYTES) == 0;
}

/* Return: 0, or how far it got. */
static int try_nic(const struct machine_nic *nic, bool may_wait, struct buf *why)
{
    if (!(may_wait ? wait_for_link(nic->name) : has_link(nic->name))) {
        buf_addf(why, "%s has no link; ", nic->name);
        return NETWORK_E_NO_LINK;
    }
    if (!ask_dhcp(nic->name)) {
        buf_addf(why, "no DHCP server answered on %s; ", nic->name);
        return NETWORK_E_NO_ADDRESS;
    }
    return 0;
}

/* The interface that booted goes first (round 0), the others after it (round 1). */
static int try_round(
    const struct machine *machine, bool boot_nic, char *ret_interface, size_t cap, struct buf *why)
{
    int worst = NETWORK_E_NO_LINK;

    for (size_t i = 0; i < machine->n_nics; i++) {
        const struct machine_nic *nic = &machine->nics[i];

        if (is_boot_nic(machine, nic) != boot_nic)
            continue;
        int r = try_nic(nic, boot_nic || i == 0, why);

        if (r == 0) {
            (void)snprintf(ret_interface, cap, "%s", nic->name);
            return 0;
        }
        if (r > worst)
            worst = r;
    }
    return worst;
}

int network_up(const struct machine *machine, char *ret_interface, size_t cap, struct buf *why)
{
    if (machine->n_nics == 0) {
        buf_adds(why, "the boot image found no Ethernet interface: it has no driver for it");
        return NETWORK_E_NO_INTERFACE;
    }
    raise_all(machine);
    int first = try_round(machine, true, ret_interface, cap, why);

    if (first == 0)
        return 0;
    int other = try_round(machine, false, ret_interface, cap, why);

    if (other == 0) {
        buf_clear(why);
        return 0;
    }
    return first > other ? first : other;
}
