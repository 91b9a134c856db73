/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "server/parent/child.h"
#include "server/parent/dp_key.h"
#include "server/role.h"

enum {
    ARG_MAX_BYTES = PATH_MAX + 64,
};

const char *const launch_names[N_CHILDREN] = {"site", "dp", "pxe", "nginx", "token"};

/* The little of our environment that the children need. */
struct environment {
    struct buf temporary; /* "TMPDIR=..." */
    struct buf journal;   /* "JOURNAL_STREAM=..." */
    const char *list[5];
};

static void environment_fini(struct environment *env)
{
    buf_fini(&env->temporary);
    buf_fini(&env->journal);
}

static int make_environment(const char *state_folder, const char *tmp, struct environment *ret)
{
    const char *journal = getenv("JOURNAL_STREAM"); /* NOLINT(concurrency-mt-unsafe): one thread */
    size_t n = 0;

    ret->temporary = BUF_INIT(ARG_MAX_BYTES);
    ret->journal = BUF_INIT(ARG_MAX_BYTES);
    buf_addf(&ret->temporary, "TMPDIR=%s/%s", state_folder, tmp);
    ret->list[n++] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    ret->list[n++] = "LANG=C.UTF-8";
    ret->list[n++] = buf_str(&ret->temporary);
    if (journal) {
        buf_addf(&ret->journal, "JOURNAL_STREAM=%s", journal);
        ret->list[n++] = buf_str(&ret->journal);
    }
    ret->list[n] = NULL;
    return ret->temporary.failed || ret->journal.failed ? ERR(-ENOMEM) : 0;
}

static struct sandbox_identity identity_of(const struct prepared *prepared, enum parent_child child)
{
    struct sandbox_identity who = {
        .uid = prepared->users.uids[child],
        .gid = prepared->users.gids[child],
        .may_bind_low_ports = child == CHILD_HTTP,
        .rt_priority_max = child == CHILD_PXE ? ROLE_PXE_RT_PRIORITY : 0,
    };

    if (child == CHILD_DP || child == CHILD_PXE) {
        who.groups[0] = prepared->users.roles_gid; /* run/roles.sock */
        who.n_groups = 1;
    }
    return who;
}

/* What nginx may touch: a path below the state folder, or an absolute one. */
static const struct sandbox_path nginx_paths[] = {
    {"http", true},
    {"keys", false},
    {"dp/boot", false},
    {"dp/content", false},
    {"dp/exports", false},
    {"run", false},
    {"/usr", false},
    {"/lib", false},
    {"/lib64", false},
    {"/etc", false},
    {"/proc/sys", false},
    {"/sys/devices/system/cpu", false},
    {"/dev/urandom", false},
    {"/dev/null", true},
    {"run/roles",
     true}, /* the last: only of a remote distribution point, where it makes roles.sock */
};

enum {
    N_NGINX_PATHS = sizeof(nginx_paths) / sizeof(nginx_paths[0]),
};

/* The words and the folder are locals of who calls: the command forgets them. */
static int spawn(struct child_command *command, pid_t *ret)
{
    int r = child_spawn(command, ret);

    command->argv = NULL;
    command->folder = NULL;
    command->paths = NULL;
    return TRACE(r);
}

/* nginx cannot bind where the socket of one that was killed still lies. */
static void remove_roles_socket(const char *state_folder)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/run/roles/roles.sock", state_folder);

    if (n > 0 && n < PATH_MAX)
        (void)unlink(path);
}

static int put_nginx_paths(const char *state_folder,
                           char texts[static N_NGINX_PATHS][PATH_MAX],
                           struct sandbox_path ret[static N_NGINX_PATHS + 1])
{
    for (size_t i = 0; i < N_NGINX_PATHS; i++) {
        const char *path = nginx_paths[i].path;
        int len = path[0] == '/' ? snprintf(texts[i], PATH_MAX, "%s", path)
                                 : snprintf(texts[i], PATH_MAX, "%s/%s", state_folder, path);

        if (len < 0 || len >= PATH_MAX)
            return ERR(-ENAMETOOLONG);
        ret[i] = (struct sandbox_path){texts[i], nginx_paths[i].is_writable};
    }
    ret[N_NGINX_PATHS] = (struct sandbox_path){NULL, false};
    return 0;
}

