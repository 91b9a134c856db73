/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/network_reach.h"

#include <errno.h>
#include <mntent.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/steps/connections.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/network_folder.h"

enum {
    TURN_MS = 1000,
    TURNS_MAX = 60,
    TEXT_MAX = 320,
    MOUNT_LINE_MAX = 16 * 1024,
};

static const char *port_of(const struct ts_network_folder *f)
{
    if (f->port[0] != '\0')
        return f->port;
    return f->kind == TS_NETWORK_SMB ? "445" : "2049";
}

static int unreachable(int error, struct buf *why)
{
    buf_addf(why, "the server does not answer: %s", strerrordesc_np(error));
    return NETWORK_FOLDER_E_UNREACHABLE;
}

/* Of a connection that has ended well or badly. */
static int judge(int error, struct buf *why)
{
    return error == 0 || error == ECONNREFUSED ? 0 : unreachable(error, why);
}

static int
wait_for(struct step_context *c, int fd, const struct ts_network_folder *f, struct buf *why)
{
    char what[TEXT_MAX];

    (void)snprintf(what, sizeof(what), "Waiting for %s", f->host);
    for (unsigned i = 0; i < TURNS_MAX; i++) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        int error = 0;
        socklen_t len = sizeof(error);

        if (!c->progress(c->ctx, STEP_PERCENT_UNKNOWN, 0, what)) {
            buf_adds(why, "the site has cancelled");
            return NETWORK_FOLDER_E_CANCELLED;
        }
        if (poll(&p, 1, TURN_MS) <= 0)
            continue;
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
            return ERR(-errno);
        return judge(error, why);
    }
    return unreachable(ETIMEDOUT, why);
}

int network_folder_reach(struct step_context *c, const struct ts_network_folder *f, struct buf *why)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    OWN(fd_closep) int fd = -1;
    struct addrinfo *found = NULL;
    int error = 0;
    int r = getaddrinfo(f->host, port_of(f), &hints, &found);

    if (r != 0) {
        buf_addf(why, "the name \"%s\" cannot be found: %s", f->host, gai_strerror(r));
        return NETWORK_FOLDER_E_NAME;
    }
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) < 0)
        error = errno;
    freeaddrinfo(found);
    if (fd < 0)
        return ERR(-error);
    return error == EINPROGRESS ? wait_for(c, fd, f, why) : judge(error, why);
}

int network_folder_connect(struct step_context *c,
                           const struct connection *connection,
                           struct buf *why)
{
    struct ts_network_folder folder;
    int r;

    if (!ts_network_folder_parse(connection->path, &folder)) {
        buf_adds(why, "the path is none of a network folder");
        return NETWORK_FOLDER_E_REFUSED;
    }
    r = network_folder_reach(c, &folder, why);
    if (r == 0)
        r = network_folder_mount(
            &folder, connection->account, connection->password, connection->target, why);
    return TRACE(r);
}

static void end_mounts(FILE **mounts)
{
    if (*mounts)
        (void)endmntent(*mounts);
}

bool network_folder_is_connected(const char *target)
{
    OWN(end_mounts) FILE *mounts = setmntent("/proc/self/mounts", "re");
    char line[MOUNT_LINE_MAX];
    struct mntent entry;
    bool ret = false;

    while (mounts && getmntent_r(mounts, &entry, line, sizeof(line)))
        if (strcmp(entry.mnt_dir, target) == 0) /* the last one lies above all */
            ret = strncmp(entry.mnt_type, "nfs", 3) == 0 || strcmp(entry.mnt_type, "cifs") == 0;
    return ret;
}
