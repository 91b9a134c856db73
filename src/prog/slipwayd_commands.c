/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "prog/slipwayd_commands.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "plat/file.h"
#include "prog/slipwayd_database.h"
#include "rt/log.h"
#include "rt/sandbox.h"
#include "server/config.h"
#include "server/dp/extract.h"
#include "server/parent/failure.h"
#include "server/parent/join.h"
#include "server/parent/remote.h"
#include "server/parent/state.h"

enum {
    PATH_MAX_BYTES = 4096,
};

struct options {
    const char *state;
    const char *config;
    const char *name;
    const char *address;
};

static int usage(void)
{
    return parent_fail(PARENT_EXIT_USAGE, "wrong arguments; slipwayd --help says which there are");
}

/* Return: whether they are right; the arguments that are no options are at argv[optind]. */
static bool parse(int argc, char **argv, struct options *ret)
{
    static const struct option options[] = {
        {"state", required_argument, NULL, 's'},
        {"config", required_argument, NULL, 'c'},
        {"name", required_argument, NULL, 'n'},
        {"address", required_argument, NULL, 'a'},
        {NULL, 0, NULL, 0},
    };

    ret->state = SERVER_STATE_FOLDER;
    for (;;) {
        switch (getopt_long(argc, argv, "", options, NULL)) { /* NOLINT(concurrency-mt-unsafe) */
        case -1:
            return true;
        case 's':
            ret->state = optarg;
            break;
        case 'c':
            ret->config = optarg;
            break;
        case 'n':
            ret->name = optarg;
            break;
        case 'a':
            ret->address = optarg;
            break;
        default:
            return false;
        }
    }
}

static int run_join(int argc, char **argv)
{
    struct options options = {.state = NULL};

    if (!parse(argc, argv, &options) || argc - optind != 2)
        return usage();

    const struct join_options what = {
        .url = argv[optind],
        .token = argv[optind + 1],
        .name = options.name,
        .address = options.address,
        .state_folder = options.state,
        .config_file = options.config,
    };

    return join(&what);
}

/* A server that runs has made the folders, and needs them as they are. */
static int make_folders(const char *state, const struct users *users)
{
    OWN(fd_closep) int lock_fd = -1;
    const char *failed = "";
    struct remote remote = {.is_on = false};
    pid_t owner;
    int r = dir_make(state, 0755);

    if (r == 0)
        r = state_lock(state, &lock_fd, &owner);
    if (r == STATE_E_LOCKED)
        return PARENT_EXIT_OK;
    if (r == 0)
        r = remote_load(state, &remote);
    if (r >= 0)
        r = state_make(state, users, remote.is_on, &failed);
    return r < 0 ? parent_fail_errno(r, "cannot prepare the state folder", state) : PARENT_EXIT_OK;
}

/* The file may be from anywhere: who reads it is nobody but the owner of the store, and sees nothing else. */
static int become_dp(const char *state, const struct users *users)
{
    char dp[PATH_MAX_BYTES];
    const struct sandbox_identity who = {.uid = users->uids[CHILD_DP],
                                         .gid = users->gids[CHILD_DP]};
    const struct sandbox_path paths[] = {
        {dp, true},
        {"/usr/share/zoneinfo", false},
        {"/dev/urandom", false},
        {"/proc/self", false},
        {NULL, false},
    };
    int r = users->is_root ? sandbox_become(&who) : 0;

    (void)snprintf(dp, sizeof(dp), "%s/dp", state);
    if (r == 0)
        r = sandbox_lock();
    if (r == 0)
        r = sandbox_confine(paths, false);
    if (r >= 0)
        r = sandbox_filter(SANDBOX_CALLS_SERVE);
    return r < 0 ? parent_fail_errno(r, "cannot become", "the owner of the store") : PARENT_EXIT_OK;
}

static int run_extract(int argc, char **argv)
{
    OWN(fd_closep) int fd = -1;
    struct options options = {.state = NULL};
    struct users users;
    int r;

    if (!parse(argc, argv, &options) || argc - optind != 1 || options.name || options.address)
        return usage();
    log_init("slipwayd", LOG_LEVEL_INFO);
    fd = open(argv[optind], O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return parent_fail_errno(-errno, "cannot read", argv[optind]);
    r = users_find(&users);
    if (r < 0)
        return parent_fail_errno(r, "cannot find the users of", "the roles");
    r = make_folders(options.state, &users);
    if (r == PARENT_EXIT_OK)
        r = become_dp(options.state, &users);
    if (r != PARENT_EXIT_OK)
        return r;
    return extract(options.state, fd, argv[optind]) == 0 ? PARENT_EXIT_OK : PARENT_EXIT_EXTRACT;
}

static int run_migrate(int argc, char **argv)
{
    struct options options = {.state = NULL};

    if (!parse(argc, argv, &options) || argc != optind || options.name || options.address)
        return usage();
    return database_migrate(options.state, options.config);
}

static int run_backup(int argc, char **argv)
{
    struct options options = {.state = NULL};

    if (!parse(argc, argv, &options) || argc - optind != 1 || options.name || options.address)
        return usage();
    return database_backup(options.state, options.config, argv[optind]);
}

static int run_restore(int argc, char **argv)
{
    struct options options = {.state = NULL};

    if (!parse(argc, argv, &options) || argc - optind != 1 || options.name || options.address)
        return usage();
    return database_restore(options.state, options.config, argv[optind]);
}

bool slipwayd_command(int argc, char **argv, int *ret)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
    } commands[] = {
        {"join", run_join},
        {"extract", run_extract},
        {"migrate-database", run_migrate},
        {"backup", run_backup},
        {"restore", run_restore},
    };

    for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        *ret = commands[i].run(argc - 1, argv + 1);
        return true;
    }
    return false;
}
