/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/prepare.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "rt/log.h"
#include "server/parent/dp_key.h"
#include "server/parent/failure.h"
#include "server/parent/holder.h"
#include "server/parent/keys.h"
#include "server/parent/nginx_conf.h"
#include "server/parent/state.h"

enum {
    NGINX_CONF_MAX_BYTES = 64 * 1024,
    RESOLV_CONF_MAX_BYTES = 16 * 1024,
};

/* A token has nothing that means anything to nginx. */
void prepared_fini(struct prepared *prepared)
{
    ports_fini(&prepared->ports);
    fd_closep(&prepared->lock_fd);
    fd_closep(&prepared->config_fd);
}

const char *prepare_find_nginx(void)
{
    static const char *const places[] = {
        "/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

static bool put_path(char dst[static PATH_MAX], const char *folder, const char *name)
{
    int n = snprintf(dst, PATH_MAX, "%s/%s", folder, name);

    return n > 0 && n < PATH_MAX;
}

static int take_lock(const char *state_folder, struct prepared *ret)
{
    pid_t owner = 0;
    int r = state_lock(state_folder, &ret->lock_fd, &owner);

    if (r < 0)
        return parent_fail_errno(r, "cannot lock the state folder", state_folder);
    if (r == STATE_E_LOCKED)
        return parent_fail(
            PARENT_EXIT_ALREADY_RUNNING, "already running on %s, pid %d", state_folder, (int)owner);
    return PARENT_EXIT_OK;
}

static int make_folders(const struct parent_options *options, struct prepared *ret)
{
    const char *state_folder = options->state_folder;
    const char *failed = NULL;
    int r = state_make(state_folder, &ret->users, options->remote.is_on, &failed);
    char path[PATH_MAX];

    if (r < 0)
        return parent_fail_errno(
            r, "cannot make", put_path(path, state_folder, failed) ? path : state_folder);
    r = state_check_space(state_folder);
    if (r < 0)
        return parent_fail_errno(r, "cannot write to", state_folder);
    return PARENT_EXIT_OK;
}

static int make_keys(const struct parent_options *options, struct prepared *ret)
{
    char folder[PATH_MAX];
    uint8_t pin[SHA256_BYTES];
    struct keys_options keys = {
        .folder = folder,
        .site_name = options->config->site_name,
        .addresses = options->config->addresses,
        .owner_uid = ret->users.uids[CHILD_HTTP],
        .owner_gid = ret->users.gids[CHILD_HTTP],
    };
    int r;

    if (!put_path(folder, options->state_folder, "keys"))
        return parent_fail_errno(-ENAMETOOLONG, "cannot use", options->state_folder);
    r = keys_ensure(&keys, pin);
    if (r < 0)
        return parent_fail_errno(r, "cannot make the site's key in", folder);
    if (r == KEYS_E_DAMAGED)
        return parent_fail(
            PARENT_EXIT_BAD_KEYS,
            "the site's key or certificate in %s cannot be used: it is damaged, or the "
            "two do not belong together",
            folder);
    hex_put(ret->pin, (struct bytes){pin, sizeof(pin)});
    return PARENT_EXIT_OK;
}

static int fail_port(int r, const struct ports_failure *failure)
{
    struct holder holder;

    if (r == PORTS_E_FORBIDDEN)
        return parent_fail(PARENT_EXIT_NO_PERMISSION,
                           "port %u/%s (%s) may be used by root only",
                           failure->port,
                           failure->protocol,
                           failure->setting);
    if (!holder_find(strcmp(failure->protocol, "tcp") == 0, failure->port, &holder))
        return parent_fail(PARENT_EXIT_PORT_IN_USE,
                           "port %u/%s (%s) is in use by a process that cannot be seen from here",
                           failure->port,
                           failure->protocol,
                           failure->setting);
    return parent_fail(PARENT_EXIT_PORT_IN_USE,
                       "port %u/%s (%s) is in use by %s, pid %d",
                       failure->port,
                       failure->protocol,
                       failure->setting,
                       holder.name,
                       (int)holder.pid);
}

static int take_ports(const struct parent_options *options, struct prepared *ret)
{
    char http[PATH_MAX];
    struct ports_failure failure = {.protocol = NULL};
    int r;

    if (!put_path(http, options->state_folder, "http"))
        return parent_fail_errno(-ENAMETOOLONG, "cannot use", options->state_folder);
    r = ports_take(options->config, !options->remote.is_on, http, &ret->ports, &failure);
    if (r < 0)
        return parent_fail_errno(r, "cannot take the ports of", options->config->site_name);
    return r > 0 ? fail_port(r, &failure) : PARENT_EXIT_OK;
}

/* A host without name servers asks those of its C library; nginx has only these. */
static void find_resolvers(struct buf *dst)
{
    OWN(buf_fini) struct buf text = BUF_INIT(RESOLV_CONF_MAX_BYTES);

    if (file_read("/etc/resolv.conf", &text) == 0)
        remote_put_resolvers(buf_bytes(&text), dst);
}

static int write_nginx_conf(const struct parent_options *options)
{
    OWN(buf_fini) struct buf resolvers = BUF_INIT(RESOLV_CONF_MAX_BYTES);
    OWN(buf_fini) struct buf text = BUF_INIT(NGINX_CONF_MAX_BYTES);
    char path[PATH_MAX];
    struct nginx_conf_options nginx = {
        .state_folder = options->state_folder,
        .http_port = (uint16_t)options->config->http_port,
        .https_port = (uint16_t)options->config->https_port,
        .load_balancers = options->config->load_balancers,
        .load_balancer_port = (uint16_t)options->config->load_balancer_port,
        .is_dp_on = options->config->is_dp_on,
        .remote = options->remote.is_on ? &options->remote : NULL,
    };
    int r;

    find_resolvers(&resolvers);
    nginx.resolvers = buf_str(&resolvers);
    if (!nginx_conf_is_path_plain(options->state_folder))
        return parent_fail(PARENT_EXIT_BAD_CONFIG,
                           "the state folder %s has a character in its name that nginx cannot take",
                           options->state_folder);
    nginx_conf_put(&nginx, &text);
    if (text.failed || !put_path(path, options->state_folder, "http/nginx.pid"))
        return parent_fail_errno(-ENAMETOOLONG, "cannot use", options->state_folder);
    (void)unlink(path); /* of an nginx that is gone; there again when ours is up */
    if (!put_path(path, options->state_folder, "http/nginx.conf"))
        return parent_fail_errno(-ENAMETOOLONG, "cannot use", options->state_folder);
    r = file_write(path, buf_bytes(&text), 0444);
    return r < 0 ? parent_fail_errno(r, "cannot write", path) : PARENT_EXIT_OK;
}

static int keep_config(const struct parent_options *options, struct prepared *ret)
{
    int r;

    ret->config_fd = memfd_create("slipway.conf", MFD_CLOEXEC);
    if (ret->config_fd < 0)
        return parent_fail_errno(-errno, "cannot keep", options->config_file);
    r = fd_write_all(ret->config_fd, bytes_of(options->config_text));
    return r < 0 ? parent_fail_errno(r, "cannot keep", options->config_file) : PARENT_EXIT_OK;
}

static void say_users(const struct users *users)
{
    if (!users->is_root)
        log_warning("not started by root: all roles run as the caller", "uid=%u", users->uids[0]);
    else if (users->are_fixed)
        log_warning("the users of the roles do not all exist: fixed numbers stand in for them",
                    "site=%u dp=%u pxe=%u http=%u token=%u",
                    users->uids[CHILD_SITE],
                    users->uids[CHILD_DP],
                    users->uids[CHILD_PXE],
                    users->uids[CHILD_HTTP],
                    users->uids[CHILD_TOKEN]);
}

int prepare(const struct parent_options *options, struct prepared *ret)
{
    int status;
    int r = users_find(&ret->users);

    if (r < 0)
        return parent_fail_errno(r, "cannot find the users of", "the roles");
    ret->nginx = prepare_find_nginx();
    if (!ret->nginx)
        return parent_fail(PARENT_EXIT_NO_NGINX, "nginx is not installed (Debian: nginx-light)");
    status = take_lock(options->state_folder, ret);
    if (status != PARENT_EXIT_OK)
        return status;
    say_users(&ret->users);
    status = make_folders(options, ret);
    if (status == PARENT_EXIT_OK)
        status = options->remote.is_on ? dp_key_prepare(options->state_folder, ret->users.roles_gid)
                                       : make_keys(options, ret);
    if (status == PARENT_EXIT_OK)
        status = take_ports(options, ret);
    if (status == PARENT_EXIT_OK)
        status = write_nginx_conf(options);
    if (status == PARENT_EXIT_OK)
        status = keep_config(options, ret);
    return status;
}
