/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/role_start.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "rt/log.h"
#include "rt/sandbox.h"
#include "server/parent/remote.h"
#include "server/parent/users.h"

enum {
    PATHS_MAX = 10,
};

/* What a role may touch: a path below the state folder, or an absolute one. */
static const struct role_rule {
    const char *name;
    enum sandbox_calls calls;
    bool may_execute;
    struct sandbox_path paths[PATHS_MAX];
} rules[] = {
    {"site",
     SANDBOX_CALLS_SERVE,
     false,
     {{"site", true},
      {"run/api", true},
      {"run/roles", true},
      {"run", false},
      {"keys/pin", false},
      {"keys/site.crt", false},
      {"/etc", false}}},
    {"pxe",
     SANDBOX_CALLS_SERVE,
     false,
     {{"dp/boot", false},
      {"run", false},
      {"keys/pin", false},
      {"/sys/class/net", false},
      {"/sys/devices", false},
      {"/etc", false}}},
    {"token",
     SANDBOX_CALLS_SERVE,
     false,
     {{"keys/site-url", false},
      {"keys/site.crt", false},
      {"/usr", false},
      {"/lib", false},
      {"/lib64", false},
      {"/etc", false}}},
    {"dp",
     SANDBOX_CALLS_WORK,
     true,
     {{"/", false}, {"dp", true}, {"run/dp", true}, {"/dev", true}, {"/tmp", true}}},
};

/* The role dp where there is no site: it imports nothing and builds nothing, so it sees no sources and no kernels. */
static const struct role_rule remote_dp = {"dp",
                                           SANDBOX_CALLS_WORK,
                                           true,
                                           {{"dp", true},
                                            {"run/dp", true},
                                            {"run", false},
                                            {"/usr", false},
                                            {"/lib", false},
                                            {"/lib64", false},
                                            {"/sys/class/net", false},
                                            {"/sys/devices", false},
                                            {"/etc", false}}};

/* Only what every libc reads when it pleases: the time zone, locales, randomness. */
static const char *const common[] = {"/usr/share/zoneinfo",
                                     "/usr/lib/locale",
                                     "/dev/null",
                                     "/dev/urandom",
                                     "/proc/self",
                                     "/proc/sys"};

enum {
    N_COMMON = sizeof(common) / sizeof(common[0]),
    N_NAMED = 2,
};

/* The file of the parent; a worker that a person starts by hand reads its own. */
static int load_config(const struct role_start *start, struct server_config *ret)
{
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    char path[64];
    bool is_given = fcntl(ROLE_FD_CONFIG, F_GETFD) >= 0;
    int r;

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", ROLE_FD_CONFIG);
    r = server_config_load(is_given ? path : start->config_file, true, ret, &why);
    if (r == 1)
        (void)fprintf(stderr, "slipwayd: %s\n", buf_str(&why));
    if (r == 0)
        r = remote_load_address(start->state_folder, &ret->addresses);
    return TRACE(r);
}

/* Files that the configuration names for a role. Return: how many were added. */
static size_t add_named(const struct server_config *config,
                        const char *role,
                        struct sandbox_path ret[static N_NAMED])
{
    const char *const named[N_NAMED] = {config->alert_webhook_ca, config->alert_mail_ca};
    size_t n = 0;

    for (size_t i = 0; i < N_NAMED && strcmp(role, "site") == 0; i++)
        if (named[i][0] == '/')
            ret[n++] = (struct sandbox_path){named[i], false};
    return n;
}

static int confine(const struct role_start *start,
                   const struct role_rule *rule,
                   const struct server_config *config)
{
    char texts[PATHS_MAX][PATH_MAX];
    struct sandbox_path paths[PATHS_MAX + N_COMMON + N_NAMED + 2];
    size_t n = 0;

    for (size_t i = 0; i < PATHS_MAX && rule->paths[i].path; i++, n++) {
        const char *path = rule->paths[i].path;
        int len = path[0] == '/' ? snprintf(texts[i], PATH_MAX, "%s", path)
                                 : snprintf(texts[i], PATH_MAX, "%s/%s", start->state_folder, path);

        if (len < 0 || len >= PATH_MAX)
            return ERR(-ENAMETOOLONG);
        paths[n] = (struct sandbox_path){texts[i], rule->paths[i].is_writable};
    }
    for (size_t i = 0; i < N_COMMON; i++)
        paths[n++] = (struct sandbox_path){common[i], strcmp(common[i], "/dev/null") == 0};
    n += add_named(config, rule->name, &paths[n]);
    if (rule->may_execute) /* workers are it, too; by this name also below folders that its user cannot enter */
        paths[n++] = (struct sandbox_path){"/proc/self/exe", false};
    paths[n] = (struct sandbox_path){NULL, false};
    return TRACE(sandbox_confine(paths, rule->may_execute));
}

