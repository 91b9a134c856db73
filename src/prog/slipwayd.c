/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * slipwayd(8): the server; started again by itself, with --role, as each of its processes
 */

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "prog/slipwayd_commands.h"
#include "server/config.h"
#include "server/parent/failure.h"
#include "server/parent/parent_start.h"
#include "server/parent/role_start.h"

static const struct {
    const char *name;
    role_main *run;
} roles[] = {
    {"site", server_site_main},
    {"dp", server_dp_main},
    {"pxe", server_pxe_main},
    {"token", server_token_main},
    {"worker", server_worker_main},
};

static const char help[] =
    "usage: slipwayd [-n] [--state DIR] [--config FILE]\n"
    "       slipwayd join [--name NAME] [--address A] [--state DIR] [--config FILE] URL TOKEN\n"
    "       slipwayd extract [--state DIR] FILE\n"
    "       slipwayd backup|restore [--state DIR] [--config FILE] FOLDER\n"
    "       slipwayd migrate-database [--state DIR] [--config FILE]\n"
    "\n"
    "Runs the Slipway server in the foreground until SIGTERM; or makes this host a\n"
    "distribution point of the site at URL; or puts prestaged content into the store;\n"
    "or keeps the site's database, keys and configuration in a folder, and brings them\n"
    "back; or moves the database from SQLite to the PostgreSQL that FILE names.\n"
    "\n"
    "  --config FILE  default: " SERVER_CONFIG_FILE "\n"
    "  --state DIR    default: " SERVER_STATE_FOLDER "\n"
    "  -n             check the configuration, say what would be done, and end\n"
    "  --version      print the version\n"
    "  --help         print this\n"
    "\n"
    "Manual: slipwayd(8), slipway.conf(5)\n";

struct arguments {
    const char *state;
    const char *config; /* NULL: the default, which need not exist */
    const char *role;   /* NULL: the parent */
    const char *users;
    bool is_dry;
};

static int usage(void)
{
    return parent_fail(PARENT_EXIT_USAGE, "wrong arguments; slipwayd --help says which there are");
}

/* Return: -1 to go on, or an exit status. */
static int parse_arguments(int argc, char **argv, struct arguments *ret)
{
    static const struct option options[] = {
        {"state", required_argument, NULL, 's'},
        {"config", required_argument, NULL, 'c'},
        {"role", required_argument, NULL, 'r'},
        {"users", required_argument, NULL, 'u'},
        {"foreground", no_argument, NULL, 'f'},
        {"dry-run", no_argument, NULL, 'n'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };

    for (;;) {
        switch (getopt_long(argc, argv, "n", options, NULL)) { /* NOLINT(concurrency-mt-unsafe) */
        case -1:
            return optind == argc ? -1 : usage();
        case 's':
            ret->state = optarg;
            break;
        case 'c':
            ret->config = optarg;
            break;
        case 'r':
            ret->role = optarg;
            break;
        case 'u':
            ret->users = optarg;
            break;
        case 'f':
            break; /* it always does */
        case 'n':
            ret->is_dry = true;
            break;
        case 'v':
            return puts("slipwayd " SLIPWAY_VERSION) < 0 ? PARENT_EXIT_INTERNAL : PARENT_EXIT_OK;
        case 'h':
            return fputs(help, stdout) < 0 ? PARENT_EXIT_INTERNAL : PARENT_EXIT_OK;
        default:
            return usage();
        }
    }
}

static int run_role(const struct arguments *args)
{
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        const struct role_start start = {
            .name = roles[i].name,
            .state_folder = args->state,
            .config_file = args->config ? args->config : SERVER_CONFIG_FILE,
            .users = args->users ? args->users : "0,0,0,0,0",
            .run = roles[i].run,
        };

        if (strcmp(args->role, roles[i].name) == 0)
            return role_start(&start);
    }
    return usage();
}

int main(int argc, char **argv)
{
    struct arguments args = {.state = SERVER_STATE_FOLDER};
    int r;

    (void)umask(022);
    if (slipwayd_command(argc, argv, &r))
        return r;
    r = parse_arguments(argc, argv, &args);
    if (r >= 0)
        return r;
    return args.role ? run_role(&args) : parent_start(args.state, args.config, args.is_dry);
}
