/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/client/client.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "agent/client/policy.h"
#include "agent/run/target.h"
#include "agent/steps/setup_parts.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "plat/random.h"
#include "rt/log.h"

enum {
    US_PER_S = 1000 * 1000,
    LOCK_MODE = 0600,
    FOLDER_MODE = 0755,
    SPREAD = 10, /* one part in so many, up or down */
};

DEFINE_FREEP(struct link *, link_free);

int client_lock(const char *path, bool is_patient, int *ret)
{
    OWN(buf_fini) struct buf folder = BUF_INIT(4096);
    OWN(fd_closep) int fd = -1;
    const char *slash = strrchr(path, '/');
    int r;

    buf_add(&folder, (struct bytes){(const uint8_t *)path, slash ? (size_t)(slash - path) : 0});
    r = dir_make(buf_str(&folder), FOLDER_MODE);
    if (r < 0)
        return TRACE(r);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, LOCK_MODE);
    if (fd < 0)
        return ERR(-errno);
    while (flock(fd, is_patient ? LOCK_EX : LOCK_EX | LOCK_NB) < 0) {
        if (errno == EWOULDBLOCK)
            return CLIENT_E_BUSY;
        if (errno != EINTR)
            return ERR(-errno);
    }
    *ret = fd;
    fd = -1;
    return 0;
}

/* So that not all computers of a site that start together ask it together. */
static uint64_t spread(uint64_t us)
{
    uint32_t random = 0;

    random_bytes((uint8_t *)&random, sizeof(random));
    return us - us / SPREAD + random % (2 * us / SPREAD + 1);
}

static bool has_state(const struct client_options *options)
{
    OWN(buf_fini) struct buf path = BUF_INIT(4096);

    buf_addf(&path, "%s/%s", options->platform->full_os_root, TARGET_STATE_FILE);
    return file_exists(buf_str(&path));
}

static int new_link(const struct client_identity *identity, struct link **ret)
{
    OWN(link_freep) struct link *link = NULL;
    int r = link_new(&identity->site, &link);

    if (r == 0)
        r = link_set_key(link, identity->key, identity->device_id);
    if (r == 0)
        *ret = TAKE(link);
    return TRACE(r);
}

/* Of this system. Return: 0, an outcome of client_identity_read(), or -errno. */
static int read_identity(const struct client_options *options, struct client_identity *ret)
{
    int r = client_identity_read(options->platform->full_os_root, ret);

    ret->site.unix_socket = options->unix_socket;
    return TRACE(r);
}

/* @identity: NULL: go on with what was begun */
static int run(const struct client_options *options,
               const struct client_identity *identity,
               const json_t *order,
               enum run_end *ret)
{
    const struct run_options run = {
        .is_full_os = true,
        .client = identity,
        .client_order = order,
        .site = {.unix_socket = options->unix_socket},
        .ticket = "",
        .boot_image = "",
        .version = options->version,
        .platform = options->platform,
        .screen = options->screen,
    };

    return TRACE(run_agent(&run, ret));
}

static enum client_next follow(struct client *client, enum run_end end)
{
    uint64_t now_us = clock_monotonic_us();

    client->tell_us = end == RUN_UNREPORTED ? now_us + CLIENT_REPORT_US : now_us;
    return end == RUN_RESTART ? CLIENT_RESTART : end == RUN_OFF ? CLIENT_OFF : CLIENT_WAIT;
}

static void plan(struct client *client, uint64_t poll_s)
{
    uint64_t now_us = clock_monotonic_us();
    uint64_t poll_us = spread(poll_s * US_PER_S);

    client->is_unknown = false;
    if (client->ask_us == 0) {
        client->ask_us = now_us + (poll_us < CLIENT_SETTLE_US ? poll_us : CLIENT_SETTLE_US);
        client->tell_us = client->ask_us;
    } else {
        client->tell_us = now_us + poll_us;
    }
}

/* @r: an outcome of policy.h */
static void put_off(struct client *client, int r, const char *why)
{
    client->tell_us = clock_monotonic_us() + spread(CLIENT_AWAY_US);
    if (r == POLICY_E_AWAY)
        log_info("the site does not answer", "why=\"%s\"", why);
    else if (!client->is_unknown)
        log_warning(
            "SLW-0473: the site does not take this computer as a client", "why=\"%s\"", why);
    client->is_unknown = r != POLICY_E_AWAY;
}