static const struct role_rule *find_rule(const char *name, const char *state_folder)
{
    struct remote remote;

    if (strcmp(name, remote_dp.name) == 0 && remote_load(state_folder, &remote) == 0 &&
        remote.is_on)
        return &remote_dp;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (strcmp(rules[i].name, name) == 0)
            return &rules[i];
    return NULL; /* a worker: it inherits the limits of the role that started it */
}

static int give_up_rights(const struct role_start *start, const struct server_config *config)
{
    const struct role_rule *rule = find_rule(start->name, start->state_folder);
    int r;

    if (!rule)
        return 0;
    r = confine(start, rule, config);
    if (r < 0)
        return TRACE(r);
    if (r == SANDBOX_E_UNSUPPORTED)
        log_info(
            "this kernel cannot confine a process to folders (Landlock)", "role=%s", rule->name);
    return TRACE(sandbox_filter(rule->calls));
}

static int fd_if_open(int fd)
{
    if (fcntl(fd, F_GETFD) < 0)
        return -1;
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

static void take_descriptors(const char *name, struct role_options *ret)
{
    ret->first_start_fd = -1;
    ret->dhcp_fd = -1;
    ret->boot_server_fd = -1;
    ret->tftp_fd = -1;
    ret->lease_fd = -1;
    ret->key_fd = -1;
    ret->old_token_fd = -1;
    ret->token_fd = -1;
    if (strcmp(name, "site") == 0)
        ret->first_start_fd = fd_if_open(ROLE_FD_FIRST_START);
    if (strcmp(name, "pxe") == 0) {
        ret->dhcp_fd = fd_if_open(ROLE_FD_DHCP);
        ret->boot_server_fd = fd_if_open(ROLE_FD_BOOT_SERVER);
        ret->tftp_fd = fd_if_open(ROLE_FD_TFTP);
        ret->lease_fd = fd_if_open(ROLE_FD_LEASE);
    }
    if (strcmp(name, "token") == 0) {
        ret->key_fd = fd_if_open(ROLE_FD_KEY);
        ret->old_token_fd = fd_if_open(ROLE_FD_OLD_TOKEN);
        ret->token_fd = fd_if_open(ROLE_FD_TOKEN);
    }
}

static int prepare_process(const char *name)
{
    char title[16]; /* what the kernel keeps */

    (void)snprintf(title, sizeof(title), "slipwayd-%s", name);
    if (prctl(PR_SET_NAME, title, 0, 0, 0) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return ERR(-errno);
    /* a worker must not outlive its role; the parent has said so for the roles themselves */
    if (strcmp(name, "worker") == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
        return ERR(-errno);
    return 0;
}

int role_start(const struct role_start *start)
{
    struct server_config config = {.site_name = NULL};
    struct role_options options = {
        .config = &config,
        .state_folder = start->state_folder,
        .self = "/proc/self/exe",
    };
    uint32_t uids[N_CHILDREN];
    int r = load_config(start, &config);

    if (r == 0 && users_parse(bytes_of(start->users), uids)) {
        log_init(start->name, (enum log_level)config.log_level);
        memcpy(options.uids, uids, sizeof(options.uids));
        take_descriptors(start->name, &options);
        r = prepare_process(start->name);
        if (r == 0)
            r = give_up_rights(start, &config);
        if (r < 0)
            log_error(
                "the role cannot confine itself", "errno=%d text=\"%s\"", -r, strerrordesc_np(-r));
        else
            r = start->run(&options);
    } else {
        (void)fprintf(stderr, "slipwayd: --role is for slipwayd itself\n");
        r = ROLE_EXIT_FAILED;
    }
    server_config_fini(&config);
    return r < 0 ? ROLE_EXIT_FAILED : r;
}