static int launch_nginx(const struct parent_options *options,
                        const struct prepared *prepared,
                        struct child_command *command,
                        pid_t *ret)
{
    OWN(buf_fini) struct buf folder = BUF_INIT(ARG_MAX_BYTES);
    OWN(buf_fini) struct buf conf = BUF_INIT(ARG_MAX_BYTES);
    char texts[N_NGINX_PATHS][PATH_MAX];
    struct sandbox_path paths[N_NGINX_PATHS + 1];
    int r = put_nginx_paths(options->state_folder, texts, paths);

    if (r < 0)
        return TRACE(r);
    if (options->remote.is_on)
        remove_roles_socket(options->state_folder);
    else
        paths[N_NGINX_PATHS - 1] = (struct sandbox_path){NULL, false};
    buf_addf(&folder, "%s/http", options->state_folder);
    buf_addf(&conf, "%s/http/nginx.conf", options->state_folder);
    if (folder.failed || conf.failed)
        return ERR(-ENAMETOOLONG);

    const char *const argv[] = {
        prepared->nginx, "-e", "stderr", "-p", buf_str(&folder), "-c", buf_str(&conf), NULL};

    command->path = prepared->nginx;
    command->argv = argv;
    /* how a later server recognises the workers of this one, should it die without ending them */
    command->folder = buf_str(&folder);
    command->death_signal = SIGTERM; /* it must end its own workers */
    command->paths = paths;
    return TRACE(spawn(command, ret));
}

static int launch_role(const struct parent_options *options,
                       const struct prepared *prepared,
                       enum parent_child child,
                       struct child_command *command,
                       pid_t *ret)
{
    OWN(buf_fini) struct buf role = BUF_INIT(ARG_MAX_BYTES);
    OWN(buf_fini) struct buf state = BUF_INIT(ARG_MAX_BYTES);
    OWN(buf_fini) struct buf config = BUF_INIT(ARG_MAX_BYTES);
    OWN(buf_fini) struct buf users = BUF_INIT(ARG_MAX_BYTES);

    buf_addf(&role, "--role=%s", launch_names[child]);
    buf_addf(&state, "--state=%s", options->state_folder);
    buf_addf(&config, "--config=%s", options->config_file);
    buf_adds(&users, "--users=");
    users_put(&prepared->users, &users);
    if (role.failed || state.failed || config.failed || users.failed)
        return ERR(-ENAMETOOLONG);

    const char *const argv[] = {
        "slipwayd", buf_str(&role), buf_str(&state), buf_str(&config), buf_str(&users), NULL};

    command->path = "/proc/self/exe";
    command->argv = argv;
    command->folder = "/";
    command->death_signal = SIGKILL;
    return TRACE(spawn(command, ret));
}

static void give_descriptors(const struct prepared *prepared,
                             enum parent_child child,
                             int pipe_fd,
                             int fds[static CHILD_FDS_MAX])
{
    for (unsigned i = 0; i < CHILD_FDS_MAX; i++)
        fds[i] = -1;
    if (child == CHILD_HTTP)
        return;
    fds[0] = prepared->config_fd;
    if (child == CHILD_TOKEN)
        fds[3] = pipe_fd; /* behind the two of launch_token() */
    if (child == CHILD_SITE)
        fds[1] = pipe_fd;
    if (child == CHILD_PXE) {
        fds[1] = prepared->ports.dhcp_fd;
        fds[2] = prepared->ports.boot_server_fd;
        fds[3] = prepared->ports.tftp_fd;
        fds[4] = prepared->ports.lease_fd;
    }
}

static int open_key(const char *state_folder, const char *name, int *ret)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/%s", state_folder, name);

    if (n < 0 || (size_t)n >= sizeof(path))
        return ERR(-ENAMETOOLONG);
    *ret = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return *ret < 0 && errno != ENOENT ? ERR(-errno) : 0;
}

/* Its key and its old token are for root alone: it gets them open. */
static int launch_token(const struct parent_options *options,
                        const struct prepared *prepared,
                        struct child_command *command,
                        pid_t *ret)
{
    OWN(fd_closep) int key_fd = -1;
    OWN(fd_closep) int old_token_fd = -1;
    int r = open_key(options->state_folder, DP_KEY_FILE, &key_fd);

    if (r == 0)
        r = open_key(options->state_folder, DP_KEY_OLD_TOKEN_FILE, &old_token_fd);
    if (r < 0)
        return TRACE(r);
    command->fds[1] = key_fd;
    command->fds[2] = old_token_fd;
    return TRACE(launch_role(options, prepared, CHILD_TOKEN, command, ret));
}

int launch(const struct parent_options *options,
           const struct prepared *prepared,
           enum parent_child child,
           int pipe_fd,
           pid_t *ret)
{
    static const char *const temporary[N_CHILDREN] = {"site", "dp/staging", "run", "http", "run"};
    OWN(environment_fini) struct environment env = {.list = {NULL}};
    struct child_command command = {
        .envp = env.list,
        .who = identity_of(prepared, child),
        .is_root = prepared->users.is_root,
    };
    int r = make_environment(options->state_folder, temporary[child], &env);

    if (r < 0)
        return TRACE(r);
    give_descriptors(prepared, child, pipe_fd, command.fds);
    if (child == CHILD_HTTP)
        return TRACE(launch_nginx(options, prepared, &command, ret));
    if (child == CHILD_TOKEN)
        return TRACE(launch_token(options, prepared, &command, ret));
    return TRACE(launch_role(options, prepared, child, &command, ret));
}