static int call_at_site(const struct client_options *options,
                        const struct client_identity *identity,
                        struct client *client,
                        enum client_next *ret)
{
    OWN(buf_fini) struct buf why = BUF_INIT(POLICY_WHY_MAX_BYTES);
    OWN(link_freep) struct link *link = NULL;
    OWN(json_decrefp) json_t *order = NULL;
    bool may_ask = client->ask_us > 0 && clock_monotonic_us() >= client->ask_us;
    uint64_t poll_s = 0;
    enum run_end end = RUN_FINISHED;
    int r = new_link(identity, &link);

    if (r == 0)
        r = policy_tell(link, options->platform, options->version, &poll_s, &why);
    if (r == 0)
        plan(client, poll_s);
    if (r == 0 && may_ask)
        r = policy_ask(link, NULL, &order, &why);
    if (r > 0)
        put_off(client, r, buf_str(&why));
    if (r != 0 || !order)
        return r < 0 ? TRACE(r) : 0;
    r = run(options, identity, order, &end);
    *ret = follow(client, end);
    return TRACE(r);
}

static int turn(const struct client_options *options, struct client *client, enum client_next *ret)
{
    OWN(client_identity_fini) struct client_identity identity = {0};
    enum run_end end = RUN_FINISHED;
    int r;

    if (has_state(options)) {
        /* the service that Setup installed for it does that */
        if (clock_monotonic_us() < client->tell_us ||
            setup_has_service(options->platform->full_os_root))
            return 0;
        r = run(options, NULL, NULL, &end);
        *ret = follow(client, end);
        return TRACE(r);
    }
    r = read_identity(options, &identity);
    if (r == CLIENT_E_MALFORMED)
        log_warning("SLW-0473: who this computer is at the site cannot be read",
                    "file=/" CLIENT_FILE);
    if (r > 0)
        *ret = CLIENT_IS_NONE;
    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    return clock_monotonic_us() < client->tell_us
               ? 0
               : TRACE(call_at_site(options, &identity, client, ret));
}

int client_turn(const struct client_options *options, struct client *client, enum client_next *ret)
{
    OWN(fd_closep) int lock = -1;
    int r = client_lock(options->lock_path, false, &lock);

    *ret = CLIENT_WAIT;
    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    return TRACE(turn(options, client, ret));
}

/* Return: 0 with @ret and a link, CLIENT_E_REFUSED or -errno. */
static int open_site(const struct client_options *options,
                     struct client_identity *ret,
                     struct link **ret_link,
                     struct buf *why)
{
    int r = read_identity(options, ret);

    if (r > 0) {
        buf_adds(why,
                 r == CLIENT_E_NONE ? "SLW-0473: this computer is no client of a site"
                                    : "SLW-0473: /" CLIENT_FILE " makes no sense");
        return CLIENT_E_REFUSED;
    }
    return r == 0 ? TRACE(new_link(ret, ret_link)) : TRACE(r);
}

int client_begin(const struct client_options *options,
                 const char *deployment_id,
                 enum run_end *ret,
                 struct buf *why)
{
    OWN(client_identity_fini) struct client_identity identity = {0};
    OWN(link_freep) struct link *link = NULL;
    OWN(json_decrefp) json_t *order = NULL;
    OWN(fd_closep) int lock = -1;
    int r = client_lock(options->lock_path, false, &lock);

    if (r == 0 && has_state(options))
        r = CLIENT_E_BUSY;
    if (r != 0)
        return TRACE(r);
    r = open_site(options, &identity, &link, why);
    if (r != 0)
        return TRACE(r);
    r = policy_ask(link, deployment_id, &order, why);
    if (r == 0 && !order)
        buf_adds(why, "the deployment ended before it began");
    if (r > 0 || (r == 0 && !order))
        return CLIENT_E_REFUSED;
    return r == 0 ? TRACE(run(options, &identity, order, ret)) : TRACE(r);
}

int client_list(const struct client_options *options, json_t **ret, struct buf *why)
{
    OWN(client_identity_fini) struct client_identity identity = {0};
    OWN(link_freep) struct link *link = NULL;
    int r = open_site(options, &identity, &link, why);

    if (r == 0) {
        r = policy_list(link, ret, why);
        r = r > 0 ? CLIENT_E_REFUSED : r;
    }
    return TRACE(r);
}
