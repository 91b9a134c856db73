/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/ports.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "server/parent/holder.h"

enum {
    PATIENCE_US = 1000 * 1000, /* for the processes of a server that was killed a moment ago */
    STEP_US = 50 * 1000,
    RECEIVE_BUFFER_BYTES = 1024 * 1024,
    DHCP_PORT = 67,
    LEASE_PORT = 68,
};

void ports_fini(struct ports *ports)
{
    fd_closep(&ports->dhcp_fd);
    fd_closep(&ports->boot_server_fd);
    fd_closep(&ports->tftp_fd);
    fd_closep(&ports->lease_fd);
}

static int bind_to(int fd, uint16_t port)
{
    const struct sockaddr_in any = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_ANY),
    };

    if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) == 0)
        return 0;
    switch (errno) {
    case EADDRINUSE:
        return PORTS_E_IN_USE;
    case EACCES:
    case EPERM:
        return PORTS_E_FORBIDDEN;
    default:
        return ERR(-errno);
    }
}

static int take_udp(uint16_t port, int *ret)
{
    const int on = 1;
    const int buffer = RECEIVE_BUFFER_BYTES;
    OWN(fd_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r;

    if (fd < 0)
        return ERR(-errno);
    if (setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer)) != 0)
        return ERR(-errno);
    r = bind_to(fd, port);
    if (r != 0)
        return TRACE(r);
    *ret = fd;
    fd = -1;
    return 0;
}

/*
 * Where the LAN's DHCP server speaks to its clients. Bound to the broadcast address only, it takes nothing from a
 * DHCP client of this machine.
 */
static int hear_leases(void)
{
    const int on = 1;
    const struct sockaddr_in name = {
        .sin_family = AF_INET,
        .sin_port = htons(LEASE_PORT),
        .sin_addr.s_addr = htonl(INADDR_BROADCAST),
    };
    OWN(fd_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int ret;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) != 0 ||
        bind(fd, (const struct sockaddr *)&name, sizeof(name)) != 0)
        return -1;
    ret = fd;
    fd = -1;
    return ret;
}

/* nginx binds it itself: here it is only tried. */
static int try_tcp(uint16_t port)
{
    const int on = 1;
    OWN(fd_closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int r;

    if (fd < 0)
        return ERR(-errno);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
        return ERR(-errno);
    r = bind_to(fd, port);
    if (r == 0 && listen(fd, 1) != 0)
        return errno == EADDRINUSE ? PORTS_E_IN_USE : ERR(-errno);
    return TRACE(r);
}

/* One port: @ret_fd NULL means TCP. */
struct wanted {
    struct ports_failure what;
    int *ret_fd;
};

static int take_once(const struct wanted *wanted)
{
    if (wanted->ret_fd)
        return TRACE(take_udp(wanted->what.port, wanted->ret_fd));
    return TRACE(try_tcp(wanted->what.port));
}

static void end_stale(const struct wanted *wanted, const char *http_folder)
{
    struct holder holder;

    if (!wanted->ret_fd && holder_find(true, wanted->what.port, &holder) &&
        holder_works_in(holder.pid, http_folder))
        (void)kill(holder.pid, SIGKILL);
}

static int take(const struct wanted *wanted, const char *http_folder)
{
    uint64_t deadline = clock_monotonic_us() + PATIENCE_US;

    for (;;) {
        int r = take_once(wanted);

        if (r != PORTS_E_IN_USE || clock_monotonic_us() >= deadline)
            return TRACE(r);
        end_stale(wanted, http_folder);
        clock_sleep_us(STEP_US);
    }
}

int ports_take(const struct server_config *config,
               bool is_https_on,
               const char *http_folder,
               struct ports *ret,
               struct ports_failure *ret_failure)
{
    OWN(ports_fini) struct ports ports = PORTS_INIT;
    uint16_t https_port = (uint16_t)(is_https_on ? config->https_port : config->http_port);
    const struct wanted all[] = {
        {{"tcp", (uint16_t)config->http_port, "[site] http-port"}, NULL},
        {{"tcp", https_port, is_https_on ? "[site] https-port" : "[site] http-port"}, NULL},
        {{"udp", (uint16_t)config->pxe_dhcp_port, "[pxe] dhcp-port"}, &ports.dhcp_fd},
        {{"udp", (uint16_t)config->pxe_boot_server_port, "[pxe] boot-server-port"},
         &ports.boot_server_fd},
        {{"udp", (uint16_t)config->pxe_tftp_port, "[pxe] tftp-port"}, &ports.tftp_fd},
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        int r;

        if (all[i].ret_fd && !config->is_pxe_on)
            continue;
        r = take(&all[i], http_folder);
        if (r < 0)
            return TRACE(r);
        if (r > 0) {
            *ret_failure = all[i].what;
            return r;
        }
    }
    if (config->is_pxe_on && config->pxe_dhcp_port == DHCP_PORT)
        ports.lease_fd = hear_leases();
    *ret = ports;
    ports = PORTS_INIT;
    return 0;
}
